package torch

import (
	"github.com/loratool/loratool/formats"
)

// A function stands for a class or function of Python that a pickle may call.
// It gets the arguments; all it can do is to make a value.
type function func(m *machine, args tuple) any

// allowed lists all that a pickle may name, by module and name. It is the list
// of PyTorch's weights_only mode, and like there nothing is ever looked up by
// name in anything that runs.
var allowed = map[[2]string]any{
	{"collections", "OrderedDict"}: function(orderedDict),
	{"collections", "Counter"}:     function(anyArguments("Counter")),
	{"builtins", "set"}:            function(anyArguments("set")),
	{"__builtin__", "set"}:         function(anyArguments("set")),
	{"builtins", "bytearray"}:      function(anyArguments("bytearray")),
	{"__builtin__", "bytearray"}:   function(anyArguments("bytearray")),
	{"builtins", "complex"}:        function(anyArguments("complex")),
	{"__builtin__", "complex"}:     function(anyArguments("complex")),
	{"_codecs", "encode"}:          function(anyArguments("bytes")),

	{"torch", "Size"}:                          function(size),
	{"torch", "device"}:                        function(anyArguments("torch.device")),
	{"torch.serialization", "_get_layout"}:     function(anyArguments("torch.layout")),
	{"torch", "Tensor"}:                        opaque("torch.Tensor"),
	{"torch.nn.parameter", "Parameter"}:        rebuildParameter("Parameter", 1, 2),
	{"torch._tensor", "_rebuild_from_type_v2"}: function(rebuildFromType),
	{"torch.tensor", "_rebuild_from_type_v2"}:  function(rebuildFromType),

	{"torch._utils", "_rebuild_tensor"}:               function(rebuildTensor),
	{"torch._utils", "_rebuild_tensor_v2"}:            function(rebuildTensor2),
	{"torch._utils", "_rebuild_tensor_v3"}:            function(rebuildTensor3),
	{"torch._utils", "_rebuild_parameter"}:            rebuildParameter("_rebuild_parameter", 3, 3),
	{"torch._utils", "_rebuild_parameter_with_state"}: rebuildParameter("_rebuild_parameter_with_state", 4, 4),

	// Tensors that safetensors and GGUF have no words for.
	{"torch._utils", "_rebuild_qtensor"}:                       function(foreignTensor("quantized tensor of PyTorch")),
	{"torch._utils", "_rebuild_sparse_tensor"}:                 function(foreignTensor("sparse tensor")),
	{"torch._utils", "_rebuild_meta_tensor_no_storage"}:        function(foreignTensor("tensor without data (of the meta device)")),
	{"torch._utils", "_rebuild_wrapper_subclass"}:              function(foreignTensor("tensor of a subclass")),
	{"torch._utils", "_rebuild_device_tensor_from_numpy"}:      function(foreignTensor("tensor of another device")),
	{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor"}: function(foreignTensor("tensor of another device")),
	{"torch", "per_tensor_affine"}:                             opaque("torch.per_tensor_affine"),
	{"torch", "per_channel_affine"}:                            opaque("torch.per_channel_affine"),
	{"torch", "per_tensor_symmetric"}:                          opaque("torch.per_tensor_symmetric"),
	{"torch", "per_channel_symmetric"}:                         opaque("torch.per_channel_symmetric"),
	{"torch", "per_channel_affine_float_qparams"}:              opaque("torch.per_channel_affine_float_qparams"),
}

// An element is a number format of PyTorch. Its formats.DType is Invalid if
// model files have no such numbers.
type element struct {
	name  string
	dtype formats.DType
	size  int64 // in bytes
}

// A storageType is a class of storages. They all hold bytes; the older classes
// say what kind of numbers these are.
type storageType struct{ element }

func init() {
	for _, e := range []struct {
		element
		class string // the old name of its storages
	}{
		{element{"float64", formats.F64, 8}, "DoubleStorage"},
		{element{"float32", formats.F32, 4}, "FloatStorage"},
		{element{"float16", formats.F16, 2}, "HalfStorage"},
		{element{"bfloat16", formats.BF16, 2}, "BFloat16Storage"},
		{element{"int64", formats.I64, 8}, "LongStorage"},
		{element{"int32", formats.I32, 4}, "IntStorage"},
		{element{"int16", formats.I16, 2}, "ShortStorage"},
		{element{"int8", formats.I8, 1}, "CharStorage"},
		{element{"uint8", formats.U8, 1}, "ByteStorage"},
		{element{"bool", formats.Bool, 1}, "BoolStorage"},
		{element{"complex64", formats.C64, 8}, "ComplexFloatStorage"},
		{element{"complex128", formats.Invalid, 16}, "ComplexDoubleStorage"},
		{element{"qint8", formats.Invalid, 1}, "QInt8Storage"},
		{element{"quint8", formats.Invalid, 1}, "QUInt8Storage"},
		{element{"qint32", formats.Invalid, 4}, "QInt32Storage"},
		{element{"quint4x2", formats.Invalid, 1}, "QUInt4x2Storage"},
		{element{"quint2x4", formats.Invalid, 1}, "QUInt2x4Storage"},
		{element{"uint16", formats.U16, 2}, ""},
		{element{"uint32", formats.U32, 4}, ""},
		{element{"uint64", formats.U64, 8}, ""},
		{element{"complex32", formats.Invalid, 4}, ""},
		{element{"float8_e4m3fn", formats.F8_E4M3, 1}, ""},
		{element{"float8_e5m2", formats.F8_E5M2, 1}, ""},
		{element{"float8_e4m3fnuz", formats.F8_E4M3FNUZ, 1}, ""},
		{element{"float8_e5m2fnuz", formats.F8_E5M2FNUZ, 1}, ""},
		{element{"float8_e8m0fnu", formats.F8_E8M0, 1}, ""},
		{element{"float4_e2m1fn_x2", formats.Invalid, 1}, ""},
	} {
		allowed[[2]string{"torch", e.name}] = e.element
		if e.class != "" {
			allowed[[2]string{"torch", e.class}] = storageType{e.element}
			allowed[[2]string{"torch.cuda", e.class}] = storageType{e.element} // until PyTorch 1.5
		}
	}
	untyped := storageType{element{"uint8", formats.U8, 1}}
	allowed[[2]string{"torch.storage", "UntypedStorage"}] = untyped
	allowed[[2]string{"torch.storage", "_UntypedStorage"}] = untyped
	allowed[[2]string{"torch", "UntypedStorage"}] = untyped
	allowed[[2]string{"torch", "_UntypedStorage"}] = untyped
}

// global returns what a pickle names, or ends the run.
func (m *machine) global(module, name string) any {
	v, ok := allowed[[2]string{module, name}]
	if !ok {
		e := m.in.error(m.at, formats.ErrUnsupported,
			"it names %.100q, which is not among the classes that a checkpoint needs; no code is run", module+"."+name)
		e.Hint = "save the plain state dict with torch.save(model.state_dict(), ...) or as safetensors, if you trust the file"
		panic(e)
	}
	return v
}

// call returns what a function makes of its arguments.
func (m *machine) call(f, args any) any {
	a, ok := args.(tuple)
	if !ok {
		m.fail(formats.ErrFormat, "%s where arguments were expected", kindOf(args))
	}
	if fn, ok := f.(function); ok {
		return fn(m, a)
	}
	m.fail(formats.ErrUnsupported, "%s is called", kindOf(f))
	return nil
}

// anyArguments returns a function that makes an opaque value of the given kind.
func anyArguments(kind string) function {
	return func(*machine, tuple) any { return opaque(kind) }
}

// foreignTensor returns a function that makes a tensor that can't be read.
func foreignTensor(kind foreign) function {
	return func(*machine, tuple) any { return kind }
}

// orderedDict is collections.OrderedDict. Entries come as SETITEMS in protocol 2
// and later, but a list of pairs is as good.
func orderedDict(m *machine, args tuple) any {
	d := &dict{ordered: true}
	if len(args) == 0 {
		return d
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		m.fail(formats.ErrFormat, "OrderedDict of %s", kindOf(args[0]))
	}
	for _, p := range pairs.items {
		kv, ok := p.(tuple)
		if l, isList := p.(*list); isList { // of Python 2
			kv, ok = l.items, true
		}
		if !ok || len(kv) != 2 {
			m.fail(formats.ErrFormat, "OrderedDict with %s as entry", kindOf(p))
		}
		if !d.set(kv[0], kv[1]) {
			m.fail(formats.ErrFormat, "key %.100q appears twice", kv[0])
		}
	}
	return d
}

// size is torch.Size, a tuple.
func size(m *machine, args tuple) any {
	if len(args) == 1 {
		switch a := args[0].(type) {
		case tuple:
			return a
		case *list:
			return append(tuple(nil), a.items...)
		}
	}
	m.fail(formats.ErrFormat, "torch.Size takes a tuple")
	return nil
}

package shrink

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A Source says how a checkpoint is quantized.
type Source struct {
	Method string        // quant_method: "bitsandbytes"
	Scheme string        // for people: "bitsandbytes NF4"
	DType  formats.DType // what its loaders compute with
	Count  int           // of matrices that are decoded
}

// readers know how the matrices of a quant_method are stored. state lists the
// endings of names that only belong beside codes.
var readers = map[string]struct {
	read  func(*reader) error
	state []string
}{
	"bitsandbytes":       {readBitsandbytes, []string{".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".SCB", ".weight_format"}},
	"mlx":                {readMLX, []string{".scales", ".biases"}},
	"compressed-tensors": {readCompressed, []string{".weight_packed", ".weight_scale", ".weight_shape", ".weight_zero_point", ".weight_global_scale"}},
	"fp8":                {readBlockFP8, []string{".weight_scale_inv", ".weight_scale"}},
	"gptq":               {readGPTQ, []string{".qweight", ".qzeros", ".scales", ".g_idx"}},
	"awq":                {readAWQ, []string{".qweight", ".qzeros", ".scales"}},
	"mxfp4":              {readGptOss, []string{"_blocks", "_scales"}},
	"modelopt":           {readModelopt, []string{".weight_scale", ".weight_scale_2"}},
}

// Dequantize returns the model with its quantized matrices as plain ones, under
// plain names, in F32: the exact values of the codes. [ComputeDType] says what
// loaders round them to. Nothing is decoded before it is read. config.json loses its
// quantization block, and state of activations, which matters to loaders only, is
// left out.
//
// A model that is not quantized is returned as it is, with a nil Source. It returns
// an error wrapping [formats.ErrUnsupported] if the scheme is none that it knows, and
// [formats.ErrFormat] if codes and state do not fit together.
func Dequantize(m *formats.Model) (*formats.Model, *Source, error) {
	config, err := hf.Config(m)
	if err != nil {
		return nil, nil, err
	}
	method, q, err := recognise(m, config)
	if err != nil || method == "" {
		return m, nil, err
	}
	scheme, ok := readers[method]
	if !ok {
		return nil, nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"the checkpoint is quantized in a way that can't be read (quant_method %q)", method),
			Hint: "start from the checkpoint that it was made of"}
	}
	r := &reader{model: m, config: config, quantization: q, taken: map[string]bool{}, plain: map[string][]*formats.Tensor{}}
	r.source = Source{Method: method, Scheme: method, DType: computeDType(m, config)}
	if err := scheme.read(r); err != nil {
		return nil, nil, r.inFile(err)
	}
	for _, t := range m.Tensors {
		if !r.taken[t.Name] && slices.ContainsFunc(scheme.state, func(s string) bool { return strings.HasSuffix(t.Name, s) }) {
			return nil, nil, r.inFile(invalid(t.Name, "it is state of a quantized matrix, but there is no such matrix"))
		}
	}
	if r.source.Count == 0 {
		return nil, nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"config.json says that the checkpoint is quantized (%s), but no tensor is", method),
			Hint: "if it is not quantized any more, remove the quantization block from config.json"}
	}
	return r.result(), &r.source, nil
}

// Method returns the quant_method of a checkpoint, "mlx" for mlx-lm's, "" if it is not
// quantized.
func Method(m *formats.Model) (string, error) {
	config, err := hf.Config(m)
	if err != nil {
		return "", err
	}
	method, _, err := recognise(m, config)
	return method, err
}

// recognise returns the quantization block of a model and the method it names, ""
// for none. mlx-lm has a key of its own, modelopt sometimes a file of its own.
func recognise(m *formats.Model, config *strictjson.Object) (string, *strictjson.Object, error) {
	if q := config.Object("quantization"); q != nil && q.Has("bits") {
		return "mlx", q, nil
	}
	if q := config.Object("quantization_config"); q != nil {
		method := q.String("quant_method")
		if method == "" && q.Has("bits") && q.Has("group_size") {
			return "mlx", q, nil
		}
		return cmp.Or(strings.ReplaceAll(method, "_", "-"), "of a kind that is not named"), q, nil
	}
	o, err := hf.ReadObject(m, "hf_quant_config.json")
	if err != nil || o == nil {
		return "", nil, err
	}
	return "modelopt", o.Object("quantization"), nil
}

// computeDType returns the number format that config.json names, BF16 if none.
func computeDType(m *formats.Model, config *strictjson.Object) formats.DType {
	name := cmp.Or(config.String("dtype"), config.String("torch_dtype"),
		config.Object("text_config").String("dtype"), config.Object("text_config").String("torch_dtype"))
	switch strings.TrimPrefix(name, "torch.") {
	case "float16":
		return formats.F16
	case "float32":
		return formats.F32
	}
	return formats.BF16
}

// A reader collects what becomes of a quantized model's tensors.
type reader struct {
	model        *formats.Model
	config       *strictjson.Object
	quantization *strictjson.Object
	source       Source
	taken        map[string]bool
	plain        map[string][]*formats.Tensor // what takes the place of a tensor
}

// tensor returns the tensor of that name and marks it as used; nil if there is none.
func (r *reader) tensor(name string) *formats.Tensor {
	t := r.model.Tensor(name)
	if t != nil {
		r.taken[name] = true
	}
	return t
}

// state is tensor for one that must be there, of one of some number formats and of
// so many elements.
func (r *reader) state(name string, elements int, dtypes ...formats.DType) (*formats.Tensor, error) {
	t := r.tensor(name)
	switch {
	case t == nil:
		return nil, invalid(name, "it is missing beside the codes")
	case !slices.Contains(dtypes, t.DType):
		return nil, invalid(name, "it is %v, not %v", &t.Info, dtypes[0])
	case t.NumElements() != elements:
		return nil, invalid(name, "it is %v, but the codes need %d elements", &t.Info, elements)
	}
	return t, nil
}

// replace puts a plain matrix in the place of its codes.
func (r *reader) replace(codes *formats.Tensor, name string, shape []int, rows formats.Rows) {
	r.taken[codes.Name] = true
	r.plain[codes.Name] = append(r.plain[codes.Name],
		&formats.Tensor{Info: formats.Info{Name: name, DType: formats.F32, Shape: shape}, Rows: rows})
	r.source.Count++
}

// drop marks state that only matters to loaders: of activations and caches.
func (r *reader) drop(endings ...string) {
	for _, t := range r.model.Tensors {
		if slices.ContainsFunc(endings, func(s string) bool { return strings.HasSuffix(t.Name, s) }) {
			r.taken[t.Name] = true
		}
	}
}

func (r *reader) result() *formats.Model {
	m := r.model
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Inputs: m.Inputs}
	if m.Metadata.Get("format") == "mlx" {
		out.Metadata = m.Metadata.With("format", "pt")
	}
	for _, t := range m.Tensors {
		if r.taken[t.Name] {
			out.Tensors = append(out.Tensors, r.plain[t.Name]...)
		} else {
			out.Tensors = append(out.Tensors, t)
		}
	}
	r.config.Delete("quantization")
	r.config.Delete("quantization_config")
	for _, a := range m.Files {
		if a.Name != "hf_quant_config.json" {
			out.Files = append(out.Files, a)
		}
	}
	if r.config != nil {
		out.Files = hf.WithConfig(out.Files, r.config)
	}
	return out
}

// inFile adds the model's path to an error that has none.
func (r *reader) inFile(err error) error {
	if e, ok := err.(*formats.Error); ok && e.Path == "" {
		e.Path = r.model.Path
		if t := r.model.Tensor(e.Tensor); t != nil && t.Extent() != nil {
			e.Path = t.Extent().File.Path
		}
	}
	return err
}

// invalid returns an error about state that does not fit.
func invalid(tensor, format string, args ...any) error {
	return &formats.Error{Tensor: tensor, Err: formats.Reasonf(formats.ErrFormat, format, args...)}
}

// decoded are rows that come from codes.
type decoded interface{ computeDType() formats.DType }

// computing is what loaders round a decoded tensor to; part of every decoded rows.
type computing formats.DType

func (c computing) computeDType() formats.DType { return formats.DType(c) }

// ComputeDType returns the number format that loaders round the values of a decoded
// tensor to before they compute with them, and Invalid if t is none of
// [Dequantize]'s.
func ComputeDType(t *formats.Tensor) formats.DType {
	if t == nil {
		return formats.Invalid
	}
	if d, ok := t.Rows.(decoded); ok {
		return d.computeDType()
	}
	return formats.Invalid
}

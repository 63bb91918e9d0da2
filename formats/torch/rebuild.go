package torch

import (
	"math/bits"
	"strconv"

	"github.com/loratool/loratool/formats"
)

// maxDims is how many dimensions PyTorch's tensors have at most.
const maxDims = 64

// maxRepeated bounds a tensor that shows the same elements many times over
// (torch.expand, with stride 0), since its size is that of no bytes in the file.
const maxRepeated = 256 << 20

// A storage is an array of bytes that tensors share. Where in the file it lies
// is known when the whole pickle has been read.
type storage struct {
	element
	key     string
	bytes   int64 // of the whole storage in the file
	skip    int64 // bytes before the part that is meant, in old files with views
	length  int64 // bytes of that part
	noData  bool  // of the meta device
	pickled int64 // offset of its description in the file, for messages
}

// A tensor is a view of a storage.
type tensor struct {
	storage *storage
	element
	offset  int64 // in elements
	shape   []int
	stride  []int64
	pickled int64
}

// storage returns the storage that a persistent id describes:
//
//	("storage", class, key, device, number of elements)
//
// In files of the old format there is a sixth item: (key, offset, number of
// elements) of the part that is meant, or None.
func (m *machine) storage(id any) any {
	items := 5
	if m.in.record == "" {
		items = 6
	}
	t, ok := id.(tuple)
	if !ok || len(t) != items || t[0] != "storage" {
		m.fail(formats.ErrUnsupported, "a persistent id that is not that of a storage; is it a whole model instead of its state dict?")
	}
	class, ok := t[1].(storageType)
	if !ok {
		m.fail(formats.ErrFormat, "a storage whose class is %s", kindOf(t[1]))
	}
	key, ok := t[2].(string)
	if !ok {
		m.fail(formats.ErrFormat, "a storage whose key is %s", kindOf(t[2]))
	}
	n := m.count(t[4], "size of a storage")
	if n > m.in.file.Size/class.size && t[3] != "meta" {
		m.fail(formats.ErrTruncated, "storage %.100q of %d elements of %d bytes; the file has %d bytes", key, n, class.size, m.in.file.Size)
	}
	s := &storage{element: class.element, key: key, noData: t[3] == "meta", pickled: m.at}
	if s.noData {
		return s
	}
	s.bytes = n * class.size
	s.length = s.bytes
	if len(t) == 6 && t[5] != nil {
		view, ok := t[5].(tuple)
		if !ok || len(view) != 3 {
			m.fail(formats.ErrFormat, "a view of storage %.100q that is %s", key, kindOf(t[5]))
		}
		skip, length := m.count(view[1], "offset of a view"), m.count(view[2], "size of a view")
		if skip > n || length > n-skip {
			m.fail(formats.ErrFormat, "offset %d and size %d of a view of storage %.100q, which has %d elements", skip, length, key, n)
		}
		s.skip, s.length = skip*class.size, length*class.size
	}
	if m.storages[key] == nil {
		m.storages[key] = s
	}
	return s
}

// count returns v, which must be a number that is not negative.
func (m *machine) count(v any, what string) int64 {
	n, ok := v.(int64)
	if !ok || n < 0 {
		text := kindOf(v)
		if ok {
			text = strconv.FormatInt(n, 10)
		}
		m.fail(formats.ErrFormat, "the %s is %s", what, text)
	}
	return n
}

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride).
func rebuildTensor(m *machine, args tuple) any {
	m.expect("_rebuild_tensor", args, 4, 4)
	return m.tensor(args, nil, nil)
}

// rebuildTensor2 is _rebuild_tensor_v2, which has requires_grad and
// backward_hooks too, and perhaps the flags of conjugated and negated views.
func rebuildTensor2(m *machine, args tuple) any {
	m.expect("_rebuild_tensor_v2", args, 6, 7)
	return m.tensor(args, nil, args[6:])
}

// rebuildTensor3 is _rebuild_tensor_v3, which gives the number format apart
// from the storage.
func rebuildTensor3(m *machine, args tuple) any {
	m.expect("_rebuild_tensor_v3", args, 7, 8)
	return m.tensor(args, args[6], args[7:])
}

// rebuildParameter returns the function that makes a torch.nn.Parameter, which is
// a tensor like any other; what it says besides is about training.
func rebuildParameter(name string, least, most int) function {
	return func(m *machine, args tuple) any {
		m.expect(name, args, least, most)
		switch args[0].(type) {
		case *tensor, foreign:
			return args[0]
		}
		m.fail(formats.ErrFormat, "a Parameter of %s", kindOf(args[0]))
		return nil
	}
}

// rebuildFromType is _rebuild_from_type_v2(function, type, arguments, state):
// a tensor with attributes, or one of a subclass. The function is one of the
// others; that it might be this one again would be a way to nest calls without
// end.
func rebuildFromType(m *machine, args tuple) any {
	m.expect("_rebuild_from_type_v2", args, 4, 4)
	if m.inner {
		m.fail(formats.ErrFormat, "a call of _rebuild_from_type_v2 by itself")
	}
	m.inner = true
	defer func() { m.inner = false }()
	return m.call(args[0], args[2])
}

func (m *machine) expect(name string, args tuple, least, most int) {
	if len(args) < least || len(args) > most {
		m.fail(formats.ErrFormat, "%s with %d arguments", name, len(args))
	}
}

// tensor returns the tensor of which args are storage, offset, size and stride,
// after checking that it stays within the storage. dtype is nil if its numbers
// are those of the storage.
func (m *machine) tensor(args tuple, dtype any, flags tuple) any {
	s, ok := args[0].(*storage)
	if !ok {
		m.fail(formats.ErrFormat, "a tensor of %s", kindOf(args[0]))
	}
	if s.noData {
		return foreign("tensor without data (of the meta device)")
	}
	t := &tensor{storage: s, element: s.element, pickled: m.at}
	if dtype != nil {
		if t.element, ok = dtype.(element); !ok {
			m.fail(formats.ErrFormat, "a tensor whose number format is %s", kindOf(dtype))
		}
	}
	if what := m.flagged(flags); what != "" {
		return foreign(what)
	}
	t.offset = m.count(args[1], "offset of a tensor")
	sizes, ok1 := args[2].(tuple)
	strides, ok2 := args[3].(tuple)
	if !ok1 || !ok2 || len(sizes) != len(strides) || len(sizes) > maxDims {
		m.fail(formats.ErrFormat, "a tensor whose size is %s of %d dimensions and whose stride is %s of %d",
			kindOf(args[2]), len(sizes), kindOf(args[3]), len(strides))
	}
	for i := range sizes {
		d := m.count(sizes[i], "size of a dimension")
		if int64(int(d)) != d {
			m.fail(formats.ErrFormat, "a dimension of %d", d)
		}
		t.shape = append(t.shape, int(d))
		t.stride = append(t.stride, m.count(strides[i], "stride of a dimension"))
	}
	m.checkBounds(t)
	if t.dtype == formats.Invalid {
		return foreign("tensor of torch." + t.name)
	}
	return t
}

// flagged returns what is special about a tensor with the given metadata: its
// elements are not those of its storage, but their conjugates or negatives.
func (m *machine) flagged(flags tuple) string {
	if len(flags) == 0 || flags[0] == nil {
		return ""
	}
	d, ok := flags[0].(*dict)
	if !ok {
		m.fail(formats.ErrFormat, "a tensor whose metadata are %s", kindOf(flags[0]))
	}
	for _, e := range d.entries {
		if e.value != false {
			return "conjugated or negated view of a tensor"
		}
	}
	return ""
}

// checkBounds ends the run unless the last element of t,
//
//	offset + Σ (shape[i]-1)·stride[i]
//
// lies within the storage.
func (m *machine) checkBounds(t *tensor) {
	n := uint64(1)
	last := uint64(t.offset)
	ok := true
	for i, d := range t.shape {
		if d == 0 {
			n = 0
			break
		}
		hi, span := bits.Mul64(uint64(d-1), uint64(t.stride[i]))
		var carry uint64
		last, carry = bits.Add64(last, span, 0)
		ok = ok && hi == 0 && carry == 0
	}
	if n == 0 {
		if _, err := formats.CheckSize(formats.U8, t.shape); err != nil {
			m.fail(formats.ErrFormat, "%v", err)
		}
		return
	}
	elements := uint64(t.storage.length / t.size)
	if !ok || last >= elements {
		m.fail(formats.ErrFormat, "a tensor with offset %d, size %v and stride %v does not fit its storage %.100q of %d elements",
			t.offset, t.shape, t.stride, t.storage.key, elements)
	}
	for _, d := range t.shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if n = lo; hi != 0 || n > max(elements, maxRepeated/uint64(t.size)) {
			m.fail(formats.ErrUnsupported, "a tensor of size %v and stride %v repeats its storage %.100q of %d elements to more than %d MiB",
				t.shape, t.stride, t.storage.key, elements, maxRepeated>>20)
		}
	}
}

// contiguous reports whether the elements lie side by side in row-major order.
func (t *tensor) contiguous() bool {
	want := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		switch d := int64(t.shape[i]); {
		case d == 0:
			return true
		case d > 1 && t.stride[i] != want:
			return false
		default:
			want *= d
		}
	}
	return true
}

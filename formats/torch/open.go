package torch

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

func init() {
	formats.Register(formats.Format{
		Name: "torch",
		Sniff: func(head []byte) bool {
			return strings.HasPrefix(string(head), localHeader) ||
				len(head) >= 2 && head[0] == opProto && head[1] >= 2 && head[1] <= 5
		},
		Open:   Open,
		Verify: Verify,
	})
}

// A placement says where in the file a storage lies.
type placement func(s *storage) (offset int64, err error)

// Open reads the pickle of a checkpoint and returns the model, which then owns
// f. The tensors stay where they are.
func Open(f *formats.File) (*formats.Model, error) {
	if isArchive(f) {
		return openZip(f)
	}
	return openLegacy(f)
}

func isArchive(f *formats.File) bool {
	var head [len(localHeader)]byte
	n, _ := f.ReadAt(head[:], 0)
	return string(head[:n]) == localHeader
}

func openZip(f *formats.File) (*formats.Model, error) {
	a, err := openArchive(f)
	if err != nil {
		return nil, err
	}
	if err := a.checkKind(); err != nil {
		return nil, err
	}
	pickle := a.records["data.pkl"]
	order, err := a.read("byteorder", 6)
	if err != nil {
		return nil, err
	}
	if o := string(order); o != "" && o != "little" && o != "big" {
		return nil, zipError(a.file, a.records["byteorder"].offset, "record byteorder is %q, neither little nor big", o)
	}
	if err := a.check(context.Background(), pickle); err != nil {
		return nil, err
	}
	m, v, err := run(&input{file: f, record: pickle.name, pos: pickle.offset, end: pickle.offset + pickle.size})
	if err != nil {
		return nil, err
	}
	if m.in.pos != m.in.end {
		return nil, m.in.error(m.in.pos, formats.ErrFormat, "%d bytes behind its end", m.in.end-m.in.pos)
	}
	return model(m, v, a.place, string(order) == "big")
}

// checkKind returns an error unless the archive is one of torch.save.
func (a *archive) checkKind() error {
	refuse := func(kind error, hint, format string, args ...any) error {
		return &formats.Error{Path: a.file.Path, Err: formats.Reasonf(kind, format, args...), Hint: hint}
	}
	pickle, ok := a.records["data.pkl"]
	switch _, script := a.records["constants.pkl"]; {
	case !ok:
		return refuse(formats.ErrFormat, "", "a zip archive without data.pkl: it is no PyTorch checkpoint")
	case script:
		return refuse(formats.ErrUnsupported, "load it with torch.jit.load and save its state_dict()",
			"a TorchScript archive: it is a program with the model's tensors in it")
	case pickle.size > maxPickle:
		return refuse(formats.ErrUnsupported, "", "record %s of %d bytes; %d is the most", pickle.name, pickle.size, maxPickle)
	}
	for _, r := range a.list {
		if r.method != 0 {
			return refuse(formats.ErrUnsupported, "", "zip: record %q is compressed (method %d); those of checkpoints are stored as they are", r.name, r.method)
		}
	}
	return nil
}

// place returns where the record of a storage lies, which must be as long as
// the pickle says.
func (a *archive) place(s *storage) (int64, error) {
	r, ok := a.records["data/"+s.key]
	if !ok {
		return 0, zipError(a.file, s.pickled, "there is no record for storage %.100q", s.key)
	}
	if r.size != s.bytes {
		return 0, zipError(a.file, r.header, "record %q has %d bytes, and the pickle speaks of %d", r.name, r.size, s.bytes)
	}
	return r.offset, nil
}

// model returns the model of what the machine has left.
func model(m *machine, v any, place placement, bigEndian bool) (*formats.Model, error) {
	tensors, meta, err := m.stateDict(v)
	if err != nil {
		return nil, err
	}
	f := m.in.file
	out := &formats.Model{Path: f.Path, Format: "torch", Metadata: meta, Inputs: []*formats.File{f}}
	offsets := make(map[*formats.Tensor]int64, len(tensors))
	for _, n := range tensors {
		start, err := place(n.tensor.storage)
		if err != nil {
			return nil, err
		}
		t := n.tensor.open(n.name, f, start, bigEndian)
		offsets[t] = start + n.tensor.offset*n.tensor.size
		out.Tensors = append(out.Tensors, t)
	}
	slices.SortStableFunc(out.Tensors, func(a, b *formats.Tensor) int { return cmp.Compare(offsets[a], offsets[b]) })
	return out, nil
}

// open returns the tensor as one of a model, its storage being in the file at
// the given offset.
func (t *tensor) open(name string, f *formats.File, start int64, bigEndian bool) *formats.Tensor {
	info := formats.Info{Name: name, DType: t.dtype, Shape: t.shape}
	if info.NumElements() == 0 {
		return formats.NewExtent(info, f, start)
	}
	first := start + t.storage.skip + t.offset*t.size
	swap := 0
	if bigEndian {
		swap = int(t.size)
		if t.dtype == formats.C64 {
			swap = 4 // two numbers
		}
	}
	if t.contiguous() && swap < 2 {
		return formats.NewExtent(info, f, first)
	}
	rest := t.storage.length - t.offset*t.size
	return &formats.Tensor{Info: info, Rows: &strided{
		tail: formats.Extent{File: f, Offset: first, Size: rest, RowBytes: info.RowBytes()},
		size: t.size, swap: swap, shape: t.shape, stride: t.stride,
	}}
}

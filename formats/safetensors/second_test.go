package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
	second "github.com/nlpodyssey/safetensors"
)

// file returns a file with the given header and data.
func file(header, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + data
}

func openBytes(data string) (*formats.Model, error) {
	return formats.OpenReader(formats.NewFile(strings.NewReader(data), int64(len(data)), "hostile.safetensors"))
}

// readSecond reads a file with the other implementation in Go, and returns its
// tensors as this one would have them, by name.
func readSecond(data string) (*formats.Model, error) {
	st, err := second.Deserialize([]byte(data))
	if err != nil {
		return nil, err
	}
	m := &formats.Model{Path: "second", Format: "safetensors"}
	for _, x := range st.Tensors() {
		d, ok := formats.ParseDType(x.TensorView.DType().String())
		if !ok {
			return nil, fmt.Errorf("dtype %v", x.TensorView.DType())
		}
		info := formats.Info{Name: x.Name, DType: d, Shape: []int{}}
		for _, n := range x.TensorView.Shape() {
			info.Shape = append(info.Shape, int(n))
		}
		b := x.TensorView.Data()
		f := formats.NewFile(strings.NewReader(string(b)), int64(len(b)), "second")
		m.Tensors = append(m.Tensors, formats.NewExtent(info, f, 0))
	}
	return m, nil
}

// compareReaders fails the test if the two implementations read data
// differently, apart from what is known: the other one lacks eight number
// formats, refuses keys that it does not know, and goes by encoding/json, which
// lets pass what the format forbids; see TestRefuses.
func compareReaders(t *testing.T, data string) {
	t.Helper()
	ours, err := openBytes(data)
	theirs, err2 := readSecond(data)
	switch {
	case err == nil && err2 == nil:
		formatstest.Same(t, ours, theirs)
	case err == nil && !slices.ContainsFunc(ours.Tensors, lacksSecond) && !hugeEmpty(ours) && !strings.Contains(err2.Error(), "invalid keys"):
		t.Errorf("read here, and refused by the other reader: %v", err2)
	}
}

// lacksSecond reports whether the other implementation does not know the
// tensor's number format, and so refuses the file.
func lacksSecond(x *formats.Tensor) bool {
	_, err := second.ParseDType(x.DType.String())
	return err != nil
}

// hugeEmpty reports whether an empty tensor has dimensions that overflow when
// they are multiplied before the zero is met.
func hugeEmpty(m *formats.Model) bool {
	return slices.ContainsFunc(m.Tensors, func(x *formats.Tensor) bool {
		return slices.Contains(x.Shape, 0) && slices.Max(x.Shape) > 1<<20
	})
}

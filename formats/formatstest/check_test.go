package formatstest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// A recorder keeps the failures of a test instead of failing.
type recorder struct {
	testing.TB
	failures chan string
}

func (r recorder) Helper() {}

func (r recorder) Errorf(format string, args ...any) {
	select {
	case r.failures <- fmt.Sprintf(format, args...):
	default:
	}
}

func (r recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

// failures returns what Check says of a model.
func failures(t *testing.T, m *formats.Model) string {
	r := recorder{t, make(chan string, 1000)}
	formatstest.Check(r, m)
	close(r.failures)
	var all []string
	for f := range r.failures {
		all = append(all, f)
	}
	return strings.Join(all, "\n")
}

// rows is a tensor's data by a function.
type rows func(dst []byte, lo, hi int) error

func (r rows) ReadRows(_ context.Context, dst []byte, lo, hi int) error { return r(dst, lo, hi) }
func (r rows) Scratch(int) int64                                        { return 0 }

// counting gives each row its index.
func counting(dst []byte, lo, hi int) error {
	for i := range dst {
		dst[i] = byte(lo + i/4)
	}
	return nil
}

func model(read func(dst []byte, lo, hi int) error) *formats.Model {
	return &formats.Model{Path: "m", Format: "test", Tensors: []*formats.Tensor{{
		Info: formats.Info{Name: "w", DType: formats.U8, Shape: []int{10, 4}}, Rows: rows(read),
	}}}
}

func TestCheckAcceptsGoodModels(t *testing.T) {
	if f := failures(t, model(counting)); f != "" {
		t.Errorf("a good model fails: %s", f)
	}
	for seed := range uint64(20) {
		formatstest.Check(t, formatstest.Random(rand.New(rand.NewPCG(seed, 0)), 30))
	}
}

func TestCheckFindsBrokenPromises(t *testing.T) {
	file := func(s string) *formats.File { return formats.NewFile(strings.NewReader(s), int64(len(s)), "f") }
	f := file("0123456789")
	bytesAt := func(name string, at int64, n int) *formats.Tensor {
		return formats.NewExtent(formats.Info{Name: name, DType: formats.U8, Shape: []int{n}}, f, at)
	}
	extents := func(t ...*formats.Tensor) *formats.Model {
		return &formats.Model{Path: "m", Format: "test", Tensors: t, Inputs: []*formats.File{f}}
	}
	noInput := extents(bytesAt("a", 0, 4))
	noInput.Inputs = nil
	wrongShape := model(counting)
	wrongShape.Tensors[0].Shape = []int{-1, 4}
	twice := extents(bytesAt("a", 0, 4), bytesAt("a", 4, 4))
	metadata := model(counting)
	metadata.Metadata = formats.Metadata{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}}

	for name, c := range map[string]struct {
		m    *formats.Model
		want string
	}{
		"bytes depend on the division": {model(func(dst []byte, lo, hi int) error {
			err := counting(dst, lo, hi)
			if lo > 0 && len(dst) > 0 {
				dst[0]++
			}
			return err
		}), "differ from the same rows"},
		"errors for some rows": {model(func(dst []byte, lo, hi int) error {
			if lo == 3 {
				return fmt.Errorf("no row 3")
			}
			return counting(dst, lo, hi)
		}), "no row 3"},
		"writes beside its destination": {model(func(dst []byte, lo, hi int) error {
			if len(dst) > 0 { // as only assembly can
				*(*byte)(unsafe.Add(unsafe.Pointer(&dst[0]), len(dst))) = 1
			}
			return counting(dst, lo, hi)
		}), "beside its destination"},
		"two tensors of one name": {twice, "two tensors are called"},
		"wrong order":             {extents(bytesAt("a", 5, 2), bytesAt("b", 0, 2)), "comes after a tensor"},
		"beyond the file":         {extents(bytesAt("a", 8, 4)), "of a file of 10"},
		"unknown input":           {noInput, "not among the model's inputs"},
		"wrong shape":             {wrongShape, "negative dimension"},
		"metadata twice":          {metadata, "twice"},
		"no path":                 {&formats.Model{}, "path"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failures(t, c.m); !strings.Contains(got, c.want) {
				t.Errorf("Check says %q, want %q", got, c.want)
			}
		})
	}
}

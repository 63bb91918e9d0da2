package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/transform"
)

// mkmodel makes a model for a script; see makeModel.
func mkmodel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mkmodel OUT [key=value...] name:dtype:shape[=number[@index]]...")
	}
	ts.Check(makeModel(ts.MkAbs(args[0]), args[1:]...))
}

// makeModel makes a model:
//
//	makeModel(OUT, [key=value…] tensor…)
//
// OUT is a folder, or a file if it ends in .safetensors or .gguf. A tensor is written
// NAME:DTYPE:DIMxDIM, with random numbers from its name, or with =NUMBER after
// it for the same number everywhere, or =NUMBER@INDEX for it in one place. Keys
// are stem (of the files' names), shard (the largest file, in bytes), and
// anything else for the metadata.
func makeModel(out string, args ...string) error {
	m := &formats.Model{Format: "safetensors"}
	var shard int64
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case strings.Contains(key, ":"):
			t, err := makeTensor(key, value)
			if err != nil {
				return fmt.Errorf("%q: %v", arg, err)
			}
			m.Tensors = append(m.Tensors, t)
		case key == "stem":
			m.Stem = value
		case key == "shard":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return err
			}
			shard = n
		default:
			m.Metadata = m.Metadata.With(key, value)
		}
	}
	var l *formats.Layout
	var err error
	switch {
	case strings.HasSuffix(out, ".safetensors"):
		l, err = safetensors.Layout(m)
	case strings.HasSuffix(out, ".gguf"):
		l, err = gguf.Layout(m, gguf.LayoutOptions{})
	default:
		l, err = hf.Layout(m, hf.LayoutOptions{MaxShardSize: shard})
	}
	if err != nil {
		return err
	}
	return transform.Write(context.Background(), l, out, transform.Options{Force: true})
}

func makeTensor(spec, value string) (*formats.Tensor, error) {
	parts := strings.Split(spec, ":")
	if len(parts) != 3 {
		return nil, errors.New("not name:dtype:shape")
	}
	d, ok := formats.ParseDType(parts[1])
	if !ok {
		return nil, errors.New("no such number format")
	}
	info := formats.Info{Name: parts[0], DType: d}
	for _, dim := range strings.Split(parts[2], "x") {
		n, err := strconv.Atoi(dim)
		if err != nil {
			return nil, err
		}
		info.Shape = append(info.Shape, n)
	}
	seed := fnv.New64()
	seed.Write([]byte(info.Name))
	r := rand.New(rand.NewPCG(seed.Sum64(), 0))
	x := make([]float64, info.NumElements())
	for i := range x {
		x[i] = r.NormFloat64()
	}
	if number, at, one := strings.Cut(value, "@"); value != "" {
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, err
		}
		for i := range x {
			if !one || strconv.Itoa(i) == at {
				x[i] = v
			}
		}
	}
	return &formats.Tensor{Info: info, Rows: memory{encode(d, x), info.RowBytes()}}, nil
}

// encode writes numbers in a format, without the product's own kernels where
// these do not go by way of float32.
func encode(d formats.DType, x []float64) []byte {
	b := make([]byte, len(x)*d.BlockBytes())
	f := make([]float32, len(x))
	for i, v := range x {
		f[i] = float32(v)
		switch d {
		case formats.F64:
			binary.LittleEndian.PutUint64(b[8*i:], math.Float64bits(v))
		case formats.I64:
			binary.LittleEndian.PutUint64(b[8*i:], uint64(int64(v)))
		case formats.I32:
			binary.LittleEndian.PutUint32(b[4*i:], uint32(int32(v)))
		case formats.U8, formats.I8:
			b[i] = byte(int(v))
		}
	}
	switch d {
	case formats.F32, formats.F16, formats.BF16, formats.F8_E4M3, formats.F8_E5M2:
		formats.Encoder(d)(b, f)
	}
	return b
}

// memory is a tensor's data in memory.
type memory struct {
	data     []byte
	rowBytes int64
}

func (m memory) ReadRows(_ context.Context, dst []byte, lo, _ int) error {
	copy(dst, m.data[int64(lo)*m.rowBytes:])
	return nil
}

func (m memory) Scratch(int) int64 { return 0 }

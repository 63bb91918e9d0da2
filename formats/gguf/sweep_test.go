package gguf

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// readAll opens a file and reads all of it.
func readAll(data []byte) error {
	m, err := Open(formats.NewFile(bytes.NewReader(data), int64(len(data)), "test.gguf"))
	if err != nil {
		return err
	}
	for _, x := range m.Tensors {
		if err := x.ReadRows(context.Background(), make([]byte, x.NumBytes()), 0, x.NumRows()); err != nil {
			return err
		}
	}
	return nil
}

// Every beginning of a file is an error, unless it has all data and lacks only
// the padding at the end.
func TestTruncated(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version := uint32(1); version <= 3; version++ {
			whole := sample(order, version).b
			end := len(bytes.TrimRight(whole, "\x00"))
			for n := range whole {
				if err := readAll(whole[:n]); (err == nil) != (n >= end) {
					t.Fatalf("v%d %v: %d of %d bytes: %v", version, order, n, len(whole), err)
				}
			}
		}
	}
}

// No bit of a header makes the reader panic, or read what is not there.
func TestFlippedBits(t *testing.T) {
	golden, err := os.ReadFile("../../testdata/gguf/split/toy-00002-of-00003.gguf")
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{sample(binary.LittleEndian, 3).b, sample(binary.BigEndian, 2).b, sample(binary.LittleEndian, 1).b, golden} {
		header := whole[:min(len(whole), 1024)]
		for i := range header {
			for bit := range 8 {
				flipped := slices.Clone(whole)
				flipped[i] ^= 1 << bit
				readAll(flipped) // an error or not: what counts is that it returns
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	for version := uint32(1); version <= 3; version++ {
		f.Add(sample(binary.LittleEndian, version).b)
		f.Add(sample(binary.BigEndian, version).b)
	}
	f.Add(deepArrays(10).b)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Open(formats.NewFile(bytes.NewReader(data), int64(len(data)), "test.gguf"))
		if err != nil {
			return
		}
		var total int64
		for _, x := range m.Tensors {
			total += x.NumBytes()
		}
		if total > int64(len(data)) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(data))
		}
		l, err := Layout(m, LayoutOptions{})
		if err != nil {
			return // a name or key that is too long
		}
		again := build(t, &l.Files[0])
		m2, err := Open(formats.NewFile(bytes.NewReader(again), int64(len(again)), "again.gguf"))
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		l2, err := Layout(m2, LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(build(t, &l2.Files[0]), again) {
			t.Fatal("what was written is written otherwise the second time")
		}
	})
}

// TestFailingReads has every read of a file fail once.
func TestFailingReads(t *testing.T) {
	data, err := os.ReadFile("../../testdata/gguf/quantize/imatrix-tied-f16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	formatstest.Sweep(t, string(data))
}

package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// Every version in every byte order reads as the same model.
func TestVersionsAndByteOrders(t *testing.T) {
	want := contents(t, open(t, sample(binary.LittleEndian, 3)))
	if got := want["half"]; !bytes.Equal(got, []byte{0, 0x3c, 0, 0xbc, 0, 0x40, 0, 0, 0, 0x80, 0xff, 0x7b}) {
		t.Fatalf("half has the bytes % x", got)
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version := uint32(1); version <= 3; version++ {
			t.Run(fmt.Sprintf("v%d/%v", version, order), func(t *testing.T) {
				m := open(t, sample(order, version))
				if d := cmp.Diff(sampleMetadata, m.Metadata); d != "" {
					t.Errorf("metadata (-want +got):\n%s", d)
				}
				var infos []string
				for _, x := range m.Tensors {
					infos = append(infos, x.Name+" "+x.String())
				}
				if d := cmp.Diff([]string{"scalar F32 []", "half F16 [2 3]", "zero F32 [7 0]", "q8 Q8_0 [2 1 32]"}, infos); d != "" {
					t.Errorf("tensors (-want +got):\n%s", d)
				}
				if d := cmp.Diff(want, contents(t, m)); d != "" {
					t.Errorf("data (-want +got):\n%s", d)
				}
				formatstest.Check(t, m)
			})
		}
	}
}

func open(t *testing.T, b *builder) *formats.Model {
	t.Helper()
	m, err := Open(b.file())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Version 1 counted the zero byte that C puts after strings, but not in every
// writer, and an empty string has none to take away.
func TestVersion1Strings(t *testing.T) {
	b := newBuilder(binary.LittleEndian, 1).begin(0, 2)
	b.key("a\x00", typeString).text("b\x00")
	b.key("c", typeString).text("")
	m := open(t, b)
	if d := cmp.Diff(formats.Metadata{{Key: "a", Value: "b"}, {Key: "c", Value: ""}}, m.Metadata); d != "" {
		t.Error(d)
	}
}

// Turning a big-endian block round twice gives the block; once, its numbers lie
// where the little-endian file has them.
func TestSwapEveryFormat(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	for id, d := range dtypes {
		if d == formats.Invalid {
			continue
		}
		n := 3 * d.BlockBytes()
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(g.Uint32())
		}
		once := swapOnce(t, uint32(id), d, data)
		if got := swapOnce(t, uint32(id), d, once); !bytes.Equal(got, data) {
			t.Errorf("%v: swapping twice changes the data", d)
		}
		same := 0
		for i := range data {
			if data[i] == once[i] {
				same++
			}
		}
		if d.BlockLen() == 1 && d.BlockBytes() > 1 && same > n/4 {
			t.Errorf("%v: %d of %d bytes stayed in place", d, same, n)
		}
	}
	// Q4_K has d and dmin at the front, Q6_K has d at the back.
	q4k := make([]byte, 3*144)
	q4k[0], q4k[1], q4k[2], q4k[3], q4k[4] = 1, 2, 3, 4, 5
	if got := swapOnce(t, 12, formats.Q4_K, q4k)[:5]; !bytes.Equal(got, []byte{2, 1, 4, 3, 5}) {
		t.Errorf("Q4_K begins with % x", got)
	}
	q6k := make([]byte, 3*210)
	q6k[207], q6k[208], q6k[209] = 1, 2, 3
	if got := swapOnce(t, 14, formats.Q6_K, q6k)[207:210]; !bytes.Equal(got, []byte{1, 3, 2}) {
		t.Errorf("Q6_K ends with % x", got)
	}
}

// swapOnce reads data as that of a big-endian file, in rows of one block.
func swapOnce(t *testing.T, id uint32, d formats.DType, data []byte) []byte {
	t.Helper()
	b := newBuilder(binary.BigEndian, 3).begin(1, 0)
	b.tensor("x", id, 0, uint64(d.BlockLen()), 3).pad(32).bytes(string(data))
	return contents(t, open(t, b))["x"]
}

func TestAlignment(t *testing.T) {
	for _, a := range []int{1, 8, 32, 64, 4096} {
		b := newBuilder(binary.LittleEndian, 3).begin(2, 1).key(alignmentKey, typeUint32).u32(uint32(a))
		b.tensor("a", 24, 0, 5).tensor("b", 24, uint64(align(5, int64(a))), 3)
		b.pad(a).bytes("aaaaa").pad(a).bytes("bbb")
		m := open(t, b)
		if got := contents(t, m); string(got["a"]) != "aaaaa" || string(got["b"]) != "bbb" {
			t.Errorf("alignment %d: %q", a, got)
		}
		l, err := Layout(m, LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range l.Files[0].Tensors {
			if p.Offset%int64(a) != 0 {
				t.Errorf("alignment %d: %s is written at %d", a, p.Tensor.Name, p.Offset)
			}
		}
		if got := build(t, &l.Files[0]); !bytes.Equal(got, b.pad(a).b) {
			t.Errorf("alignment %d: the file is written otherwise than it was", a)
		}
	}
}

func TestAncestors(t *testing.T) {
	_, err := formats.OpenReader(formats.NewFile(strings.NewReader("tjgg\x03\x00\x00\x00"), 8, "old.bin"))
	if !errors.Is(err, formats.ErrUnsupported) {
		t.Errorf("a GGML file: %v", err)
	}
}

// An array that is as long as the file allows must not cost much more than it.
func TestHeaderMemory(t *testing.T) {
	b := newBuilder(binary.LittleEndian, 3).begin(0, 1).key("a", typeArray).array(typeString, 8000)
	b.bytes(strings.Repeat("\x00", 64000))
	allocated := testing.AllocsPerRun(1, func() { open(t, b) })
	if allocated > 1000 {
		t.Errorf("%v allocations", allocated)
	}
	if m := open(t, b); len(m.Metadata[0].Value.([]string)) != 8000 {
		t.Error("wrong length")
	}
}

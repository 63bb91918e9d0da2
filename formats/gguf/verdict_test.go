package gguf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// verdicts are what the reader of llama.cpp says about the mutants.
type verdicts struct {
	Reader  string // and its version
	Mutants int
	SHA256  string // of all of them, one after the other
	Taken   string // 1 for taken, 0 for refused, x where llama.cpp itself breaks
}

const verdictsFile = "../../testdata/gguf/verdicts.json"

// mutants returns n files that differ from valid ones in a place or two. They
// are always the same.
func mutants(n int) [][]byte {
	seeds := [][]byte{plainSample(32), plainSample(8)}
	r := rand.New(rand.NewPCG(20, 26))
	out := make([][]byte, n)
	for i := range out {
		b := bytes.Clone(seeds[r.IntN(len(seeds))])
		for range 1 + r.IntN(2) {
			b = mutate(r, b)
		}
		out[i] = b
	}
	return out
}

// plainSample returns a file with what llama.cpp reads: no nested arrays.
func plainSample(alignment int) []byte {
	b := newBuilder(binary.LittleEndian, 3).begin(4, 7)
	b.key("general.architecture", typeString).text("llama")
	b.key(alignmentKey, typeUint32).u32(uint32(alignment))
	b.key("u8", typeUint8).bytes("\xc8")
	b.key("f64", typeFloat64).u64(1 << 62)
	b.key("yes", typeBool).bytes("\x01")
	b.key("words", typeArray).array(typeString, 3).text("a").text("").text("bc")
	b.key("ids", typeArray).array(typeInt16, 2).u16(1).u16(2)
	offset := uint64(0)
	for _, t := range []struct {
		name string
		id   uint32
		size int
		dims []uint64
	}{
		{"blk.0.a", 1, 12, []uint64{3, 2}},
		{"blk.0.b", 8, 68, []uint64{32, 1, 2}},
		{"blk.1.a", 24, 5, []uint64{5}},
		{"c", 0, 0, []uint64{4, 0}},
	} {
		b.tensor(t.name, t.id, offset, t.dims...)
		offset += uint64(align(int64(t.size), int64(alignment)))
	}
	b.pad(alignment)
	return append(b.b, make([]byte, offset)...)
}

// interesting are numbers at the edges of types and of what is allowed.
var interesting = []uint64{0, 1, 2, 3, 4, 5, 8, 12, 13, 31, 32, 33, 42, 43, 63, 64, 255, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32,
	1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 32, 1<<64 - 1}

// mutate changes a copy of b in one place.
func mutate(r *rand.Rand, b []byte) []byte {
	if len(b) < 16 {
		return b
	}
	at := r.IntN(len(b) - 8)
	switch r.IntN(8) {
	case 0:
		b[at] ^= 1 << r.IntN(8)
	case 1:
		b[at] = byte(r.Uint32())
	case 2:
		binary.LittleEndian.PutUint32(b[at:], uint32(interesting[r.IntN(len(interesting))]))
	case 3, 4:
		binary.LittleEndian.PutUint64(b[at:], interesting[r.IntN(len(interesting))])
	case 5:
		return b[:r.IntN(len(b)+1)]
	case 6:
		n := 1 + r.IntN(min(40, len(b)-at))
		return append(b[:at:at], b[at+n:]...)
	case 7:
		n := 1 + r.IntN(min(40, len(b)-at))
		return append(b[:at+n:at+n], b[at:]...)
	}
	return b
}

// The reader takes what llama.cpp's takes, and refuses what that refuses, but for
// the differences that knownDifference lists.
func TestSameVerdicts(t *testing.T) {
	data, err := os.ReadFile(verdictsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v verdicts
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	files := mutants(v.Mutants)
	if got := sumOf(files); got != v.SHA256 {
		t.Fatalf("the mutants have SHA-256 %s, the verdicts are about %s", got, v.SHA256)
	}
	taken, different := 0, 0
	for i, b := range files {
		m, err := OpenShard(formats.NewFile(bytes.NewReader(b), int64(len(b)), "mutant"))
		if err == nil {
			taken++
		}
		if (err == nil) == (v.Taken[i] == '1') {
			continue
		}
		if why := knownDifference(m, err, b); why == "" {
			if different++; different <= 10 {
				t.Errorf("mutant %d: llama.cpp says %c, we say %v", i, v.Taken[i], err)
			}
		}
	}
	if different > 10 {
		t.Errorf("and %d more", different-10)
	}
	if taken < v.Mutants/10 || taken > v.Mutants*9/10 {
		t.Errorf("%d of %d mutants are taken: the test says little", taken, v.Mutants)
	}
}

// knownDifference says why the verdicts about a file differ on purpose, or "".
func knownDifference(m *formats.Model, err error, b []byte) string {
	switch {
	case err != nil && strings.Contains(err.Error(), "is too large"):
		return "dimensions that overflow are refused, behind a zero too"
	case err != nil:
		return ""
	case binary.LittleEndian.Uint32(b[4:]) != 3:
		return "versions that llama.cpp has given up are read"
	}
	for _, t := range m.Tensors {
		x := t.Extent()
		if a, _ := Alignment(m.Metadata); align(x.Offset+x.Size, a) > int64(len(b)) {
			return "padding may be missing at the end, where nothing needs it"
		}
	}
	return ""
}

func sumOf(files [][]byte) string {
	h := sha256.New()
	for _, f := range files {
		h.Write(f)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

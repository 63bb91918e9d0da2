package gguf

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// What llama.cpp's test-gguf makes by hand, what its and Ollama's advisories were
// about, and some more. Every file is refused with a reason.
func TestMalformed(t *testing.T) {
	le := func() *builder { return newBuilder(binary.LittleEndian, 3) }
	one := func() *builder { return le().begin(1, 0) }
	pair := func() *builder { return le().begin(0, 1) }
	const huge = 1<<64 - 1
	tests := []struct {
		name string
		b    *builder
		kind error
		want string
	}{
		{"empty", le(), formats.ErrTruncated, "ends within its header"},
		{"four bytes", le().bytes("GGUF"), formats.ErrTruncated, "ends within its header"},
		{"bad magic", le().bytes("GGUX").u32(3).u64(0).u64(0), formats.ErrFormat, "begins with"},
		{"lower-case magic", le().bytes("gguf").u32(3).u64(0).u64(0), formats.ErrFormat, "begins with"},
		{"version 0", newBuilder(binary.LittleEndian, 0).begin(0, 0), formats.ErrFormat, "version 0"},
		{"version 4", newBuilder(binary.LittleEndian, 4).begin(0, 0), formats.ErrUnsupported, "version 4"},
		{"version 4, big-endian", newBuilder(binary.BigEndian, 4).begin(0, 0), formats.ErrUnsupported, "version 4"},
		{"version 0x10001", newBuilder(binary.LittleEndian, 0x10001).begin(0, 0), formats.ErrFormat, "version"},
		{"-1 tensors", le().begin(huge, 0), formats.ErrFormat, "tensors"},
		{"-1 pairs", le().begin(0, huge), formats.ErrFormat, "pairs"},
		{"as many tensors as fit in no file", le().begin(1<<55, 0), formats.ErrTruncated, "ends within its header"},
		{"as many pairs as fit in no file", le().begin(0, 1<<55), formats.ErrTruncated, "ends within its header"},
		{"pairs that are not there", le().begin(0, 2).key("a", typeUint8).bytes("\x01").pad(64), formats.ErrFormat, "empty key"},

		{"key of -1 bytes", pair().u64(huge).pad(64), formats.ErrFormat, "bytes of a key"},
		{"key past the end", pair().u64(100).pad(64), formats.ErrTruncated, "ends within its header"},
		{"empty key", pair().key("", typeUint8).pad(64), formats.ErrFormat, "empty key"},
		{"value type 13", pair().key("a", 13).pad(64), formats.ErrFormat, "value type 13"},
		{"value type -1", pair().key("a", 1<<32-1).pad(64), formats.ErrFormat, "value type"},
		{"key twice", le().begin(0, 2).key("a", typeUint8).bytes("\x01").key("a", typeUint8).bytes("\x02"), formats.ErrFormat, "appears twice"},
		{"string past the end", pair().key("a", typeString).u64(1000).pad(64), formats.ErrTruncated, "ends within its header"},
		{"string of -1 bytes", pair().key("a", typeString).u64(huge).pad(64), formats.ErrFormat, "bytes of a string"},
		{"array of 2^63", pair().key("a", typeArray).array(typeUint8, 1<<63).pad(64), formats.ErrFormat, "array elements"},
		{"array whose size wraps", pair().key("a", typeArray).array(typeUint64, 1<<61+1).pad(64), formats.ErrFormat, "array elements"},
		{"array past the end", pair().key("a", typeArray).array(typeFloat64, 5).pad(64), formats.ErrTruncated, "ends within its header"},
		{"strings past the end", pair().key("a", typeArray).array(typeString, 5).pad(64), formats.ErrTruncated, "ends within its header"},
		{"array of arrays past the end", pair().key("a", typeArray).array(typeArray, 100).pad(64), formats.ErrTruncated, "ends within its header"},
		{"array of unknown type", pair().key("a", typeArray).array(77, 1).pad(64), formats.ErrFormat, "value type 77"},
		{"deep arrays", deepArrays(20_000), formats.ErrFormat, "nested"},

		{"alignment 13", pair().key(alignmentKey, typeUint32).u32(13), formats.ErrFormat, "not a power of two"},
		{"alignment 0", pair().key(alignmentKey, typeUint32).u32(0), formats.ErrFormat, "not a power of two"},
		{"alignment int32", pair().key(alignmentKey, typeInt32).u32(32), formats.ErrFormat, "must be a uint32"},
		{"alignment uint64", pair().key(alignmentKey, typeUint64).u64(32), formats.ErrFormat, "must be a uint32"},
		{"alignment 2^31", le().begin(1, 1).key(alignmentKey, typeUint32).u32(1<<31).tensor("a", 0, 0, 1).pad(64), formats.ErrTruncated, "cut off"},

		{"name of -1 bytes", one().u64(huge).pad(64), formats.ErrFormat, "bytes of a tensor name"},
		{"5 dimensions", one().tensor("a", 0, 0, 1, 1, 1, 1, 1).pad(64), formats.ErrFormat, "5 dimensions"},
		{"2^32-1 dimensions", one().text("a").u32(1<<32 - 1).pad(64), formats.ErrFormat, "dimensions"},
		{"dimension -1", one().tensor("a", 0, 0, huge).pad(64), formats.ErrFormat, "dimension"},
		{"elements overflow", one().tensor("a", 0, 0, 4*math.MaxInt32, 4*math.MaxInt32).pad(64), formats.ErrFormat, "too large"},
		{"elements wrap to 0", one().tensor("a", 0, 0, 1<<32, 1<<32).pad(64), formats.ErrFormat, "too large"},
		{"elements wrap behind a 0", one().tensor("a", 0, 0, 1<<32, 1<<32, 0).pad(64), formats.ErrFormat, "too large"},
		{"bytes overflow", one().tensor("a", 27, 0, 1<<31, 1<<30).pad(64), formats.ErrFormat, "too large"},
		{"padding would wrap", one().tensor("a", 0, 0, 4, 1<<30-1, 1<<30+1).pad(64), formats.ErrFormat, "too large"},
		{"I8 of nearly 2^63", le().begin(2, 0).tensor("a", 24, 0, 0x7fffffffffffffc0).tensor("b", 24, 0x7fffffffffffffc0, 0x7fffffffffffffc0).pad(64), formats.ErrFormat, "too large"},
		{"more data than the file", one().tensor("a", 24, 0, 1<<40).pad(64), formats.ErrTruncated, "cut off"},
		{"number format 43", one().tensor("a", 43, 0, 1).pad(64), formats.ErrFormat, "number format 43"},
		{"removed number format 4", one().tensor("a", 4, 0, 32).pad(64), formats.ErrFormat, "number format 4"},
		{"number format 2^32-1", one().tensor("a", 1<<32-1, 0, 32).pad(64), formats.ErrFormat, "number format"},
		{"rows of half a block", one().tensor("a", 8, 0, 16, 2).pad(128), formats.ErrFormat, "whole blocks"},
		{"scalar of blocks", one().tensor("a", 8, 0).pad(128), formats.ErrFormat, "whole blocks"},
		{"name twice", le().begin(2, 0).tensor("a", 24, 0, 1).tensor("a", 24, 32, 1).pad(256), formats.ErrFormat, "two tensors"},
		{"offset -1", one().tensor("a", 24, huge, 1).pad(128), formats.ErrFormat, "offset"},
		{"offset not aligned", le().begin(2, 0).tensor("a", 24, 0, 1).tensor("b", 24, 8, 1).pad(256), formats.ErrFormat, "not aligned"},
		{"offset of another alignment", le().begin(2, 1).key(alignmentKey, typeUint32).u32(64).tensor("a", 24, 0, 1).tensor("b", 24, 32, 1).pad(512), formats.ErrFormat, "not aligned"},
		{"gap", le().begin(2, 0).tensor("a", 24, 0, 1).tensor("b", 24, 64, 1).pad(512), formats.ErrFormat, "gap"},
		{"overlap", le().begin(2, 0).tensor("a", 24, 0, 64).tensor("b", 24, 32, 1).pad(512), formats.ErrFormat, "overlapping"},
		{"out of order", le().begin(2, 0).tensor("a", 24, 32, 1).tensor("b", 24, 0, 1).pad(512), formats.ErrFormat, "out of order"},
		{"not enough data", one().tensor("a", 24, 0, 33).pad(32).bytes(strings.Repeat("x", 32)), formats.ErrTruncated, "cut off"},

		{"split.no beyond split.count", le().begin(0, 2).key(splitNo, typeUint16).u16(2).key(splitCount, typeUint16).u16(2), formats.ErrFormat, splitNo},
		{"split.count is a string", le().begin(0, 1).key(splitCount, typeString).text("2"), formats.ErrFormat, splitCount},
		{"split.count is negative", le().begin(0, 1).key(splitCount, typeInt32).u32(1<<32 - 1), formats.ErrFormat, splitCount},
		{"lone shard", le().begin(0, 2).key(splitNo, typeUint16).u16(0).key(splitCount, typeUint16).u16(2), formats.ErrMismatch, "shard 1 of 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.b.file())
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Open: %v\nwant an error that is %q and says %q", err, test.kind, test.want)
			}
			if !strings.HasPrefix(err.Error(), "test.gguf: ") {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
}

func deepArrays(n int) *builder {
	b := newBuilder(binary.LittleEndian, 3).begin(0, 1).key("a", typeArray)
	for range n {
		b.array(typeArray, 1)
	}
	return b.array(typeUint8, 0)
}

// Odd files that are valid.
func TestOdd(t *testing.T) {
	le := func() *builder { return newBuilder(binary.LittleEndian, 3) }
	tests := []struct {
		name string
		b    *builder
	}{
		{"nothing at all", le().begin(0, 0)},
		{"metadata only", le().begin(0, 1).key("a", typeUint8).bytes("\x01")},
		{"zero dimension", le().begin(1, 0).tensor("a", 0, 0, 4, 0)},
		{"last tensor not padded", le().begin(1, 0).tensor("a", 24, 0, 33).pad(32).bytes(strings.Repeat("x", 33))},
		{"bytes after the last tensor", le().begin(1, 0).tensor("a", 24, 0, 1).pad(32).pad(4096)},
		{"name of 100 bytes", le().begin(1, 0).tensor(strings.Repeat("n", 100), 24, 0, 1).pad(32).pad(4096)},
		{"name with a zero byte and no UTF-8", le().begin(1, 0).tensor("a\x00/\xff", 24, 0, 1).pad(32).pad(4096)},
		{"unknown architecture", le().begin(0, 1).key("general.architecture", typeString).text("no such thing")},
		{"architecture of another type", le().begin(0, 1).key("general.architecture", typeUint8).bytes("\x01")},
		{"one shard of one", le().begin(0, 2).key(splitNo, typeUint16).u16(0).key(splitCount, typeUint16).u16(1)},
		{"merged by llama-gguf-split", le().begin(0, 2).key(splitNo, typeUint16).u16(0).key(splitCount, typeUint16).u16(0)},
	}
	for _, test := range tests {
		if _, err := Open(test.b.file()); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

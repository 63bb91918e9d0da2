package torch_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
)

// Mutants are checkpoints of which one to three opcodes of the pickle are
// changed. They are the same for the same number, so verdicts on them can be
// kept.

// mutant returns the i-th mutant: an archive, or every fourth time a file of the
// old format.
func mutant(i int) string {
	rng := rand.New(rand.NewPCG(uint64(i), 0x70c4))
	old := i%4 == 3
	m := mutation{rng, opcodes(proto + mutationBase(old) + stop)}
	for range pick(rng, 1, 1, 1, 2, 3) {
		m.change()
	}
	pickle := strings.Join(m.ops, "")
	s0, s1 := floats("0", 6), floats("1", 4)
	if old {
		return legacy(pickle, "]("+str("0")+str("1")+"e",
			"\x06\x00\x00\x00\x00\x00\x00\x00"+s0.data+"\x08\x00\x00\x00\x00\x00\x00\x00"+s1.data)
	}
	return archive(zipRecord{name: "archive/data.pkl", data: pickle}, zipRecord{name: "archive/byteorder", data: "little"},
		s0, s1, zipRecord{name: "archive/version", data: "3\n"})
}

// mutationBase is a state dict with two storages, which tensors share, a view, a
// parameter, an empty tensor, a scalar, and a tensor under two names. The old
// format has a further item in the description of a storage.
func mutationBase(old bool) string {
	storage := func(class, key string, n int64) string {
		s := storageOf(class, key, n)
		if old {
			s = strings.TrimSuffix(s, "tQ") + none + "tQ"
		}
		return s
	}
	s0, s1 := storage("FloatStorage", "0", 6), storage("HalfStorage", "1", 8)
	return orderedDict + "q\x00(" +
		str("a") + tensorOf(s0, 0, nums(2, 3), nums(3, 1)) +
		str("b") + tensorOf(s0, 1, nums(2, 2), nums(1, 3)) + "q\x01" +
		str("c") + call(global("torch._utils", "_rebuild_parameter"), tensorOf(s1, 0, nums(8), nums(1)), "\x88", orderedDict) +
		str("d") + tensorOf(s1, 3, ")", ")") +
		str("e") + tensorOf(s1, 0, nums(0, 4), nums(4, 1)) +
		str("f") + "h\x01" +
		"u}" + str("_metadata") + "}s" + "b"
}

// opcodes divides a pickle.
func opcodes(p string) []string {
	var ops []string
	for len(p) > 0 {
		n := 1
		switch p[0] {
		case 'K', 'q', 'h', 0x80:
			n = 2
		case 'J':
			n = 5
		case 0x8a:
			n = 2 + int(p[1])
		case 'X':
			n = 5 + int(binary.LittleEndian.Uint32([]byte(p[1:])))
		case 'c':
			n = strings.IndexByte(p, '\n') + 1
			n += strings.IndexByte(p[n:], '\n') + 1
		}
		ops = append(ops, p[:n])
		p = p[n:]
	}
	return ops
}

type mutation struct {
	rng *rand.Rand
	ops []string
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// mutationOpcodes are what may be put anywhere.
var mutationOpcodes = []string{
	"N", "\x88", "\x89", "(", "t", ")", "}", "]", "\x85", "\x86", "\x87", "R", "Q", "b", "u", "s", "a", "e", "h\x00", "h\x01", "q\x05", "h\x05",
	"0", "2", "1", "\x81", "G@\x00\x00\x00\x00\x00\x00\x00", "U\x01a", "\x8f", "\x94", stop,
}

// change changes one opcode.
func (m *mutation) change() {
	rng := m.rng
	i := 1 + rng.IntN(len(m.ops)-1)
	switch rng.IntN(12) {
	case 0, 1, 2, 3:
		m.replace("J\x8a", func(string) string {
			return num(pick[int64](rng, 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, -1, -3, 1<<31, 1<<32, 1<<61, 1<<62, 1<<63-1, -1<<63))
		})
	case 4, 5:
		m.replace("c", func(string) string {
			return pick(rng, global("torch", "FloatStorage"), global("torch", "HalfStorage"), global("torch", "DoubleStorage"),
				global("torch", "BFloat16Storage"), global("torch", "ByteStorage"), global("torch.storage", "UntypedStorage"),
				global("torch", "float32"), global("torch._utils", "_rebuild_tensor"), global("torch._utils", "_rebuild_tensor_v3"),
				global("torch._utils", "_rebuild_parameter"), global("torch", "Size"), global("collections", "Counter"),
				global("torch", "Tensor"), global("os", "system"), global("builtins", "set"))
		})
	case 6:
		m.replace("X", func(string) string {
			return str(pick(rng, "0", "1", "2", "storage", "cpu", "meta", "a", "b", "c", "x.y", ""))
		})
	case 7:
		m.ops = slices.Delete(m.ops, i, i+1)
	case 8:
		m.ops = slices.Insert(m.ops, i, m.ops[i])
	case 9:
		j := 1 + rng.IntN(len(m.ops)-1)
		m.ops[i], m.ops[j] = m.ops[j], m.ops[i]
	case 10:
		m.ops = slices.Insert(m.ops, i, pick(rng, mutationOpcodes...))
	case 11:
		m.ops[i] = pick(rng, mutationOpcodes...)
	}
}

// replace replaces an operation that begins with one of the given opcodes.
func (m *mutation) replace(opcodes string, with func(string) string) {
	var all []int
	for i, s := range m.ops {
		if strings.IndexByte(opcodes, s[0]) >= 0 {
			all = append(all, i)
		}
	}
	if len(all) > 0 {
		i := pick(m.rng, all...)
		m.ops[i] = with(m.ops[i])
	}
}

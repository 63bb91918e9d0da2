package torch

import (
	"encoding/binary"
	"math"

	"github.com/loratool/loratool/formats"
)

// Bounds of what a pickle may ask for. A checkpoint takes some 35 opcodes and
// 200 bytes a tensor, and the pickler never has more than 1000 entries of a
// container on the stack at once.
const (
	maxPickle  = 256 << 20 // bytes
	maxOpcodes = 10_000_000
	maxStack   = 1 << 20
	maxMarks   = 200 // nested containers
	maxName    = 4096
)

// A machine runs a pickle. It is iterative: nothing that a pickle does makes it
// nest deeper, since a stack that overflows would end the process.
type machine struct {
	in      *input
	at      int64 // offset of the opcode that runs
	opcodes int
	stack   []any
	marks   []int // heights of the stack
	memo    map[uint32]any

	storages map[string]*storage // as each was first described, by key
	inner    bool                // within a call of rebuildFromType
}

// load runs the pickle that begins at in.pos, up to its STOP, and returns what
// it leaves. The errors carry the byte of the opcode that is at fault.
func load(in *input) (v any, err error) {
	_, v, err = run(in)
	return v, err
}

// run is load for a pickle of which more is of interest than what it leaves.
func run(in *input) (m *machine, v any, err error) {
	m = &machine{in: in, at: in.pos, memo: map[uint32]any{}, storages: map[string]*storage{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *formats.Error:
			v, err = nil, e
		default:
			panic(e)
		}
	}()
	if in.byte() != opProto {
		m.fail(formats.ErrFormat, "it does not begin with its protocol")
	}
	if p := in.byte(); p < 2 || p > 5 {
		m.fail(formats.ErrUnsupported, "protocol %d; 2 to 5 are known", p)
	}
	for {
		m.at = in.pos
		if m.opcodes++; m.opcodes > maxOpcodes {
			m.fail(formats.ErrUnsupported, "more than %d opcodes", maxOpcodes)
		}
		op := in.byte()
		if op == opStop {
			break
		}
		m.step(op)
	}
	v = m.pop()
	if len(m.stack) != 0 || len(m.marks) != 0 {
		m.fail(formats.ErrFormat, "it ends with %d objects that are left over", len(m.stack)+len(m.marks))
	}
	return m, v, nil
}

// fail ends the run with an error about the current opcode.
func (m *machine) fail(kind error, format string, args ...any) {
	m.in.fail(m.at, kind, format, args...)
}

// step carries out one opcode.
func (m *machine) step(op byte) {
	in := m.in
	switch op {
	case opNone:
		m.push(nil)
	case opNewTrue:
		m.push(true)
	case opNewFalse:
		m.push(false)
	case opBinInt:
		m.push(int64(int32(m.uint32())))
	case opBinInt1:
		m.push(int64(in.byte()))
	case opBinInt2:
		m.push(int64(binary.LittleEndian.Uint16(in.take(2))))
	case opLong1:
		m.push(integer(in.take(int64(in.byte()))))
	case opBinFloat:
		m.push(math.Float64frombits(binary.BigEndian.Uint64(in.take(8))))

	case opShortBinUnicode, opShortBinString: // Python 2 has its names as byte strings
		m.push(string(in.take(int64(in.byte()))))
	case opBinUnicode, opBinString:
		m.push(string(in.take(int64(m.uint32()))))
	case opBinUnicode8:
		m.push(string(in.take(m.length8())))
	case opShortBinBytes:
		m.push(byteString(in.take(int64(in.byte()))))
	case opBinBytes:
		m.push(byteString(in.take(int64(m.uint32()))))
	case opBinBytes8, opByteArray8:
		m.push(byteString(in.take(m.length8())))

	case opEmptyTuple:
		m.push(tuple(nil))
	case opTuple1:
		m.push(tuple{m.pop()})
	case opTuple2:
		b, a := m.pop(), m.pop()
		m.push(tuple{a, b})
	case opTuple3:
		c, b, a := m.pop(), m.pop(), m.pop()
		m.push(tuple{a, b, c})
	case opTuple, opFrozenSet:
		m.push(append(tuple(nil), m.popMark()...))
	case opEmptyList, opEmptySet:
		m.push(&list{})
	case opAppend:
		v := m.pop()
		m.extend(v)
	case opAppends, opAddItems:
		m.extend(m.popMark()...)
	case opEmptyDict:
		m.push(&dict{})
	case opSetItem:
		v, k := m.pop(), m.pop()
		m.setItems(k, v)
	case opSetItems:
		m.setItems(m.popMark()...)
	case opMark:
		if len(m.marks) == maxMarks {
			m.fail(formats.ErrFormat, "nested more than %d deep", maxMarks)
		}
		m.marks = append(m.marks, len(m.stack))

	case opBinPut:
		m.memo[uint32(in.byte())] = m.top()
	case opLongBinPut:
		m.memo[m.uint32()] = m.top()
	case opMemoize:
		m.memo[uint32(len(m.memo))] = m.top()
	case opBinGet:
		m.recall(uint32(in.byte()))
	case opLongBinGet:
		m.recall(m.uint32())

	case opGlobal:
		module := in.line()
		m.push(m.global(module, in.line()))
	case opStackGlobal:
		name, module := m.popString(), m.popString()
		m.push(m.global(module, name))
	case opReduce, opNewObj:
		args, f := m.pop(), m.pop()
		m.push(m.call(f, args))
	case opBuild:
		m.build(m.pop())
	case opBinPersID:
		m.push(m.storage(m.pop()))
	case opFrame:
		if n := m.length8(); n > in.end-in.pos {
			m.fail(formats.ErrFormat, "a frame of %d bytes where %d are left", n, in.end-in.pos)
		}
	default:
		m.fail(formats.ErrUnsupported, "opcode %#02x is not allowed: checkpoints don't need it", op)
	}
}

func (m *machine) uint32() uint32 { return binary.LittleEndian.Uint32(m.in.take(4)) }

// length8 returns a length of eight bytes; one that is too large is negative or
// more than any input has, which take refuses.
func (m *machine) length8() int64 { return int64(binary.LittleEndian.Uint64(m.in.take(8))) }

// integer returns the value of a two's complement, little-endian number.
func integer(b []byte) any {
	if len(b) > 8 {
		return longInt(b)
	}
	var v int64
	for i, c := range b {
		v |= int64(c) << (8 * i)
	}
	shift := 64 - 8*len(b)
	return v << shift >> shift
}

func (m *machine) push(v any) {
	if len(m.stack) == maxStack {
		m.fail(formats.ErrFormat, "more than %d objects on the stack", maxStack)
	}
	m.stack = append(m.stack, v)
}

// top returns the last object above the last mark.
func (m *machine) top() any {
	bottom := 0
	if len(m.marks) > 0 {
		bottom = m.marks[len(m.marks)-1]
	}
	if len(m.stack) == bottom {
		m.fail(formats.ErrFormat, "the stack is empty")
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() any {
	v := m.top()
	m.stack = m.stack[:len(m.stack)-1]
	return v
}

// popMark removes the last mark and returns the objects above it. They are
// valid until the next push.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		m.fail(formats.ErrFormat, "there is no mark on the stack")
	}
	bottom := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[bottom:]
	m.stack = m.stack[:bottom]
	return items
}

func (m *machine) popString() string {
	v := m.pop()
	s, ok := v.(string)
	if !ok || len(s) > maxName {
		m.fail(formats.ErrFormat, "%s where a name was expected", kindOf(v))
	}
	return s
}

func (m *machine) recall(i uint32) {
	v, ok := m.memo[i]
	if !ok {
		m.fail(formats.ErrFormat, "nothing is memorized as %d", i)
	}
	m.push(v)
}

func (m *machine) extend(items ...any) {
	l, ok := m.top().(*list)
	if !ok {
		m.fail(formats.ErrFormat, "items for %s; only lists and sets take them", kindOf(m.top()))
	}
	l.items = append(l.items, items...)
}

func (m *machine) setItems(items ...any) {
	d, ok := m.top().(*dict)
	if !ok {
		m.fail(formats.ErrFormat, "entries for %s; only dicts take them", kindOf(m.top()))
	}
	if len(items)%2 != 0 {
		m.fail(formats.ErrFormat, "a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		if !d.set(items[i], items[i+1]) {
			m.fail(formats.ErrFormat, "key %.100q appears twice", items[i])
		}
	}
}

// build gives the object on top of the stack its attributes. Only an
// OrderedDict has any, and they are of no use here: a module's _metadata.
func (m *machine) build(state any) {
	d, ok := m.top().(*dict)
	if _, isDict := state.(*dict); !ok || !d.ordered || !isDict {
		m.fail(formats.ErrUnsupported, "a state for %s is not allowed: only for an OrderedDict", kindOf(m.top()))
	}
}

package gguf

import (
	"math"

	"github.com/loratool/loratool/formats"
)

// A valueType is the type of a metadata value, by the identifier that files use.
type valueType uint32

const (
	typeUint8 valueType = iota
	typeInt8
	typeUint16
	typeInt16
	typeUint32
	typeInt32
	typeFloat32
	typeBool
	typeString
	typeArray
	typeUint64
	typeInt64
	typeFloat64

	numValueTypes
)

// valueSizes are the sizes of values in bytes; the least one where it varies.
var valueSizes = [numValueTypes]int64{1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8}

// minSize returns the least number of bytes that a value can take.
func (s *scanner) minSize(t valueType) int64 {
	if s.v1 && (t == typeString || t == typeArray) {
		return valueSizes[t] - 4
	}
	return valueSizes[t]
}

// maxDepth is how deep arrays may be nested in arrays. The format allows it, no
// program is known to do it.
const maxDepth = 8

// valueType reads the identifier of a type.
func (s *scanner) valueType() valueType {
	at := s.pos
	t := valueType(s.u32())
	if s.err == nil && t >= numValueTypes {
		s.fail(at, formats.ErrFormat, "value type %d, but there are only 0 to %d", t, numValueTypes-1)
		return 0
	}
	return t
}

// value reads a value of the given type, as formats.KeyValue describes it.
func (s *scanner) value(t valueType) any {
	switch t {
	case typeUint8:
		return s.u8()
	case typeInt8:
		return s.i8()
	case typeUint16:
		return s.u16()
	case typeInt16:
		return s.i16()
	case typeUint32:
		return s.u32()
	case typeInt32:
		return s.i32()
	case typeFloat32:
		return s.f32()
	case typeBool:
		return s.boolean()
	case typeString:
		return s.str()
	case typeArray:
		return s.array(0)
	case typeUint64:
		return s.u64()
	case typeInt64:
		return s.i64()
	}
	return s.f64()
}

func (s *scanner) u8() uint8     { return s.next(1)[0] }
func (s *scanner) i8() int8      { return int8(s.next(1)[0]) }
func (s *scanner) u16() uint16   { return s.order.Uint16(s.next(2)) }
func (s *scanner) i16() int16    { return int16(s.u16()) }
func (s *scanner) u32() uint32   { return s.order.Uint32(s.next(4)) }
func (s *scanner) i32() int32    { return int32(s.u32()) }
func (s *scanner) u64() uint64   { return s.order.Uint64(s.next(8)) }
func (s *scanner) i64() int64    { return int64(s.u64()) }
func (s *scanner) f32() float32  { return math.Float32frombits(s.u32()) }
func (s *scanner) f64() float64  { return math.Float64frombits(s.u64()) }
func (s *scanner) boolean() bool { return s.u8() != 0 }
func (s *scanner) str() string   { return s.text("bytes of a string") }

// array reads the elements' type, their number, and the elements.
func (s *scanner) array(depth int) any {
	if depth == maxDepth {
		s.fail(s.pos, formats.ErrFormat, "arrays nested more than %d deep", maxDepth)
		return nil
	}
	t := s.valueType()
	n := s.count(s.minSize(t), "array elements")
	switch t {
	case typeUint8:
		return elements(s, n, s.u8)
	case typeInt8:
		return elements(s, n, s.i8)
	case typeUint16:
		return elements(s, n, s.u16)
	case typeInt16:
		return elements(s, n, s.i16)
	case typeUint32:
		return elements(s, n, s.u32)
	case typeInt32:
		return elements(s, n, s.i32)
	case typeFloat32:
		return elements(s, n, s.f32)
	case typeBool:
		return elements(s, n, s.boolean)
	case typeString:
		return elements(s, n, s.str)
	case typeUint64:
		return elements(s, n, s.u64)
	case typeInt64:
		return elements(s, n, s.i64)
	case typeFloat64:
		return elements(s, n, s.f64)
	}
	return elements(s, n, func() any { return s.array(depth + 1) })
}

// elements reads n values of one type. The slice grows as they come, so that a
// number that lies costs no memory.
func elements[T any](s *scanner, n int64, read func() T) []T {
	out := make([]T, 0, min(n, 4096))
	for range n {
		v := read()
		if s.err != nil {
			break
		}
		out = append(out, v)
	}
	return out
}

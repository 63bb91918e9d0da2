package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/loratool/loratool/formats"
)

// version is the one that is written.
const version = 3

// maxName is the greatest length of a tensor's name that llama.cpp reads.
const maxName = 63

// maxKey is the greatest length of a key that the format allows.
const maxKey = 65535

// An encoder appends what a header consists of, as a scanner reads it.
type encoder struct {
	buf []byte
}

func (e *encoder) u32(v uint32) { e.buf = binary.LittleEndian.AppendUint32(e.buf, v) }
func (e *encoder) u64(v uint64) { e.buf = binary.LittleEndian.AppendUint64(e.buf, v) }

func (e *encoder) text(s string) {
	e.u64(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// pad appends zeros up to a multiple of alignment.
func (e *encoder) pad(alignment int64) {
	e.buf = append(e.buf, make([]byte, align(int64(len(e.buf)), alignment)-int64(len(e.buf)))...)
}

// begin appends magic, version and counts.
func (e *encoder) begin(numTensors, numPairs int) {
	e.buf = append(e.buf, magic...)
	e.u32(version)
	e.u64(uint64(numTensors))
	e.u64(uint64(numPairs))
}

// pair appends a key and its value.
func (e *encoder) pair(kv formats.KeyValue) error {
	if kv.Key == "" || len(kv.Key) > maxKey {
		return formats.Reasonf(formats.ErrUnsupported, "a key of %d bytes; they have from 1 to %d", len(kv.Key), maxKey)
	}
	e.text(kv.Key)
	t, ok := typeOf(kv.Value)
	if !ok {
		return fmt.Errorf("gguf: the metadata value of %q has type %T", kv.Key, kv.Value)
	}
	e.u32(uint32(t))
	return e.value(kv.Value)
}

// tensor appends a tensor's description. offset is that of its data from the
// beginning of all data.
func (e *encoder) tensor(info *formats.Info, offset int64) {
	id, _ := dtypeID(info.DType) // checkTensor has
	e.text(info.Name)
	e.u32(uint32(max(1, len(info.Shape))))
	for i := len(info.Shape) - 1; i >= 0; i-- {
		e.u64(uint64(info.Shape[i]))
	}
	if len(info.Shape) == 0 {
		e.u64(1)
	}
	e.u32(id)
	e.u64(uint64(offset))
}

// tensorBytes returns how many bytes a description takes.
func tensorBytes(info *formats.Info) int64 {
	return int64(8 + len(info.Name) + 4 + 8*max(1, len(info.Shape)) + 4 + 8)
}

// typeOf returns the type that a value is written as.
func typeOf(v any) (valueType, bool) {
	switch v.(type) {
	case uint8:
		return typeUint8, true
	case int8:
		return typeInt8, true
	case uint16:
		return typeUint16, true
	case int16:
		return typeInt16, true
	case uint32:
		return typeUint32, true
	case int32:
		return typeInt32, true
	case float32:
		return typeFloat32, true
	case bool:
		return typeBool, true
	case string:
		return typeString, true
	case uint64:
		return typeUint64, true
	case int64:
		return typeInt64, true
	case float64:
		return typeFloat64, true
	case []uint8, []int8, []uint16, []int16, []uint32, []int32, []float32, []bool, []string, []uint64, []int64, []float64, []any:
		return typeArray, true
	}
	return 0, false
}

// value appends a value without its type.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case uint8:
		e.buf = append(e.buf, v)
	case int8:
		e.buf = append(e.buf, byte(v))
	case uint16:
		e.buf = binary.LittleEndian.AppendUint16(e.buf, v)
	case int16:
		e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(v))
	case uint32:
		e.u32(v)
	case int32:
		e.u32(uint32(v))
	case float32:
		e.u32(math.Float32bits(v))
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		e.buf = append(e.buf, b)
	case string:
		e.text(v)
	case uint64:
		e.u64(v)
	case int64:
		e.u64(uint64(v))
	case float64:
		e.u64(math.Float64bits(v))
	default:
		return e.array(v)
	}
	return nil
}

func (e *encoder) array(v any) error {
	switch v := v.(type) {
	case []uint8:
		return encodeAll(e, typeUint8, v)
	case []int8:
		return encodeAll(e, typeInt8, v)
	case []uint16:
		return encodeAll(e, typeUint16, v)
	case []int16:
		return encodeAll(e, typeInt16, v)
	case []uint32:
		return encodeAll(e, typeUint32, v)
	case []int32:
		return encodeAll(e, typeInt32, v)
	case []float32:
		return encodeAll(e, typeFloat32, v)
	case []bool:
		return encodeAll(e, typeBool, v)
	case []string:
		return encodeAll(e, typeString, v)
	case []uint64:
		return encodeAll(e, typeUint64, v)
	case []int64:
		return encodeAll(e, typeInt64, v)
	case []float64:
		return encodeAll(e, typeFloat64, v)
	case []any:
		for i := range v {
			if t, ok := typeOf(v[i]); !ok || t != typeArray {
				return fmt.Errorf("gguf: an array of arrays has an element of type %T", v[i])
			}
		}
		return encodeAll(e, typeArray, v)
	}
	return fmt.Errorf("gguf: metadata of type %T", v)
}

func encodeAll[T any](e *encoder, t valueType, v []T) error {
	e.u32(uint32(t))
	e.u64(uint64(len(v)))
	for i := range v {
		if err := e.value(v[i]); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"fmt"
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// tables are constants in the data section, each of them there once.
type tables map[string]Mem

var data = tables{}

func (t tables) floats(name string, values []float32) Mem {
	bits := make([]uint32, len(values))
	for i, v := range values {
		bits[i] = math.Float32bits(v)
	}
	return t.ints(name, bits...)
}

// all is x sixteen times.
func (t tables) all(x uint32) Mem {
	return t.ints(fmt.Sprintf("all%x", x), slices.Repeat([]uint32{x}, 16)...)
}

func (t tables) ints(name string, values ...uint32) Mem {
	if m, ok := t[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i, v := range values {
		DATA(4*i, U32(v))
	}
	t[name] = m
	return m
}

// longs are words of 64 bits, low half first.
func (t tables) longs(name string, values ...uint64) Mem {
	var words []uint32
	for _, v := range values {
		words = append(words, uint32(v), uint32(v>>32))
	}
	return t.ints(name, words...)
}

// bytes16 are whole numbers as signed bytes.
func (t tables) bytes16(name string, values [16]float32) Mem {
	var words [4]uint32
	for i, v := range values {
		words[i/4] |= uint32(uint8(int8(v))) << (8 * (i % 4))
	}
	return t.ints(name, words[:]...)
}

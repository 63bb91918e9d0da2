// Package simd has the parts of vector kernels that are the same in all of them:
// the loop over arrays, its rest, and constants.
package simd

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Func starts a function of the kernels package. doc is its comment in the stubs.
func Func(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

// An Array is a pointer that moves along a slice.
type Array struct {
	Base Register
	Size int // bytes of an element
}

// Slice loads the base of the slice parameter of that name.
func Slice(name string, size int) Array {
	return Array{Load(Param(name).Base(), GP64()), size}
}

// Len loads the length of the slice parameter of that name.
func Len(name string) Register { return Load(Param(name).Len(), GP64()) }

// At returns the memory from i elements behind the pointer.
func (a Array) At(i int) Mem { return Mem{Base: a.Base}.Offset(i * a.Size) }

// Blocks emits a loop over n elements, lanes at a time, for as long as there are
// that many: first unroll blocks in a go, then one by one. body emits the work on
// the block that starts i elements behind the pointers of the arrays. At the end n
// is what is left, less than lanes, and the arrays point there.
func Blocks(n Register, lanes, unroll int, arrays []Array, body func(i int)) {
	blocks("blocks", "single", n, lanes, unroll, arrays, body)
	blocks("single", "rest", n, lanes, 1, arrays, body)
	Label("rest")
}

func blocks(loop, next string, n Register, lanes, times int, arrays []Array, body func(i int)) {
	step := times * lanes
	Label(loop)
	CMPQ(n, U32(step))
	JL(LabelRef(next))
	for i := range times {
		body(i * lanes)
	}
	for _, a := range arrays {
		ADDQ(U32(step*a.Size), a.Base)
	}
	SUBQ(U32(step), n)
	JMP(LabelRef(loop))
}

// Masked is Blocks for AVX-512, with the elements that are left at the end in one
// more block of which the mask k has only the n lowest bits set. k is nil for whole
// blocks.
func Masked(n Register, lanes, unroll int, arrays []Array, body func(i int, k Register)) {
	Blocks(n, lanes, unroll, arrays, func(i int) { body(i, nil) })
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Comment("the lowest n bits")
	MOVQ(n, RCX)
	ones := GP64()
	MOVQ(U32(1), ones)
	SHLQ(CL, ones)
	DECQ(ones)
	k := K()
	KMOVQ(ones, k)
	body(0, k)
	Label("done")
}

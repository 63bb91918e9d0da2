// Command grid generates the search for points of a codebook, the heart of the IQ2
// and IQ3 quantizers.
//
// The trials of a sub-block are independent of each other until they are compared, so
// that eight of them go side by side wherever the order of sums matters. Between
// that, each trial's neighbours are searched eight at a time: the terms of all sums
// are the same few, one a value and level, so they are computed once into registers,
// and a neighbour's packed levels are the indices of in-register look-ups.
package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	gridTry(grid{dims: 4, radix: 8, bits: 3})
	gridTry(grid{dims: 8, radix: 3, bits: 2})
	nearest8(grid{dims: 8, radix: 3, bits: 2})
	Generate()
}

// Offsets in iqBlock, whose trials field is a gridTrials.
const (
	xAt       = 0
	wAt       = 128
	rootAt    = 256
	inverseAt = 384
	scaleAt   = 512
	sumXQAt   = 640
	sumQ2At   = 768
	cellsAt   = 896
	pointsAt  = 1920

	trialsRow = 128 // bytes of a row of trials
)

// The fields of an entry of codebook.cells for a cell without a point.
const (
	listLen   = 1<<10 - 1
	listShift = 10
	listChunk = 1<<21 - 1
)

// A grid is the shape of a codebook.
type grid struct{ dims, radix, bits int }

func gridTry(k grid) {
	name := map[int]string{4: "gridTry4AVX2", 8: "gridTry8AVX2"}[k.dims]
	simd.Func(name, "func(s *float32, cells *uint32, near *uint16, n, trials int)",
		fmt.Sprintf("%s is gridTryGeneric for groups of %d values. s is the x of an iqBlock, cells and near", name, k.dims),
		"are those of the codebook.")
	s := Load(Param("s"), GP64())
	cells := Load(Param("cells"), GP64())
	near := Load(Param("near"), GP64())
	end := Load(Param("n"), GP64())
	LEAQ(Mem{Base: s, Index: end, Scale: 4}, end)
	left := Load(Param("trials"), GP64())
	at := GP64()
	MOVQ(s, at)

	Label("trials")
	lanes := GP64()
	MOVQ(U32(8), lanes)
	CMPQ(left, lanes)
	CMOVQLT(left, lanes)
	zero := YMM()
	VXORPS(zero, zero, zero)
	VMOVUPS(zero, Mem{Base: at}.Offset(sumXQAt))
	VMOVUPS(zero, Mem{Base: at}.Offset(sumQ2At))
	group, row := GP64(), GP64()
	MOVQ(s, group)
	MOVQ(at, row)

	Label("groups")
	k.round(at, group, row)
	k.choose(cells, near, at, group, row, lanes)
	k.add(at, group, row)
	ADDQ(U32(4*k.dims), group)
	ADDQ(U32(trialsRow), row)
	CMPQ(group, end)
	JNE(LabelRef("groups"))

	ADDQ(U32(32), at)
	SUBQ(U32(8), left)
	JG(LabelRef("trials"))
	VZEROUPPER()
	RET()
}

// round stores the cells of a group in 8 trials.
func (k grid) round(at, group, row Register) {
	Comment("The cells that the group rounds to, a lane a trial.")
	inverse, cell, zero := YMM(), YMM(), YMM()
	VMOVUPS(Mem{Base: at}.Offset(inverseAt), inverse)
	one, half, magic := float(1), float(0.5), float(0x1.8p23)
	mantissa, bias, top := word(0x7fffff), word(0x400000), word(uint32(k.radix-1))
	VPXOR(zero, zero, zero)
	for i := k.dims - 1; i >= 0; i-- {
		v := YMM()
		VBROADCASTSS(Mem{Base: group}.Offset(xAt+4*i), v)
		VMULPS(inverse, v, v)
		VSUBPS(one, v, v)
		VMULPS(half, v, v)
		VADDPS(magic, v, v)
		VPAND(mantissa, v, v)
		VPSUBD(bias, v, v)
		VPMAXSD(zero, v, v)
		VPMINSD(top, v, v)
		switch {
		case i == k.dims-1:
			cell = v
		case k.radix == 3:
			VPADDD(cell, v, v)
			VPADDD(cell, cell, cell)
			VPADDD(v, cell, cell)
		default: // 8
			VPSLLD(U8(3), cell, cell)
			VPOR(v, cell, cell)
		}
	}
	VMOVDQU(cell, Mem{Base: row}.Offset(cellsAt))
}

// choose stores the points of a group in each of the trials.
func (k grid) choose(cells, near, at, group, row, lanes Register) {
	Comment("The points, one trial after the other.")
	lane, c := GP64(), GP64()
	XORQ(lane, lane)
	Label("lanes")
	MOVL(Mem{Base: row, Index: lane, Scale: 4}.Offset(cellsAt), c.As32())
	MOVL(Mem{Base: cells, Index: c, Scale: 4}, c.As32())
	TESTL(c.As32(), c.As32())
	JNS(LabelRef("chosen"))

	value := YMM()
	VBROADCASTSS(Mem{Base: at, Index: lane, Scale: 4}.Offset(scaleAt), value)
	VMULPS(k.odd(), value, value)
	list, length := GP64(), GP64()
	MOVL(c.As32(), list.As32())
	SHRL(U8(listShift), list.As32())
	ANDL(U32(listChunk), list.As32())
	SHLQ(U8(4), list)
	ADDQ(near, list)
	MOVL(c.As32(), length.As32())
	ANDL(U32(listLen), length.As32())
	k.search(value, Mem{Base: group}.Offset(xAt), Mem{Base: group}.Offset(rootAt), list, length, c)

	Label("chosen")
	MOVL(c.As32(), Mem{Base: row, Index: lane, Scale: 4}.Offset(pointsAt))
	INCQ(lane)
	CMPQ(lane, lanes)
	JNE(LabelRef("lanes"))
}

// search sets point to the packed point in the list that is best for the values x of
// importance w.
func (k grid) search(value VecVirtual, x, w Mem, list, length, point GPVirtual) {
	Comment("The terms of the errors: for each value, by level.")
	terms := make([]VecVirtual, k.dims)
	for i := range terms {
		d, t := YMM(), YMM()
		VBROADCASTSS(x.Offset(4*i), t)
		VSUBPS(t, value, d)
		VBROADCASTSS(w.Offset(4*i), t)
		VMULPS(d, t, t)
		VMULPS(d, t, t)
		terms[i] = t
	}

	Comment("The first 8 neighbours.")
	points, best := YMM(), YMM()
	most := float(math.MaxFloat32)
	VPMOVZXWD(Mem{Base: list}, points)
	sum := k.errors(points, terms)
	VMINPS(most, sum, best) // most if sum is NaN
	SUBL(U8(8), length.As32())
	JG(LabelRef("more"))
	least := allLanes(best, VMINPS)
	VCMPPS(U8(0), least, best, best)
	first := GP32()
	VMOVMSKPS(best, first)
	TZCNTL(first, first)
	MOVWLZX(Mem{Base: list, Index: first, Scale: 2}, point.As32())
	JMP(LabelRef("found"))

	Comment("The others. Above its point a lane keeps the point's place in the list.")
	Label("more")
	place := YMM()
	VMOVDQU(places(), place)
	VPOR(place, points, points)
	Label("chunks")
	ADDQ(U8(16), list)
	VPADDD(word(8<<16), place, place)
	next := YMM()
	VPMOVZXWD(Mem{Base: list}, next)
	sum = k.errors(next, terms)
	VPOR(place, next, next)
	less := YMM()
	VCMPPS(U8(1), best, sum, less)
	VBLENDVPS(less, sum, best, best)
	VBLENDVPS(less, next, points, points)
	SUBL(U8(8), length.As32())
	JG(LabelRef("chunks"))
	least = allLanes(best, VMINPS)
	VCMPPS(U8(4), least, best, best) // not equal
	VPOR(best, points, points)
	VMOVD(allLanes(points, VPMINUD).AsX(), point.As32())
	MOVWLZX(point.As16(), point.As32())
	Label("found")
}

// nearest8 is the search alone, for values that are no multiples of a scale.
func nearest8(k grid) {
	simd.Func("nearest8AVX2", "func(list *uint16, length int, x, w, value *float32) uint32",
		"nearest8AVX2 is nearest8Generic for a list of that length.")
	list, length := GP64(), GP64()
	Load(Param("list"), list)
	Load(Param("length"), length)
	x, w, levels := Load(Param("x"), GP64()), Load(Param("w"), GP64()), Load(Param("value"), GP64())
	value, point := YMM(), GP64()
	VBROADCASTF128(Mem{Base: levels}, value)
	k.search(value, Mem{Base: x}, Mem{Base: w}, list, length, point)
	VZEROUPPER()
	Store(point.As32(), ReturnIndex(0))
	RET()
}

// errors returns the sums of the terms that 8 packed points select.
func (k grid) errors(points VecVirtual, terms []VecVirtual) VecVirtual {
	sum := YMM()
	k.lookUp(points, terms[0], sum)
	for i, t := range terms[1:] {
		index := YMM()
		VPSRLD(U8((i+1)*k.bits), points, index)
		k.lookUp(index, t, index)
		VADDPS(index, sum, sum)
	}
	return sum
}

// lookUp takes each lane from the place in table that the lowest bits of index say.
func (k grid) lookUp(index, table, v VecVirtual) {
	if k.bits == 3 {
		VPERMPS(table, index, v)
	} else {
		VPERMILPS(index, table, v) // table is the same in both halves
	}
}

// allLanes reduces v by op, an associative and commutative instruction, into every lane.
func allLanes(v VecVirtual, op func(ops ...Op)) VecVirtual {
	w, r := YMM(), YMM()
	VPERM2F128(U8(1), v, v, w)
	op(w, v, r)
	for _, shuffle := range []uint8{0b01_00_11_10, 0b10_11_00_01} {
		VPERMILPS(U8(shuffle), r, w)
		op(w, r, r)
	}
	return r
}

// add adds a group to the sums of 8 trials, in the order of its values.
func (k grid) add(at, group, row Register) {
	Comment("The sums, a lane a trial.")
	points, odd := YMM(), YMM()
	VMOVDQU(Mem{Base: row}.Offset(pointsAt), points)
	VMOVUPS(k.odd(), odd)
	xq, q2 := YMM(), YMM()
	VMOVUPS(Mem{Base: at}.Offset(sumXQAt), xq)
	VMOVUPS(Mem{Base: at}.Offset(sumQ2At), q2)
	for i := range k.dims {
		q, w, t := YMM(), YMM(), YMM()
		if i == 0 {
			k.lookUp(points, odd, q)
		} else {
			VPSRLD(U8(i*k.bits), points, q)
			k.lookUp(q, odd, q)
		}
		VBROADCASTSS(Mem{Base: group}.Offset(wAt+4*i), w)
		VBROADCASTSS(Mem{Base: group}.Offset(xAt+4*i), t)
		VMULPS(w, t, t)
		VMULPS(q, t, t)
		VADDPS(t, xq, xq)
		VMULPS(q, w, w)
		VMULPS(q, w, w)
		VADDPS(w, q2, q2)
	}
	VMOVUPS(xq, Mem{Base: at}.Offset(sumXQAt))
	VMOVUPS(q2, Mem{Base: at}.Offset(sumQ2At))
}

// odd holds 1, 3, 5 … by level.
func (k grid) odd() Mem {
	return table("gridOdd", k.bits, func(i int) uint32 { return math.Float32bits(float32(2*(i&(1<<k.bits-1)) + 1)) })
}

// places holds the numbers of the lanes, where a packed point leaves room.
func places() Mem { return table("gridPlaces", 0, func(i int) uint32 { return uint32(i) << 16 }) }

func float(x float32) Mem { return word(math.Float32bits(x)) }

func word(x uint32) Mem { return table("grid", int(x), func(int) uint32 { return x }) }

var tables = map[string]Mem{}

// table returns a constant of 8 lanes. It is emitted once.
func table(name string, variant int, value func(i int) uint32) Mem {
	name = fmt.Sprintf("%s%x", name, variant)
	m, ok := tables[name]
	if !ok {
		m = GLOBL(name, attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, U32(value(i)))
		}
		tables[name] = m
	}
	return m
}

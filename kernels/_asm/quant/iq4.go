package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// The values of the levels of IQ4_NL and IQ4_XS, and where on the next is nearer.
var (
	iq4Values  = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}
	iq4Middles = [15]float32{-115.5, -93.5, -74, -57, -42, -28.5, -16, -4.5, 7, 19, 31.5, 45.5, 61, 79, 101}
)

// A nearestIQ4 finds the nearest of 16 values to every lane of a vector, and returns
// what a table has for it.
type nearestIQ4 interface {
	of(x VecVirtual) VecVirtual
}

// bucketsIQ4 is for AVX-512: x falls into one of 32 buckets of equal width, so placed
// that none has more than one middle in it, nor any near its ends, where rounding
// decides which bucket it is. A look-up gives the middle and what is on its two sides.
type bucketsIQ4 struct {
	perBucket, shift, magic VecVirtual
	middle, below, above    [2]VecVirtual
	greatest                VecVirtual // if numbers may lie beyond the buckets
}

const (
	bucketWidth = 11.4
	bucketStart = 7.524 // the middle of bucket 0
)

// newBucketsIQ4 looks results up in table, which has one for each value.
func newBucketsIQ4(name string, table [16]float32, limit bool) *bucketsIQ4 {
	v := avx512
	middle, below, above := make([]float32, 32), make([]float32, 32), make([]float32, 32)
	for b := -16; b < 16; b++ {
		start, end := bucketStart+(float64(b)-0.5)*bucketWidth, bucketStart+(float64(b)+0.5)*bucketWidth
		level := 0
		for level < 15 && float64(iq4Middles[level]) < start {
			level++
		}
		i := b & 31
		below[i], above[i], middle[i] = table[level], table[level], float32(math.Inf(1))
		if level < 15 && float64(iq4Middles[level]) < end {
			middle[i], above[i] = iq4Middles[level], table[level+1]
		}
	}
	load := func(suffix string, values []float32) (r [2]VecVirtual) {
		m := data.floats(name+suffix, values)
		return [2]VecVirtual{v.load(m), v.load(m.Offset(64))}
	}
	n := &bucketsIQ4{middle: load("middle", middle), below: load("below", below), above: load("above", above)}
	n.perBucket = v.bits(math.Float32bits(1 / bucketWidth))
	n.shift = v.bits(math.Float32bits(-bucketStart / bucketWidth))
	n.magic = v.bits(math.Float32bits(1.5 * (1 << 23))) // plus a number, has it rounded in the low bits
	if limit {
		n.greatest = v.bits(math.Float32bits(134))
	}
	return n
}

func (n *bucketsIQ4) of(x VecVirtual) VecVirtual {
	v := avx512
	if n.greatest != nil {
		x = v.max(v.min(x, n.greatest), v.sub(v.zero(), n.greatest))
	}
	bucket := v.copy(n.shift)
	VFMADD231PS(n.perBucket, x, bucket)
	VADDPS(n.magic, bucket, bucket)
	look := func(table [2]VecVirtual) VecVirtual {
		r := v.copy(bucket)
		VPERMI2PS(table[1], table[0], r)
		return r
	}
	middle, r := look(n.middle), look(n.below)
	v.replace(r, v.compare(greaterEq, x, middle), look(n.above))
	return r
}

// searchIQ4 is for AVX2: a binary search in four steps. The number of a half, quarter
// and eighth is counted down from 0, as true is -1 in a mask, and a look-up takes its
// low three bits.
type searchIQ4 struct {
	half                    VecVirtual
	quarter                 [2]VecVirtual
	eighth, last, low, high Mem
}

func newSearchIQ4(name string, table [16]float32) *searchIQ4 {
	v := avx2
	eighth, last, low, high := make([]float32, 8), make([]float32, 8), make([]float32, 8), make([]float32, 8)
	for i := range 8 {
		at := (8 - i) % 8
		last[at], low[at], high[at] = iq4Middles[2*i], table[2*i], table[2*i+1]
	}
	for i := range 4 {
		eighth[(8-i)%8] = iq4Middles[4*i+1]
	}
	broadcast := func(x float32) VecVirtual { return v.bits(math.Float32bits(x)) }
	return &searchIQ4{
		half: broadcast(iq4Middles[7]), quarter: [2]VecVirtual{broadcast(iq4Middles[3]), broadcast(iq4Middles[11])},
		eighth: data.floats("iq4Eighths", eighth), last: data.floats("iq4Sixteenths", last),
		low: data.floats(name+"Low", low), high: data.floats(name+"High", high),
	}
}

func (n *searchIQ4) of(x VecVirtual) VecVirtual {
	v := avx2
	count := YMM()
	above := v.compare(greaterEq, x, n.half)
	next := v.compare(greaterEq, x, v.choose(above, n.quarter[1], n.quarter[0]))
	VPADDD(above, above, count)
	VPADDD(next, count, count)
	look := func(table Mem) VecVirtual {
		r := YMM()
		VPERMPS(table, count, r)
		return r
	}
	next = v.compare(greaterEq, x, look(n.eighth))
	VPADDD(count, count, count)
	VPADDD(next, count, count)
	next = v.compare(greaterEq, x, look(n.last))
	return v.choose(next, look(n.high), look(n.low))
}

func newNearestIQ4(v isa, name string, table [16]float32, limit bool) nearestIQ4 {
	if v.lanes == 16 {
		return newBucketsIQ4(name, table, limit)
	}
	return newSearchIQ4(name, table)
}

// Fields of iq4Lanes.
const (
	iq4Scale = iota
	iq4Wild
)

// fitIQ4 is fitIQ4 with a block in each lane.
func fitIQ4(v isa) {
	simd.Func("fitIQ4"+v.name, "func(fit, x, w *float32, n int)",
		"fitIQ4"+v.name+" is fitIQ4 of n columns, a multiple of 4.")
	fit, x, w, end := loadFields("fit"), v.columns("x"), v.columns("w"), v.byteLen()
	peak, zeros := v.peak("peak", x, end)
	Comment("zeros get a scale that makes all products 0")
	v.replace(peak, zeros, v.bits(0x7f800000))
	nearest := newNearestIQ4(v, "iq4Values", iq4Values, false)
	sums := func(label string, inverse VecVirtual) (sumQX, sumQ2 VecVirtual) {
		sumQX, sumQ2 = v.zero(), v.zero()
		v.each(label, end, 2, func(p position) {
			a := v.load(x.at(p))
			q := nearest.of(v.mul(inverse, a))
			wq := v.mul(q, w.at(p))
			v.addTo(sumQX, v.mul(wq, a))
			v.addTo(sumQ2, v.mul(wq, q))
		})
		return sumQX, sumQ2
	}
	inverse := v.div(v.bits(0x3f800000), v.div(peak, v.bits(math.Float32bits(127))))
	sumQX, sumQ2 := sums("first", inverse)
	notFinite := v.compare(notLessEq, v.and(v.bits(0x7fffffff), sumQX), v.bits(0x7f7fffff))
	fit.storeBits(v.laneBits(notFinite), iq4Wild)
	scale := v.zero()
	v.replace(scale, v.compare(greater, sumQ2, v.zero()), v.div(sumQX, sumQ2))
	gain := v.mul(scale, sumQX)

	end127 := v.bits(math.Float32bits(-127 - 7))
	trials := GP64()
	MOVQ(U32(15), trials)
	Label("step")
	sumQX, sumQ2 = sums("trial", v.div(end127, peak))
	better := v.both(v.compare(greater, sumQ2, v.zero()), v.compare(greater, v.mul(sumQX, sumQX), v.mul(gain, sumQ2)))
	v.replace(scale, better, v.div(sumQX, sumQ2))
	v.replace(gain, better, v.mul(scale, sumQX))
	v.addTo(end127, v.bits(0x3f800000))
	DECQ(trials)
	JNZ(LabelRef("step"))

	Comment("a group of zeros has no scale")
	v.replace(scale, v.compare(eq, peak, v.bits(0x7f800000)), v.zero())
	VMOVUPS(scale, fit.at(iq4Scale))
	VZEROUPPER()
	RET()
}

// levelsIQ4 finds the levels of inverse·x and packs four columns into each.
func levelsIQ4(v isa) {
	simd.Func("levelsIQ4"+v.name, "func(packed *uint32, x *float32, inverse *[16]float32, n int)",
		"levelsIQ4"+v.name+" sets packed to nearestIQ4(inverse·x) of n columns, a multiple of 4, four in", "one.")
	packed := Load(Param("packed"), GP64())
	x, inverse, end := v.columns("x"), v.load(loadFields("inverse").at(0)), v.byteLen()
	var numbers [16]float32
	for i := range numbers {
		numbers[i] = float32(i)
	}
	nearest := newNearestIQ4(v, "iq4Levels", numbers, true)
	offset := GP64()
	XORQ(offset, offset)
	Label("column")
	var word VecVirtual
	for i := range 4 {
		b := v.toInt(nearest.of(v.mul(inverse, x.at(position{offset, i}))))
		if i == 0 {
			word = b
		} else {
			word = v.orInts(word, v.shiftLeft(b, 8*i))
		}
	}
	VMOVUPS(word, Mem{Base: packed})
	ADDQ(U32(v.bytes()), packed)
	ADDQ(U32(4*v.bytes()), offset)
	CMPQ(offset, end)
	JLT(LabelRef("column"))
	VZEROUPPER()
	RET()
}

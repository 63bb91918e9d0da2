package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// A descent changes one level after the other while that makes (Σwxl)²/Σwl² greater.
// Each step waits for the one before, so that several groups of columns, the ways, are
// worked on by turns.
type descent struct {
	isa
	x, w, levels        columns
	products            columns // w·x
	end                 Register
	low, high           VecVirtual
	positive            bool // give up on elements without which Σwl² is not positive
	sumXL, sumL2        []VecVirtual
	square              []VecVirtual // of sumXL
	wild                Register     // lanes, as bits
	noSign, wildestStep func() VecVirtual
}

// run emits five passes, or fewer if one changes nothing. Lanes in which a change would
// take the rounding of a number beyond wildest become wild.
func (d *descent) run() {
	for _, s := range d.sumXL {
		d.square = append(d.square, d.mul(s, s))
	}
	passes := GP64()
	MOVQ(U32(5), passes)
	Label("pass")
	changed := GP32()
	XORL(changed, changed)
	// A way's columns lie behind those of the one before.
	d.each("descend", d.end, 1, func(p position) {
		for way := range d.sumXL {
			d.step(way, p, changed)
		}
	})
	TESTL(changed, changed)
	JZ(LabelRef("descended"))
	DECQ(passes)
	JNZ(LabelRef("pass"))
	Label("descended")
}

// way returns the column of another way at the same position.
func (d *descent) way(c columns, p position, way int) Mem {
	m := c.at(p)
	m.Disp += way * groupColumns * d.bytes()
	return m
}

// groupColumns is how many columns lie between two ways.
const groupColumns = 16

func (d *descent) step(way int, p position, changed Register) {
	Comment(fmt.Sprintf("way %d", way))
	sumXL, sumL2 := d.sumXL[way], d.sumL2[way]
	w, old := d.load(d.way(d.w, p, way)), d.load(d.way(d.levels, p, way))
	wx := d.way(d.products, p, way)
	xl := d.sub(sumXL, d.mul(old, wx))
	l2 := d.sub(sumL2, d.mul(d.mul(w, old), old))
	accept := d.compare(greater, xl, d.zero())
	if d.positive {
		accept = d.both(accept, d.compare(greater, l2, d.zero()))
	}
	t := d.div(d.mul(l2, d.way(d.x, p, way)), xl)
	ORL(d.laneBits(d.both(accept, d.compare(notLessEq, d.and(t, d.noSign()), d.wildestStep()))), d.wild)
	l := d.round(t)
	if d.positive {
		l = d.notNegative(l, d.zero())
	} else {
		l = d.atLeast(l, d.low)
	}
	l = d.atMost(l, d.high)
	accept = d.both(accept, d.compare(neq, l, old))
	xl = d.add(xl, d.mul(l, wx))
	l2 = d.add(l2, d.mul(d.mul(w, l), l))
	if !d.positive {
		accept = d.both(accept, d.compare(greater, l2, d.zero()))
	}
	square := d.mul(xl, xl)
	accept = d.both(accept, d.compare(greater, d.mul(square, sumL2), d.mul(d.square[way], l2)))
	d.replace(old, accept, l)
	VMOVUPS(old, d.way(d.levels, p, way))
	d.replace(sumXL, accept, xl)
	d.replace(d.square[way], accept, square)
	d.replace(sumL2, accept, l2)
	ORL(d.laneBits(accept), changed)
}

// scale returns Σwxl/Σwl², or 0.
func (d *descent) scale(way int) VecVirtual {
	scale := d.zero()
	d.replace(scale, d.compare(greater, d.sumL2[way], d.zero()), d.div(d.sumXL[way], d.sumL2[way]))
	return scale
}

// constants returns functions for the constants of run: in registers where there are
// enough of them.
func (d *descent) constants() {
	constant := func(x uint32) func() VecVirtual {
		if d.lanes == 16 {
			r := d.bits(x)
			return func() VecVirtual { return r }
		}
		return func() VecVirtual { return d.bits(x) }
	}
	d.noSign, d.wildestStep = constant(0x7fffffff), constant(wildest)
}

// Fields of descentLanes, from which on there is one for each way.
const (
	descentScale   = 0
	descentNonzero = 2
	descentWild    = 4 // one for all ways
)

// fitDescent is fitDescent of two groups of 16 columns, with a block in each lane.
func fitDescent(v isa) {
	simd.Func("fitDescent"+v.name, "func(fit, x, w, products, levels *float32, half float32)",
		"fitDescent"+v.name+" is fitDescent of twice 16 columns. w are their squares, products and levels", "are room for as many columns.")
	fit, x, w, products, levels := loadFields("fit"), v.columns("x"), v.columns("w"), v.columns("products"), v.columns("levels")
	end := GP64()
	MOVQ(U32(groupColumns*v.bytes()), end)
	low := v.sub(v.zero(), v.param("half"))
	high := v.sub(v.sub(v.zero(), v.bits(0x3f800000)), low)
	d := descent{isa: v, x: x, w: w, products: products, levels: levels, end: end, low: low, high: high}
	wildBits := GP32()
	XORL(wildBits, wildBits)
	for way := range 2 {
		from := func(c columns) columns {
			moved := GP64()
			LEAQ(Mem{Base: c.base, Disp: way * groupColumns * v.bytes()}, moved)
			return columns{v, moved}
		}
		x, w, products, levels := from(x), from(w), from(products), from(levels)
		peak, zeros := v.peak(fmt.Sprint("peak", way), x, end)
		v.replace(peak, zeros, v.bits(0x7f800000))
		marker := v.bits(0x3f800000)
		v.replace(marker, zeros, v.zero())
		VMOVUPS(marker, fit.at(descentNonzero+way))
		inverse := v.div(low, peak)
		sumXL, sumL2 := v.zero(), v.zero()
		v.each(fmt.Sprint("start", way), end, 4, func(p position) {
			a, b := v.load(x.at(p)), v.load(w.at(p))
			l := v.atMost(v.atLeast(v.round(v.mul(inverse, a)), low), high)
			VMOVUPS(l, levels.at(p))
			wx := v.mul(b, a)
			VMOVUPS(wx, products.at(p))
			v.addTo(sumXL, v.mul(wx, l))
			v.addTo(sumL2, v.mul(v.mul(b, l), l))
		})
		notFinite := v.compare(notLessEq, v.and(v.bits(0x7fffffff), sumXL), v.bits(0x7f7fffff))
		ORL(v.laneBits(notFinite), wildBits)
		d.sumXL, d.sumL2 = append(d.sumXL, sumXL), append(d.sumL2, sumL2)
	}
	d.wild = wildBits
	d.constants()
	d.run()
	for way := range 2 {
		VMOVUPS(d.scale(way), fit.at(descentScale+way))
	}
	fit.storeBits(wildBits, descentWild)
	VZEROUPPER()
	RET()
}

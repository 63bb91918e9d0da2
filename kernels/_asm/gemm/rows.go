package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// group is the number of rows that one base register reaches: 0, 1, 2 and 4 strides
// from it by scaled addressing, 3 and 5 with their multiples in registers.
const group = 6

// rows addresses rows that are a stride apart.
type rows struct {
	height              int
	stride, three, five Register
	bases               []Register
}

func newRows(name string, height int) *rows {
	r := &rows{height: height, stride: stride(name)}
	if height > 3 {
		r.three = GP64()
		LEAQ(Mem{Base: r.stride, Index: r.stride, Scale: 2}, r.three)
	}
	if height > 5 {
		r.five = GP64()
		LEAQ(Mem{Base: r.stride, Index: r.stride, Scale: 4}, r.five)
	}
	return r
}

// pointers makes the bases for rows from p on, and returns where row i is.
func (r *rows) pointers(p Register) func(i int) Mem {
	r.bases = []Register{p}
	for i := group; i < r.height; i += group {
		next := GP64()
		LEAQ(Mem{Base: r.bases[len(r.bases)-1], Index: r.three, Scale: 2}, next)
		r.bases = append(r.bases, next)
	}
	bases := r.bases
	return func(i int) Mem {
		m := Mem{Base: bases[i/group]}
		switch i % group {
		case 1:
			m.Index, m.Scale = r.stride, 1
		case 2:
			m.Index, m.Scale = r.stride, 2
		case 3:
			m.Index, m.Scale = r.three, 1
		case 4:
			m.Index, m.Scale = r.stride, 4
		case 5:
			m.Index, m.Scale = r.five, 1
		}
		return m
	}
}

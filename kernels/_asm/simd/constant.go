package simd

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Const32 returns a register with x in every 32-bit lane. kind is YMM or ZMM.
func Const32(kind func() VecVirtual, x uint32) VecVirtual {
	g, v := GP32(), kind()
	MOVL(U32(x), g)
	if v.Size() == 64 {
		VPBROADCASTD(g, v)
		return v
	}
	VMOVD(g, v.AsX())
	VPBROADCASTD(v.AsX(), v)
	return v
}

// Const64 returns a register with x in every 64-bit lane.
func Const64(kind func() VecVirtual, x uint64) VecVirtual {
	g, v := GP64(), kind()
	MOVQ(U64(x), g)
	if v.Size() == 64 {
		VPBROADCASTQ(g, v)
		return v
	}
	VMOVQ(g, v.AsX())
	VPBROADCASTQ(v.AsX(), v)
	return v
}

// Const16 returns a register with x in every 16-bit lane.
func Const16(kind func() VecVirtual, x uint16) VecVirtual {
	return Const32(kind, uint32(x)<<16|uint32(x))
}

// Scalar32 broadcasts the float32 parameter of that name.
func Scalar32(name string, kind func() VecVirtual) VecVirtual {
	v := kind()
	VBROADCASTSS(param(name), v)
	return v
}

// Scalar64 broadcasts the float64 parameter of that name.
func Scalar64(name string, kind func() VecVirtual) VecVirtual {
	v := kind()
	VBROADCASTSD(param(name), v)
	return v
}

func param(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// LoadMasked loads from memory under the mask, zeros elsewhere; the whole register if
// the mask is nil.
func LoadMasked(m Mem, k Register, v VecVirtual) VecVirtual {
	if k == nil {
		VMOVUPS(m, v)
	} else {
		VMOVUPS_Z(m, k, v)
	}
	return v
}

// StoreMasked stores under the mask, or the whole register if the mask is nil.
func StoreMasked(v VecVirtual, k Register, m Mem) {
	if k == nil {
		VMOVUPS(v, m)
	} else {
		VMOVUPS(v, k, m)
	}
}

// Command gemm generates the micro-kernels of the matrix product: a tile of C in
// registers, to which one column of A times one row of B is added at a time.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// An isa has the heights and widths of its tiles, in registers across. The greatest
// tile leaves room for a row of B and two elements of A.
type isa struct {
	name    string
	kind    func() VecVirtual
	lanes   int
	heights []int
	widths  []int
}

func main() {
	ConstraintExpr("!purego")
	for _, isa := range []isa{
		{"AVX2", YMM, 8, []int{6, 4, 1}, []int{2}},
		{"AVX512", ZMM, 16, []int{12, 4, 1}, []int{2, 1}},
	} {
		for _, width := range isa.widths {
			for _, height := range isa.heights {
				isa.kernel(height, width)
			}
		}
	}
	Generate()
}

const signature = "func(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)"

// kernel emits the kernel of a tile of C of the given height, and width in registers.
func (isa isa) kernel(height, width int) {
	name := fmt.Sprintf("gemm%dx%d%s", height, width*isa.lanes, isa.name)
	simd.Func(name, signature, fmt.Sprintf("%s is a microKernel of %d rows and %d columns.", name, height, width*isa.lanes))
	tiles, b, c := Load(Param("tiles"), GP64()), Load(Param("b"), GP64()), Load(Param("c"), GP64())
	Comment("strides in bytes")
	aCol, bRow := stride("aCol"), stride("bRow")
	aRows, cRows := newRows("aRow", height), newRows("cRow", height)
	nan := simd.Const32(isa.kind, 0x7fc00000)

	Label("tile")
	acc := make([][]VecVirtual, height)
	cAt := cRows.pointers(c)
	for i := range acc {
		for j := range width {
			v := isa.kind()
			VMOVUPS(cAt(i).Offset(j*isa.bytes()), v)
			acc[i] = append(acc[i], v)
		}
	}
	Comment("the same rows of the next tile")
	for i := range acc {
		for line := 0; line < width*isa.bytes(); line += 64 {
			PREFETCHT0(cAt(i).Offset(width*isa.bytes() + line))
		}
	}
	isa.inner(acc, aRows, aCol, bRow, b)
	isa.store(acc, cRows.pointers(c), nan)

	step := Load(Param("bTile"), GP64())
	Comment("on to the next tile")
	LEAQ(Mem{Base: b, Index: step, Scale: 4}, b)
	ADDQ(U32(width*isa.bytes()), c)
	DECQ(tiles)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

func (isa isa) bytes() int { return 4 * isa.lanes }

// inner adds the products over k to the accumulators, in order.
func (isa isa) inner(acc [][]VecVirtual, rows *rows, aCol, bRow, b Register) {
	k := Load(Param("k"), GP64())
	bp := GP64()
	MOVQ(b, bp)
	aAt := rows.pointers(Load(Param("a"), GP64()))
	Label("inner")
	var row []VecVirtual
	for j := range acc[0] {
		v := isa.kind()
		VMOVUPS(Mem{Base: bp}.Offset(j*isa.bytes()), v)
		row = append(row, v)
	}
	for i := range acc {
		if isa.lanes == 16 && len(row) == 1 { // used once: a third faster than by way of a register
			VFMADD231PS_BCST(aAt(i), row[0], acc[i][0])
			continue
		}
		x := isa.kind()
		VBROADCASTSS(aAt(i), x)
		for j, v := range row {
			VFMADD231PS(v, x, acc[i][j])
		}
	}
	for _, p := range rows.bases {
		ADDQ(aCol, p)
	}
	ADDQ(bRow, bp)
	DECQ(k)
	JNZ(LabelRef("inner"))
}

// store writes the accumulators to C, with one NaN for all.
func (isa isa) store(acc [][]VecVirtual, cAt func(i int) Mem, nan VecVirtual) {
	for i := range acc {
		for j, v := range acc[i] {
			if v.Size() == 64 {
				k := K()
				VCMPPS(U8(3), v, v, k)
				VMOVDQA32(nan, k, v)
			} else {
				mask := YMM()
				VCMPPS(U8(3), v, v, mask)
				VBLENDVPS(mask, nan, v, v)
			}
			VMOVUPS(v, cAt(i).Offset(j*isa.bytes()))
		}
	}
}

// stride loads a stride in elements and makes it bytes.
func stride(name string) Register {
	s := Load(Param(name), GP64())
	SHLQ(U8(2), s)
	return s
}

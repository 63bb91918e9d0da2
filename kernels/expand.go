package kernels

import "encoding/binary"

// An expansion is up to 256 quantized values on their way back to floats: levels,
// and for each 16 of them a scale and a min.
type expansion struct {
	levels     [superBlock]uint8 // as int8
	scale, min [superBlock / 16]float32
}

// setAffine takes scales and mins from the head of a Q4_K or Q5_K block.
func (e *expansion) setAffine(src []byte) {
	var b affineSubBlocks
	b.unpackScales(src[4:16])
	d := halfValue(binary.LittleEndian.Uint16(src))
	dmin := halfValue(binary.LittleEndian.Uint16(src[2:]))
	for i := range 8 {
		s, m := float32(d*float32(b.scale[i])), float32(dmin*float32(b.min[i]))
		e.scale[2*i], e.scale[2*i+1] = s, s
		e.min[2*i], e.min[2*i+1] = m, m
	}
}

// expand sets
//
//	dst[i] = scale[i/16]·int8(levels[i]) − min[i/16]
//
// for as many values as dst has, a multiple of 16.
func (e *expansion) expand(dst []float32) { expandLevels(dst, e) }

func expandLevelsGeneric(dst []float32, e *expansion) {
	for i := 0; i < len(dst); i += 16 {
		s, m := e.scale[i/16], e.min[i/16]
		d, l := dst[i:][:16], e.levels[i:][:16]
		for j := range d {
			d[j] = float32(s*float32(int8(l[j]))) - m
		}
	}
}

// setScale32 sets the scale and min of the i-th 32 values.
func (e *expansion) setScale32(i int, scale, min float32) {
	e.scale[2*i], e.scale[2*i+1] = scale, scale
	e.min[2*i], e.min[2*i+1] = min, min
}

// expandTable replaces levels of 0..15 by their values in table and expands them.
func (e *expansion) expandTable(dst []float32, table *[16]int8) {
	lookUp(e.levels[:len(dst)], table)
	e.expand(dst)
}

func lookUpGeneric(levels []uint8, table *[16]int8) {
	for i, l := range levels {
		levels[i] = uint8(table[l&15])
	}
}

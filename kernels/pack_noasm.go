//go:build !amd64 || purego

package kernels

func packNibbles(dst []byte, levels []uint8, half int)   { packNibblesGeneric(dst, levels, half) }
func unpackNibbles(levels []uint8, src []byte, half int) { unpackNibblesGeneric(levels, src, half) }
func packPairs(dst []byte, levels []uint8, shift int)    { packPairsGeneric(dst, levels, shift) }
func unpackPairs(levels []uint8, src []byte, shift int)  { unpackPairsGeneric(levels, src, shift) }
func packBits(dst []byte, levels []uint8, bit int)       { packBitsGeneric(dst, levels, bit) }
func unpackBits(levels []uint8, src []byte, bit int)     { unpackBitsGeneric(levels, src, bit) }
func subtractLevels(levels []uint8, n byte)              { subtractLevelsGeneric(levels, n) }

//go:build purego || !amd64

package kernels

func decodeF16(dst []float32, src []byte)    { decodeF16Generic(dst, src) }
func encodeF16(dst []byte, src []float32)    { encodeF16Generic(dst, src) }
func decodeBF16(dst []float32, src []byte)   { decodeBF16Generic(dst, src) }
func encodeBF16(dst []byte, src []float32)   { encodeBF16Generic(dst, src) }
func decodeF64(dst []float32, src []byte)    { decodeF64Generic(dst, src) }
func encodeF64(dst []byte, src []float32)    { encodeF64Generic(dst, src) }
func f64ToF32(dst, src []byte)               { f64ToF32Generic(dst, src) }
func f64ToF16(dst, src []byte)               { f64ToF16Generic(dst, src) }
func f64ToBF16(dst, src []byte)              { f64ToBF16Generic(dst, src) }
func decodeF8E4M3(dst []float32, src []byte) { decodeF8E4M3Generic(dst, src) }
func encodeF8E4M3(dst []byte, src []float32) { encodeF8E4M3Generic(dst, src) }

//go:build purego || !(amd64 || arm64)

package kernels

func decodeF16(dst []float32, src []byte)  { decodeF16Generic(dst, src) }
func encodeF16(dst []byte, src []float32)  { encodeF16Generic(dst, src) }
func decodeBF16(dst []float32, src []byte) { decodeBF16Generic(dst, src) }
func encodeBF16(dst []byte, src []float32) { encodeBF16Generic(dst, src) }

func addScaled(y []float32, a float32, x []float32) { addScaledGeneric(y, a, x) }
func scale(y []float32, a float32)                  { scaleGeneric(y, a) }
func sub(dst, x, y []float32)                       { subGeneric(dst, x, y) }
func dot(x, y []float32) float64                    { return dotGeneric(x, y) }
func sumSquares(x []float32) float64                { return dotGeneric(x, x) }
func firstNonFinite(x []float32) int                { return firstNonFiniteGeneric(x) }

func gemm(c []float32, ldc int, a, b operand, m, n, k int) { gemmGeneric(c, ldc, a, b, m, n, k) }

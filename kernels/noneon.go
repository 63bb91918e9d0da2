//go:build purego || !amd64

package kernels

// What has assembly on amd64 alone.

func decodeF64(dst []float32, src []byte)    { decodeF64Generic(dst, src) }
func encodeF64(dst []byte, src []float32)    { encodeF64Generic(dst, src) }
func f64ToF32(dst, src []byte)               { f64ToF32Generic(dst, src) }
func f64ToF16(dst, src []byte)               { f64ToF16Generic(dst, src) }
func f64ToBF16(dst, src []byte)              { f64ToBF16Generic(dst, src) }
func decodeF8E4M3(dst []float32, src []byte) { decodeF8E4M3Generic(dst, src) }
func encodeF8E4M3(dst []byte, src []float32) { encodeF8E4M3Generic(dst, src) }

func countOutside(x []float32, low, high uint32) (above, below int) {
	return countOutsideGeneric(x, low, high)
}

func maxAbsDiff(x, y []float32) float32 { return maxAbsDiffGeneric(x, y) }

func addScaledDot64(*[dotLanes]float64, []float64, float64, []float64, []float64) (n int) { return 0 }
func subScaled64([]float64, float64, []float64, float64, []float64) (n int)               { return 0 }

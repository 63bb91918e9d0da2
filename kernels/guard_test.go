//go:build unix

package kernels

import "testing"

// TestGuardPages runs every kernel on slices that end right before, and then on
// slices that start right after, a page that must not be touched.
func TestGuardPages(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		const most = 131
		for _, place := range []struct {
			name  string
			slice func(testing.TB, int) []byte
			cut   func(b []byte, n int) []byte
		}{
			{"end", atPageEnd, func(b []byte, n int) []byte { return b[len(b)-n:] }},
			{"start", atPageStart, func(b []byte, n int) []byte { return b[:n] }},
		} {
			wide, narrow, other := place.slice(t, 8*most), place.slice(t, 8*most), place.slice(t, 8*most)
			bytesAt := func(b []byte, n int) []byte { return place.cut(b, n) }
			floatsAt := func(b []byte, n int) []float32 { return floatsOf(place.cut(b, 4*n)) }
			for n := range most {
				x, y, z := floatsAt(wide, n), floatsAt(narrow, n), floatsAt(other, n)
				for _, size := range []struct {
					bytes  int
					decode func([]float32, []byte)
					encode func([]byte, []float32)
				}{
					{1, DecodeF8E4M3, EncodeF8E4M3}, {2, DecodeF16, EncodeF16},
					{2, DecodeBF16, EncodeBF16}, {8, DecodeF64, EncodeF64},
				} {
					size.encode(bytesAt(narrow, n*size.bytes), x)
					size.decode(x, bytesAt(narrow, n*size.bytes))
				}
				F64ToF32(bytesAt(narrow, 4*n), bytesAt(wide, 8*n))
				F64ToF16(bytesAt(narrow, 2*n), bytesAt(wide, 8*n))
				F64ToBF16(bytesAt(narrow, 2*n), bytesAt(wide, 8*n))
				FirstNonFinite(x)
				CountF16(x)
				AddScaled(x, 2, y)
				Scale(x, 2)
				Sub(x, y, z)
				MaxAbsDiff(x, y)
				Dot(x, y)
				SumSquares(x)
				x64 := doublesOf(bytesAt(wide, 8*n))
				SubScaled64(x64, 2, doublesOf(bytesAt(narrow, 8*n)), 3, doublesOf(bytesAt(other, 8*n)))
				AddScaledDot64(x64, 2, doublesOf(bytesAt(narrow, 8*n)), doublesOf(bytesAt(other, 8*n)))
				for _, k := range []int{1, 2, 5, most} {
					Gemm(x, n, z[:min(k, n)], k, y[:n], n, min(1, n), n, min(1, n))
				}
			}
		}
	})
}

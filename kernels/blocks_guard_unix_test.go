//go:build unix

package kernels

import "testing"

// TestBlockGuardPages runs the block quantizers on slices that end right before, and on
// slices that start right after, a page that must not be touched.
func TestBlockGuardPages(t *testing.T) {
	const most = 9 // blocks: one more than the lanes of a vector
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				for _, place := range []struct {
					name  string
					slice func(testing.TB, int) []byte
					cut   func(b []byte, n int) []byte
				}{
					{"end", atPageEnd, func(b []byte, n int) []byte { return b[len(b)-n:] }},
					{"start", atPageStart, func(b []byte, n int) []byte { return b[:n] }},
				} {
					values, blocks := place.slice(t, 4*most*bt.blockLen), place.slice(t, most*bt.blockSize)
					importance := place.slice(t, 4*most*bt.blockLen)
					fillNormal(newRand(1), floatsOf(values))
					for i := range floatsOf(importance) {
						floatsOf(importance)[i] = 1 + float32(i%5)
					}
					for n := 1; n <= most; n++ {
						src, dst := floatsOf(place.cut(values, 4*n*bt.blockLen)), place.cut(blocks, n*bt.blockSize)
						if !needsWeights[bt.name] {
							bt.quantize(dst, src, len(src), nil)
						}
						bt.quantize(dst, src, len(src), floatsOf(place.cut(importance, 4*len(src))))
						bt.dequantize(src, dst)
					}
				}
			})
		})
	}
}

//go:build unix

package kernels

import "testing"

// TestGuardPagesBlocks runs the block quantizers on slices between pages that must not be
// touched.
func TestGuardPagesBlocks(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		r := newRand(3)
		for _, bt := range blockTypes {
			for _, slice := range []func(testing.TB, int) []byte{atPageEnd, atPageStart} {
				for _, blocks := range []int{1, 2, 7, 17} {
					dst := slice(t, blocks*bt.blockSize)
					src := floatsOf(slice(t, 4*blocks*bt.blockLen))
					weights := floatsOf(slice(t, 4*bt.blockLen))
					fillNormal(r, src)
					copy(weights, randomWeights(r, len(weights)))
					bt.quantize(dst, src, bt.blockLen, weights)
					if !needsWeights[bt.name] {
						bt.quantize(dst, src, bt.blockLen, nil)
					}
					bt.dequantize(src, dst)
				}
			}
		}
	})
}

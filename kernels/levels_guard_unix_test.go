//go:build unix

package kernels

import "testing"

// TestGroupsGuardPages runs the kernels of groups on slices that end right before, and
// then on slices that start right after, a page that must not be touched.
func TestGroupsGuardPages(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		const most, group = 135, 64
		for _, place := range []struct {
			slice func(testing.TB, int) []byte
			cut   func(b []byte, n int) []byte
		}{
			{atPageEnd, func(b []byte, n int) []byte { return b[len(b)-n:] }},
			{atPageStart, func(b []byte, n int) []byte { return b[:n] }},
		} {
			wide, narrow, quotients := place.slice(t, 4*most), place.slice(t, most), place.slice(t, 4*most)
			for n := range most {
				x, y := floatsOf(place.cut(wide, 4*n)), floatsOf(place.cut(quotients, 4*n))
				copy(x, shrinkInput(uint64(n), n))
				levels, nibbles := place.cut(narrow, n), place.cut(narrow, (n+1)/2)
				scales, biases := make([]float32, (n+group-1)/group), make([]float32, (n+group-1)/group)
				PeakGroups(scales, x, group)
				EncodeNF4(nibbles, x, scales, group)
				EncodeE2M1Groups(nibbles, x, scales, group)
				DivideGroups(y, x, scales, group)
				EncodeLevels(levels, x, -8, 7, 8)
				FitInt4(x, 0.1)
				FitE2M1(x, 0.1)
				AffineGroups(scales, biases, x, group, 4)
				EncodeAffine(levels, x, scales, biases, group, 4)
				PackNibbles(nibbles, make([]uint8, n))
			}
		}
	})
}

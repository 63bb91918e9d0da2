//go:build !purego

package kernels

import (
	"math"
	"testing"
)

// TestLevelLanesLimit checks the levels of quotients around those where nearestInt wraps
// around.
func TestLevelLanesLimit(t *testing.T) {
	for _, count := range []int{8, 16} {
		if count == 8 && !useAVX2 || count == 16 && !useAVX512 {
			continue
		}
		for _, v := range []float32{14, 1 << 20, 1<<21 + 1, 1<<22 - 1, 1<<22 - 0.5, 1 << 22, 1<<22 + 1, 1 << 23, -1 << 22, -1 << 23, 1e38, float32(math.Inf(1)), float32(math.Inf(-1))} {
			var x [4 * 16]float32
			var packed [16]uint32
			for i := range x {
				x[i] = v
			}
			l := levelLanes{}
			for lane := range count {
				l.set(lane, 1, 0)
			}
			l.quantize(&packed[0], &x[0], 4, 0, 15, count)
			level := uint32(nearestLevel(v, 0, 15))
			for lane := range count {
				if got := packed[lane]; got != level*0x01010101 {
					t.Errorf("%d lanes, lane %d: levels of %v are %08x, want %d", count, lane, v, got, level)
				}
			}
		}
	}
}

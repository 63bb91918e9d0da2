package kernels

// sortGeneric sets order.
func (s *iq1Block) sortGeneric(x []float32) {
	for i, v := range x {
		j := i
		for ; j > 0 && x[s.order[(j-1)&31]] > v; j-- {
			s.order[j&31] = s.order[(j-1)&31]
		}
		s.order[j&31] = uint8(i)
	}
}

// iq1SplitSGeneric finds the split of 32 values for which the scale fits best.
func iq1SplitSGeneric(s *iq1Block, x []float32) {
	s.sumS(x)
	sumX, sumW := (*[33]float32)(s.scan.sums[0][:]), (*[33]float32)(s.scan.sums[1][:])
	s.split = iq1Split{shift: -1}
	best := float32(-maxFloat32)
	for low := range sumX {
		for high := low; high < len(sumX); high++ {
			for shift := range iq1Values {
				q := &iq1Values[shift]
				xq := float32(sumX[low]*q[0]) +
					float32((sumX[high]-sumX[low])*q[1]) +
					float32((sumX[32]-sumX[high])*q[2])
				q2 := float32(float32(sumW[low]*q[0])*q[0]) +
					float32(float32((sumW[high]-sumW[low])*q[1])*q[1]) +
					float32(float32((sumW[32]-sumW[high])*q[2])*q[2])
				if q2 > 0 && float32(xq*xq) > float32(best*q2) {
					scale := xq / q2
					best = scale * xq
					s.split = iq1Split{low, high, shift, scale}
				}
			}
		}
	}
}

// iq1SplitMGeneric finds the split of 16 values, and δ for either half of them, for
// which the scale fits best.
//
// With the sums of the values up to a split, S, and of all, T, the sum with t+δ is
// T·(1+δ) − S(low) − S(high), because t+δ falls by 1 at each split; its squares fall
// by fixed amounts likewise.
func iq1SplitMGeneric(s *iq1Block, x []float32) {
	s.sumM(x)
	s.split = iq1Split{shift: -1}
	best := float32(-maxFloat32)
	for low := range 17 {
		for high := low; high < 17; high++ {
			var xq, q2 [2][2]float32 // by half and by δ
			for half := range 2 {
				x, w := &s.scan.sums[half], &s.scan.sums[2+half]
				split := x[low] + x[high]
				for shift := range 2 {
					q := &iq1Values[shift]
					xq[half][shift] = float32(x[16]*q[2]) - split
					q2[half][shift] = float32(float32(w[16]*q[2])*q[2]) +
						float32(w[low]*(float32(q[0]*q[0])-float32(q[1]*q[1]))) +
						float32(w[high]*(float32(q[1]*q[1])-float32(q[2]*q[2])))
				}
			}
			for shift, by := range iq1MShifts {
				xq := xq[0][by[0]] + xq[1][by[1]]
				q2 := q2[0][by[0]] + q2[1][by[1]]
				if q2 > 0 && float32(xq*xq) > float32(best*q2) {
					scale := xq / q2
					best = scale * xq
					s.split = iq1Split{low, high, shift, scale}
				}
			}
		}
	}
}

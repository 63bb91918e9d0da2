package kernels

// gridTryGeneric makes the trials of a sub-block: it chooses a point for each group
// with each scale, and adds up what the scale that fits the points depends on.
func gridTryGeneric(b *codebook, s *iqBlock, n int) {
	t, x, w, root := &s.trials, s.x[:n], s.w[:n], s.root[:n]
	for i := range t.n {
		inverse, value := t.inverse[i], oddMultiples(t.scale[i])
		var sumXQ, sumQ2 float32
		for g := range len(x) / b.dims {
			lo, hi := g*b.dims, (g+1)*b.dims
			cell := b.cell(x[lo:hi], inverse)
			p := b.nearest(cell, x[lo:hi], root[lo:hi], &value)
			t.cells[g][i], t.points[g][i] = uint32(cell), uint32(p)
			for j := lo; j < hi; j++ {
				q := float32(2*(p&(1<<b.bits-1)) + 1)
				p >>= b.bits
				sumXQ += float32(float32(w[j]*x[j]) * q)
				sumQ2 += float32(float32(w[j]*q) * q)
			}
		}
		t.sumXQ[i], t.sumQ2[i] = sumXQ, sumQ2
	}
}

// nearest8Generic looks the terms of the sums up: there are only 24 of them, and lists
// are dozens of points long.
func nearest8Generic(list []uint16, x, w *[8]float32, value *[4]float32) uint16 {
	var term [8][4]float32
	for i := range term {
		for l := range 3 {
			d := value[l] - x[i]
			term[i][l] = float32(float32(w[i]*d) * d)
		}
	}
	best, found := float32(maxFloat32), list[0]
	for _, p := range list {
		sum := term[0][p&3] + term[1][p>>2&3] + term[2][p>>4&3] + term[3][p>>6&3] +
			term[4][p>>8&3] + term[5][p>>10&3] + term[6][p>>12&3] + term[7][p>>14]
		if sum < best {
			best, found = sum, p
		}
	}
	return found
}

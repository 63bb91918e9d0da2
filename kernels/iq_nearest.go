package kernels

// nearest returns the packed point that the IQ quantizers take for a group of
// values x that rounds to the given cell: the cell's own, or else the neighbour
// of the least
//
//	Σ w·(value[level[i]] − x)²
//
// summed in order; the first of equals, and the first of all if nothing compares
// less than the greatest float32. value are the levels times the scale.
func (b *codebook) nearest(cell int, x, w []float32, value *[8]float32) uint16 {
	c := b.cells[cell]
	if c&offGrid == 0 {
		return uint16(c)
	}
	start := int(c>>listShift&listChunk) * 8
	list := b.near[start : start+int(c&listLen)]
	if b.dims == 4 {
		return nearest4(list, (*[4]float32)(x), (*[4]float32)(w), value)
	}
	return nearest8(list, (*[8]float32)(x), (*[8]float32)(w), (*[4]float32)(value[:]))
}

func nearest4(list []uint16, x, w *[4]float32, value *[8]float32) uint16 {
	best, found := float32(maxFloat32), list[0]
	for _, p := range list {
		d0 := value[p&7] - x[0]
		d1 := value[p>>3&7] - x[1]
		d2 := value[p>>6&7] - x[2]
		d3 := value[p>>9&7] - x[3]
		sum := float32(float32(w[0]*d0) * d0)
		sum += float32(float32(w[1]*d1) * d1)
		sum += float32(float32(w[2]*d2) * d2)
		sum += float32(float32(w[3]*d3) * d3)
		if sum < best {
			best, found = sum, p
		}
	}
	return found
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

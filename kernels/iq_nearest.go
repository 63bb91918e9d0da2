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

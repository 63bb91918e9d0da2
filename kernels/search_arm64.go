//go:build !purego

package kernels

// The searches work on four groups of values at a time, the sub-blocks of a super-block,
// one in each lane of a vector: every lane does what the generic code does, in the same
// order, so that the bits are the same. Arrays of values are columns: [4·i+j] belongs to
// value i of the j-th group. Groups whose lane was wild, because a number was not finite
// or too large to be rounded by instruction, are left to the generic code.

// lanes of float32 in a vector.
const lanes = 4

// mostColumns is the length of the longest groups that are searched in lanes.
const mostColumns = 32

// affineLanes are the affineFits of four groups, and all ones where they may be used.
// The assembly stores it as vectors.
type affineLanes struct {
	tame                      [lanes]uint32
	base, inverse, scale, min [lanes]float32
}

// symmetricLanes are the symmetricFits of four groups, and all ones where they may be
// used. The assembly stores it as vectors.
type symmetricLanes struct {
	tame           [lanes]uint32
	inverse, scale [lanes]float32
}

// transpose4NEON transposes four successive groups of n values to columns. n is a positive
// multiple of 4 here and below.
//
//go:noescape
func transpose4NEON(dst, src *float32, n int)

// fitAffineNEON is affineSearch.fit of n columns with squared errors, trying that many
// widths after the first. levels is room for as many columns.
//
//go:noescape
func fitAffineNEON(fit *affineLanes, x, w, levels *float32, n int, widths *float32, steps int, top float32)

// fitSymmetricNEON is fitSymmetric of n columns with weights, trying to bring the peak to
// ends, the first of which is -half. wx is room for as many columns.
//
//go:noescape
func fitSymmetricNEON(fit *symmetricLanes, x, w, wx *float32, n int, ends *[19]float32, half float32)

func (s *affineSearch) fitGroups(fits []affineFit, x, w []float32) {
	if !useNEON {
		s.fitGroupsGeneric(fits, x, w)
		return
	}
	var widths [37]float32
	for i := range s.steps + 1 {
		widths[i] = s.width(i)
	}
	n := len(x) / len(fits)
	var columns, weights, levels [lanes * mostColumns]float32
	for i := 0; i < len(fits); i += lanes {
		var f affineLanes
		transpose4NEON(&columns[0], &x[i*n], n)
		transpose4NEON(&weights[0], &w[i*n], n)
		fitAffineNEON(&f, &columns[0], &weights[0], &levels[0], n, &widths[0], s.steps+1, float32(s.top))
		for j := range lanes {
			if f.tame[j] == 0 {
				fits[i+j] = s.fit(x[(i+j)*n:][:n], w[(i+j)*n:][:n])
			} else {
				fits[i+j] = affineFit{f.scale[j], f.min[j], f.inverse[j], f.base[j]}
			}
		}
	}
}

func fitSymmetricGroups(fits []symmetricFit, x, w []float32, half int32) {
	if !useNEON {
		fitSymmetricGroupsGeneric(fits, x, w, half)
		return
	}
	ends := symmetricEnds(float32(half))
	n := len(x) / len(fits)
	var columns, weights, products [lanes * mostColumns]float32
	for i := 0; i < len(fits); i += lanes {
		var f symmetricLanes
		transpose4NEON(&columns[0], &x[i*n], n)
		if w != nil {
			transpose4NEON(&weights[0], &w[i*n], n)
		} else {
			for j, v := range columns[:lanes*n] {
				weights[j] = float32(v * v)
			}
		}
		fitSymmetricNEON(&f, &columns[0], &weights[0], &products[0], n, &ends, float32(half))
		for j := range lanes {
			if f.tame[j] == 0 {
				fits[i+j] = fitSymmetric(x[(i+j)*n:][:n], blockWeights(w, (i+j)*n, len(x), n), half)
			} else {
				fits[i+j] = symmetricFit{f.scale[j], f.inverse[j]}
			}
		}
	}
}

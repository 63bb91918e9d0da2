//go:build !purego

package kernels

import "testing"

// TestSearchLanes checks that groups fitted in lanes get the numbers of the generic code,
// on rows of every kind and in every lane.
func TestSearchLanes(t *testing.T) {
	same := func(x, y float32) bool { return x == y || x != x && y != y }
	for _, fill := range blockFills {
		t.Run(fill.name, func(t *testing.T) {
			r := newRand(11)
			for round := range 50 {
				var x [superBlock]float32
				fill.fill(r, x[:])
				w := randomWeights(r, superBlock)
				for _, s := range []*affineSearch{&q4KSearch, &q4KWeightedSearch, &q5KSearch, &q5KWeightedSearch} {
					var got, want [8]affineFit
					s.fitGroups(got[:], x[:], w)
					s.fitGroupsGeneric(want[:], x[:], w)
					for i, g := range got {
						f := want[i]
						if !same(g.scale, f.scale) || !same(g.min, f.min) || !same(g.inverse, f.inverse) || !same(g.base, f.base) {
							t.Fatalf("round %d, affine to %d, group %d: %v, want %v", round, s.top, i, g, f)
						}
					}
				}
				for _, w := range [][]float32{nil, w} {
					var got, want [16]symmetricFit
					fitSymmetricGroups(got[:], x[:], w, 32)
					fitSymmetricGroupsGeneric(want[:], x[:], w, 32)
					for i, g := range got {
						if f := want[i]; !same(g.scale, f.scale) || !same(g.inverse, f.inverse) {
							t.Fatalf("round %d, symmetric, group %d: %v, want %v", round, i, g, f)
						}
					}
				}
			}
		})
	}
}

// TestSearchLanesVouch checks that the assembly does not leave ordinary numbers to the
// generic code, and does leave infinities.
func TestSearchLanesVouch(t *testing.T) {
	var x, w, scratch [lanes * mostColumns]float32
	fillNormal(newRand(12), x[:])
	for i := range w {
		w[i] = 1
	}
	inf := 1 / scratch[0]
	x[4*5+2] = inf
	want := [lanes]uint32{1<<32 - 1, 1<<32 - 1, 0, 1<<32 - 1}
	var affine affineLanes
	width := float32(15)
	fitAffineNEON(&affine, &x[0], &w[0], &scratch[0], mostColumns, &width, 1, 15)
	if affine.tame != want {
		t.Errorf("affine search vouches for %x, want %x", affine.tame, want)
	}
	var symmetric symmetricLanes
	ends := symmetricEnds(32)
	fitSymmetricNEON(&symmetric, &x[0], &w[0], &scratch[0], mostColumns, &ends, 32)
	if symmetric.tame != want {
		t.Errorf("symmetric search vouches for %x, want %x", symmetric.tame, want)
	}
}

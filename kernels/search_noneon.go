//go:build purego || !arm64

package kernels

func (s *affineSearch) fitGroups(fits []affineFit, x, w []float32) { s.fitGroupsGeneric(fits, x, w) }

func fitSymmetricGroups(fits []symmetricFit, x, w []float32, half int32) {
	fitSymmetricGroupsGeneric(fits, x, w, half)
}

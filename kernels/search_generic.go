package kernels

// fitGroupsGeneric is fit of as many successive groups of the values as there are fits.
func (s *affineSearch) fitGroupsGeneric(fits []affineFit, x, w []float32) {
	n := len(x) / len(fits)
	for i := range fits {
		fits[i] = s.fit(x[i*n:][:n], w[i*n:][:n])
	}
}

// fitSymmetricGroupsGeneric is fitSymmetric of as many successive groups of the values as
// there are fits.
func fitSymmetricGroupsGeneric(fits []symmetricFit, x, w []float32, half int32) {
	n := len(x) / len(fits)
	for i := range fits {
		fits[i] = fitSymmetric(x[i*n:][:n], blockWeights(w, i*n, len(x), n), half)
	}
}

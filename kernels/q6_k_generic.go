package kernels

func quantizeQ6_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ6_K {
		quantizeBlockQ6_K(dst[i/BlockLenQ6_K*BlockSizeQ6_K:][:BlockSizeQ6_K],
			src[i:][:BlockLenQ6_K], blockWeights(weights, i, rowLen, BlockLenQ6_K))
	}
}

func quantizeBlockQ6_K(dst []byte, x, weights []float32) {
	var fits [16]symmetricFit
	var fitted [16]float32
	fitSymmetricGroups(fits[:], x, weights, 32)
	for i, f := range fits {
		fitted[i] = f.scale
	}
	var scales [16]int8
	d, ok := scaleQ6_K(&scales, &fitted)
	if !ok {
		clear(dst)
		return
	}
	var levels [superBlock]uint8
	for i, s := range scales {
		ds := float32(halfValue(d) * float32(s))
		for j, v := range x[16*i:][:16] {
			if ds == 0 {
				levels[16*i+j] = fits[i].level(v, 32)
			} else {
				levels[16*i+j] = uint8(nearestLevel(v/ds, -32, 31) + 32)
			}
		}
	}
	storeQ6_K(dst, d, &scales, &levels)
}

//go:build !purego

package kernels

// iq4XSLanes has blocks of IQ4_XS in lanes.
type iq4XSLanes struct {
	superLanes
	fits   [8]iq4Lanes
	scales [16][8]int32 // by lane
	d      [16]float32
}

func quantizeIQ4_XS(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[iq4XSLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.fit(weights, i, rowLen)
			b.quantize()
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenIQ4_XS*BlockSizeIQ4_XS:][:BlockSizeIQ4_XS]
			if b.isWild(lane) {
				quantizeIQ4_XSGeneric(out, src[i:][:BlockLenIQ4_XS], BlockLenIQ4_XS, blockWeights(weights, i, rowLen, BlockLenIQ4_XS))
			} else {
				storeIQ4_XS(out, b.d[lane], &b.scales[lane], &b.levels[lane])
			}
			i += BlockLenIQ4_XS
		}
	}
}

// fit finds the scales of the blocks that were loaded from src[i:].
func (b *iq4XSLanes) fit(weights []float32, i, rowLen int) {
	if weights != nil {
		b.spreadBlocks(2)
	}
	for s := range b.fits {
		f := &b.fits[s]
		if weights == nil {
			squareWeightsLanes(&b.w[0], b.column(32*s), 32, b.lanes)
		} else {
			var sum perLane
			b.weigh(&b.w[0], &sum, weights, i, rowLen, 32*s, 32)
		}
		f.fit(b.column(32*s), &b.w[0], 32, b.lanes)
		b.wild |= f.wild
	}
	for lane := range b.blocks {
		var fitted [8]float32
		for s := range fitted {
			fitted[s] = b.fits[s].scale[lane]
		}
		b.d[lane] = scaleIQ4_XS(&b.scales[lane], &fitted)
	}
}

// quantize finds the levels of the blocks.
func (b *iq4XSLanes) quantize() {
	for s := range b.fits {
		var inverse perLane
		for lane := range b.blocks {
			d, wild := wildReciprocal(b.d[lane]*float32(b.scales[lane][s]), lane)
			inverse[lane] = d
			b.wild |= wild
		}
		levelsIQ4(&b.packed[8*s*b.lanes], b.column(32*s), &inverse, 32, b.lanes)
	}
	b.unpack()
}

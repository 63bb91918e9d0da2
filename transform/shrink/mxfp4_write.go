package shrink

import (
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// encodeMXFP4 returns the tensors of a matrix in MXFP4 as compressed-tensors has it.
func encodeMXFP4(module string, w weights, search bool) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	encode := func(dst [][]byte, x []float32) {
		mxfp4(dst[0], dst[1], x, search)
	}
	return w.encoded(k, 1, encode,
		part(module+".weight_packed", formats.U8, k/2, n, k/2),
		part(module+".weight_scale", formats.U8, k/mxGroup, n, k/mxGroup))
}

// mxfp4 makes groups of 32 codes E2M1 with a power of two, 2^(floor(log2 amax) − 2), as
// the Open Compute Project's Microscaling specification has it, or one of its neighbours
// where search finds that better.
func mxfp4(codes, scales []byte, x []float32, search bool) {
	s := formats.BorrowFloats(len(scales))
	defer formats.ReturnFloats(s)
	kernels.PeakGroups(s, x, mxGroup)
	for i, p := range s {
		scales[i] = uint8(max(0, int(math.Float32bits(p)>>23)-2))
	}
	kernels.DecodeF8E8M0(s, scales)
	if search {
		searchE2M1(s, x, mxGroup, func(i, step int) (float32, bool) {
			code := int(scales[i]) + step
			if code < 0 || code > 254 {
				return 0, false
			}
			var v [1]float32
			kernels.DecodeF8E8M0(v[:], []byte{byte(code)})
			return v[0], true
		}, func(i, step int) { scales[i] = byte(int(scales[i]) + step) })
	}
	kernels.EncodeE2M1Groups(codes, x, s, mxGroup)
}

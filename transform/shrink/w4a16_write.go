package shrink

import (
	"encoding/binary"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// encodeW4A16 returns the tensors of a matrix in symmetric 4-bit integers, packed:
//
//	scale = round16(amax / 7.5), code = min(max(round(w / scale), −8), 7) + 8
//
// or the scale that search finds.
func encodeW4A16(module string, w weights, group int, half formats.DType, search bool) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	encode := func(dst [][]byte, x []float32) {
		s := formats.BorrowFloats(len(x) / group)
		defer formats.ReturnFloats(s)
		kernels.PeakGroups(s, x, group)
		if search {
			searchInt4(s, x, group, half)
			formats.Encoder(half)(dst[1], s)
		} else {
			roundedQuotients(dst[1], s, 7.5, half)
		}
		levels := formats.BorrowBytes(len(x))
		defer formats.ReturnBytes(levels)
		kernels.DivideGroups(x, x, s, group)
		kernels.EncodeLevels(levels, x, -8, 7, 8)
		kernels.PackNibbles(dst[0], levels)
	}
	shape := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(n)), uint64(k))
	made := w.encoded(k, 2, encode,
		part(module+".weight_packed", formats.I32, k/2, n, k/8),
		part(module+".weight_scale", half, k/group*half.BlockBytes(), n, k/group))
	return append(made, constant(module+".weight_shape", formats.I64, shape, 2))
}

// roundedQuotients divides peaks by the greatest code, rounds them to a number format,
// and stores them in it.
func roundedQuotients(dst []byte, peaks []float32, most float32, half formats.DType) {
	for i := range peaks {
		peaks[i] /= most
	}
	formats.Encoder(half)(dst, peaks)
	formats.Decoder(half)(peaks, dst)
}

// roundTo rounds numbers to a number format.
func roundTo(d formats.DType, x []float32) {
	raw := formats.BorrowBytes(len(x) * d.BlockBytes())
	defer formats.ReturnBytes(raw)
	formats.Encoder(d)(raw, x)
	formats.Decoder(d)(x, raw)
}

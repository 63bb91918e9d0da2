package shrink

import (
	"context"
	"encoding/binary"
	"math"
	"sync"

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
	scales := func(x []float32) []float32 {
		s := formats.BorrowFloats(len(x) / group)
		kernels.PeakGroups(s, x, group)
		if search {
			searchInt4(s, x, group, half)
			return s
		}
		for i := range s {
			s[i] /= 7.5
		}
		roundTo(half, s)
		return s
	}
	shape := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(n)), uint64(k))
	return []*formats.Tensor{
		tensor(module+".weight_packed", formats.I32, &coded{w, 2, func(dst []byte, x []float32) {
			s := scales(x)
			defer formats.ReturnFloats(s)
			levels := formats.BorrowBytes(len(x))
			defer formats.ReturnBytes(levels)
			kernels.DivideGroups(x, x, s, group)
			kernels.EncodeLevels(levels, x, -8, 7, 8)
			kernels.PackNibbles(dst, levels)
		}}, n, k/8),
		tensor(module+".weight_scale", half, &coded{w, 1, func(dst []byte, x []float32) {
			s := scales(x)
			defer formats.ReturnFloats(s)
			formats.Encoder(half)(dst, s)
		}}, n, k/group),
		constant(module+".weight_shape", formats.I64, shape, 2),
	}
}

// roundTo rounds numbers to a number format.
func roundTo(d formats.DType, x []float32) {
	raw := formats.BorrowBytes(len(x) * d.BlockBytes())
	defer formats.ReturnBytes(raw)
	formats.Encoder(d)(raw, x)
	formats.Decoder(d)(x, raw)
}

// encodeFP8 returns the tensors of a matrix in FP8 with a scale for each row:
// scale = round16(amax / 448).
func encodeFP8(module string, w weights, half formats.DType) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	scales := func(x []float32) []float32 {
		s := formats.BorrowFloats(len(x) / k)
		kernels.PeakGroups(s, x, k)
		for i := range s {
			s[i] /= 448
		}
		roundTo(half, s)
		return s
	}
	return []*formats.Tensor{
		tensor(module+".weight", formats.F8_E4M3, &coded{w, 1, func(dst []byte, x []float32) {
			s := scales(x)
			defer formats.ReturnFloats(s)
			kernels.DivideGroups(x, x, s, k)
			kernels.EncodeF8E4M3(dst, x)
		}}, n, k),
		tensor(module+".weight_scale", half, &coded{w, 1, func(dst []byte, x []float32) {
			s := scales(x)
			defer formats.ReturnFloats(s)
			formats.Encoder(half)(dst, s)
		}}, n, 1),
	}
}

// A peak is the greatest magnitude of some matrices, found when it is first asked for.
type peak struct {
	of    []weights
	mu    sync.Mutex
	known bool
	value float32
}

func (p *peak) find(ctx context.Context) (float32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		return p.value, nil
	}
	var most float32
	for _, w := range p.of {
		err := w.eachChunk(ctx, chunk, func(_ int, x []float32) error {
			var one [1]float32
			kernels.PeakGroups(one[:], x, len(x))
			most = max(most, one[0])
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	p.value, p.known = most, true
	return most, nil
}

// global returns the factor that NVFP4 scales all of a matrix by: the greatest scale of
// a group becomes the greatest E4M3.
func (p *peak) global(ctx context.Context) (float32, error) {
	most, err := p.find(ctx)
	if most == 0 {
		return 1, err
	}
	return 448 * 6 / most, err
}

// encodeNVFP4 returns the tensors of a matrix in NVFP4: groups of 16 codes E2M1,
//
//	global = 448·6 / amax of the matrix and those that servers fuse with it
//	scale = E4M3(global · amax / 6), code = E2M1(w / (scale / global))
func encodeNVFP4(module string, w weights, all *peak, search bool) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	return []*formats.Tensor{
		tensor(module+".weight_packed", formats.U8, &nvfp4Rows{w, all, search, false}, n, k/2),
		tensor(module+".weight_scale", formats.F8_E4M3, &nvfp4Rows{w, all, search, true}, n, k/nvGroup),
		tensor(module+".weight_global_scale", formats.F32, &whole{w, func(ctx context.Context, dst []byte) error {
			g, err := all.global(ctx)
			binary.LittleEndian.PutUint32(dst, math.Float32bits(g))
			return err
		}}, 1),
	}
}

const nvGroup = 16

// nvfp4Rows are the codes or the scales of a matrix in NVFP4.
type nvfp4Rows struct {
	w      weights
	all    *peak
	search bool
	scales bool
}

func (r *nvfp4Rows) Scratch(n int) int64 {
	return r.w.scratch(n) + int64(n)*int64(r.w.NumCols()) + r.w.chunkScratch()
}

func (r *nvfp4Rows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	global, err := r.all.global(ctx)
	if err != nil {
		return err
	}
	x, err := r.w.read(ctx, lo, hi)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(x)
	s := formats.BorrowFloats(len(x) / nvGroup)
	defer formats.ReturnFloats(s)
	raw := formats.BorrowBytes(len(s))
	defer formats.ReturnBytes(raw)
	kernels.PeakGroups(s, x, nvGroup)
	for i, p := range s {
		s[i] = global * (p / 6)
	}
	kernels.EncodeF8E4M3(raw, s)
	kernels.DecodeF8E4M3(s, raw)
	for i := range s {
		s[i] /= global
	}
	if r.search {
		searchE2M1(s, x, nvGroup, func(i, step int) (float32, bool) {
			code := int(raw[i]) + step
			if code < 1 || code > 0x7e {
				return 0, false
			}
			var v [1]float32
			kernels.DecodeF8E4M3(v[:], []byte{byte(code)})
			return v[0] / global, true
		}, func(i, step int) { raw[i] = byte(int(raw[i]) + step) })
	}
	if r.scales {
		copy(dst, raw)
		return nil
	}
	kernels.EncodeE2M1Groups(dst, x, s, nvGroup)
	return nil
}

// encodeMXFP4 returns the tensors of a matrix in MXFP4: groups of 32 codes E2M1 with a
// power of two, 2^(floor(log2 amax) − 2), as the Open Compute Project's Microscaling
// specification has it, or twice that where search finds it better.
func encodeMXFP4(module string, w weights, search bool) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	return []*formats.Tensor{
		tensor(module+".weight_packed", formats.U8, &coded{w, 1, func(dst []byte, x []float32) { mxfp4(dst, nil, x, search) }}, n, k/2),
		tensor(module+".weight_scale", formats.U8, &coded{w, 1, func(dst []byte, x []float32) { mxfp4(nil, dst, x, search) }}, n, k/mxGroup),
	}
}

// mxfp4 makes codes and scales; either may be nil.
func mxfp4(codes, scales []byte, x []float32, search bool) {
	s := formats.BorrowFloats(len(x) / mxGroup)
	defer formats.ReturnFloats(s)
	raw := formats.BorrowBytes(len(s))
	defer formats.ReturnBytes(raw)
	kernels.PeakGroups(s, x, mxGroup)
	for i, p := range s {
		raw[i] = uint8(max(0, int(math.Float32bits(p)>>23)-2))
	}
	kernels.DecodeF8E8M0(s, raw)
	if search {
		searchE2M1(s, x, mxGroup, func(i, step int) (float32, bool) {
			code := int(raw[i]) + step
			if code < 0 || code > 254 {
				return 0, false
			}
			var v [1]float32
			kernels.DecodeF8E8M0(v[:], []byte{byte(code)})
			return v[0], true
		}, func(i, step int) { raw[i] = byte(int(raw[i]) + step) })
	}
	copy(scales, raw)
	if codes != nil {
		kernels.EncodeE2M1Groups(codes, x, s, mxGroup)
	}
}

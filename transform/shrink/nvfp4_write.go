package shrink

import (
	"context"
	"slices"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

const nvGroup = 16

// encodeNVFP4 returns the tensors of a matrix in NVFP4: groups of 16 codes E2M1,
//
//	global = 448·6 / amax of the matrix and those that servers fuse with it
//	scale = E4M3(global · amax / 6), code = E2M1(w / (scale / global))
func encodeNVFP4(module string, w weights, all *peak, search bool) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	made := (&encoded{from: w, piece: k, scratch: 1, needs: all, encode: func(dst [][]byte, x []float32) {
		nvfp4(dst[0], dst[1], x, all.global(), search)
	}}).tensors(
		part(module+".weight_packed", formats.U8, k/2, n, k/2),
		part(module+".weight_scale", formats.F8_E4M3, k/nvGroup, n, k/nvGroup))
	return append(made, tensor(module+".weight_global_scale", formats.F32, &found{all, func(dst []byte) {
		kernels.EncodeF32(dst, []float32{all.global()})
	}}, 1))
}

// nvfp4 makes codes and scales.
func nvfp4(codes, scales []byte, x []float32, global float32, search bool) {
	s := formats.BorrowFloats(len(scales))
	defer formats.ReturnFloats(s)
	kernels.PeakGroups(s, x, nvGroup)
	for i, p := range s {
		s[i] = global * (p / 6)
	}
	kernels.EncodeF8E4M3(scales, s)
	kernels.DecodeF8E4M3(s, scales)
	for i := range s {
		s[i] /= global
	}
	if search {
		searchE2M1(s, x, nvGroup, func(i, step int) (float32, bool) {
			code := int(scales[i]) + step
			if code < 1 || code > 0x7e {
				return 0, false
			}
			var v [1]float32
			kernels.DecodeF8E4M3(v[:], []byte{byte(code)})
			return v[0] / global, true
		}, func(i, step int) { scales[i] = byte(int(scales[i]) + step) })
	}
	kernels.EncodeE2M1Groups(codes, x, s, nvGroup)
}

// A peak is the greatest magnitude of some matrices, found when it is first asked for.
type peak struct {
	of    []weights
	mu    sync.Mutex
	known bool
	value float32 // once it is known
}

// peakOf returns the peak that a matrix shares with its siblings.
func (p *plan) peakOf(module string) *peak {
	names := siblings(module)
	if shared := p.peaks[names[0]]; shared != nil {
		return shared
	}
	shared := &peak{}
	for _, y := range p.report.Matrices {
		if y.Type == NVFP4 && slices.Contains(names, y.module) {
			shared.of = append(shared.of, weights{y.source})
		}
	}
	p.peaks[names[0]] = shared
	return shared
}

func (p *peak) find(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		return nil
	}
	var most float32
	for _, w := range p.of {
		err := w.eachChunk(ctx, 0, w.NumElements(), 1, func(_ int, x []float32) error {
			var one [1]float32
			kernels.PeakGroups(one[:], x, len(x))
			most = max(most, one[0])
			return nil
		})
		if err != nil {
			return err
		}
	}
	p.value, p.known = most, true
	return nil
}

// scratch is the memory that find takes.
func (p *peak) scratch() (most int64) {
	for _, w := range p.of {
		most = max(most, w.flatScratch(w.chunk(1)))
	}
	return most
}

// global returns the factor that NVFP4 scales all of a matrix by: the greatest scale of
// a group becomes the greatest E4M3.
func (p *peak) global() float32 {
	if p.value == 0 {
		return 1
	}
	return e4m3Most * 6 / p.value
}

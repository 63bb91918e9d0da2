package shrink

import (
	"slices"

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
	made := (&encoded{from: w, piece: k, scratch: 1, needs: all.pass, encode: func(dst [][]byte, x []float32) {
		nvfp4(dst[0], dst[1], x, all.global(), search)
	}}).tensors(
		part(module+".weight_packed", formats.U8, k/2, n, k/2),
		part(module+".weight_scale", formats.F8_E4M3, k/nvGroup, n, k/nvGroup))
	return append(made, tensor(module+".weight_global_scale", formats.F32, &found{all.pass, func(dst []byte) {
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
			return e4m3Values[code] / global, true
		}, func(i, step int) { scales[i] = byte(int(scales[i]) + step) })
	}
	kernels.EncodeE2M1Groups(codes, x, s, nvGroup)
}

// e4m3Values are the values of the codes without a sign, of which search tries single
// ones.
var e4m3Values = func() (values [0x80]float32) {
	codes := make([]byte, len(values))
	for i := range codes {
		codes[i] = byte(i)
	}
	kernels.DecodeF8E4M3(values[:], codes)
	return values
}()

// A peak is the greatest magnitude of some matrices.
type peak struct {
	*pass
	value float32 // once it is found
}

// peakOf returns the peak that a matrix shares with its siblings.
func (p *plan) peakOf(module string) *peak {
	names := siblings(module)
	if shared := p.peaks[names[0]]; shared != nil {
		return shared
	}
	var of []weights
	for _, y := range p.report.Matrices {
		if y.Type == NVFP4 && slices.Contains(names, y.module) {
			of = append(of, weights{y.source})
		}
	}
	shared := &peak{}
	shared.pass = newPass(1, func(x []float32) []float32 {
		most := formats.BorrowFloats(1)
		kernels.PeakGroups(most, x, len(x))
		return most
	}, func(most []float32) {
		shared.value = max(shared.value, most[0])
	}, of...)
	p.peaks[names[0]] = shared
	return shared
}

// global returns the factor that NVFP4 scales all of a matrix by: the greatest scale of
// a group becomes the greatest E4M3.
func (p *peak) global() float32 {
	if p.value == 0 {
		return 1
	}
	return e4m3Most * 6 / p.value
}

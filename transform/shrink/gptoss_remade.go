package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// TurnedGroup is how many rows of gpt-oss's experts are quantized together: reading
// multiples of them makes none twice.
const TurnedGroup = mxGroup

// remade are the values of gpt-oss's experts that are being quantized: what [turned]
// gives of the codes once they are written. Codes lie expert by expert, but those of some
// rows take no more than these rows of the source.
type remade struct {
	computing
	from *turnedExperts
}

// beingMade returns the experts that a tensor has the codes of, nil if they lie in a file.
func beingMade(codes *formats.Tensor) *turnedExperts {
	if j, _ := codes.Joint(); j != nil {
		e, _ := j.Pieces().(*turnedExperts)
		return e
	}
	return nil
}

func (r *remade) Scratch(n int) int64 {
	return 4*2*mxGroup*int64(r.from.w.NumCols()) + r.from.Scratch(1)
}

func (r *remade) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	n := r.from.w.NumCols()
	back, s := formats.BorrowFloats(mxGroup*n), formats.BorrowFloats(n)
	defer formats.ReturnFloats(back)
	defer formats.ReturnFloats(s)
	return r.from.eachGroup(ctx, lo/mxGroup, (hi+mxGroup-1)/mxGroup, func(i int, codes, scales []byte, y []float32) {
		kernels.DecodeF4(y, codes)
		kernels.DecodeF8E8M0(s, scales)
		scaleGroups(y, s, nil, mxGroup)
		turn(back, y, mxGroup)
		first := i * mxGroup
		from, to := max(lo, first), min(hi, first+mxGroup)
		kernels.EncodeF32(dst[4*(from-lo)*n:4*(to-lo)*n], back[(from-first)*n:(to-first)*n])
	})
}

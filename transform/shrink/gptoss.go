package shrink

import (
	"context"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// gpt-oss (quant_method mxfp4) keeps the experts P of shape [E, K, N], which
// multiply from the right, turned round and in blocks:
//
//	P_blocks  U8 [E, N, K/32, 16]: codes E2M1, the first of two in the low half
//	P_scales  U8 [E, N, K/32]: 2^(scale−127)
const mxGroup = 32

func readGptOss(r *reader) error {
	r.source.Scheme = "MXFP4 experts of gpt-oss"
	for _, t := range r.model.Tensors {
		name, ok := strings.CutSuffix(t.Name, "_blocks")
		if !ok {
			continue
		}
		s := t.Shape
		if t.DType != formats.U8 || len(s) != 4 || s[3] != mxGroup/2 {
			return invalid(t.Name, "%v are no blocks of MXFP4", &t.Info)
		}
		scales, err := r.state(name+"_scales", s[0]*s[1]*s[2], formats.U8, formats.F8_E8M0)
		if err != nil {
			return err
		}
		shape := []int{s[0], s[2] * mxGroup, s[1]}
		if e := beingMade(t); e != nil {
			r.replace(t, name, shape, &remade{computing(r.source.DType), e})
			continue
		}
		g := &grouped{computing: computing(r.source.DType), rows: s[0] * s[1], cols: s[2] * mxGroup, codes: t, bits: 4, unpack: unpackE2M1,
			scales: scales, scale: kernels.DecodeF8E8M0, group: mxGroup, tall: 1}
		r.replace(t, name, shape, &turned{g.computing, g, s[1]})
	}
	return nil
}

// turned are the rows of a stack of matrices that is stored transposed, each of n
// rows there.
type turned struct {
	computing
	from *grouped
	n    int
}

// turnedRows is how many stored rows are decoded at a time.
const turnedRows = 64

func (t *turned) Scratch(n int) int64 {
	width := int64(n + 2*mxGroup)
	return turnedRows*width*5 + 4*int64(n)*int64(t.n) + t.from.Scratch(turnedRows)
}

func (t *turned) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * t.n)
	defer formats.ReturnFloats(x)
	k := t.from.cols
	for at := lo; at < hi; {
		expert := at / k
		end := min(hi, (expert+1)*k)
		if err := t.readExpert(ctx, x[(at-lo)*t.n:], expert, at-expert*k, end-expert*k); err != nil {
			return err
		}
		at = end
	}
	kernels.EncodeF32(dst, x)
	return nil
}

// readExpert decodes rows of one expert, which are columns there.
func (t *turned) readExpert(ctx context.Context, dst []float32, expert, lo, hi int) error {
	from, to := lo/mxGroup*mxGroup, (hi+mxGroup-1)/mxGroup*mxGroup
	width := to - from
	x := formats.BorrowFloats(turnedRows * width)
	defer formats.ReturnFloats(x)
	for r := 0; r < t.n; r += turnedRows {
		rows := min(turnedRows, t.n-r)
		if err := t.from.read(ctx, x[:rows*width], expert*t.n+r, expert*t.n+r+rows, from, to); err != nil {
			return err
		}
		for c := lo; c < hi; c++ {
			out := dst[(c-lo)*t.n+r:][:rows]
			for i := range out {
				out[i] = x[i*width+c-from]
			}
		}
	}
	return nil
}

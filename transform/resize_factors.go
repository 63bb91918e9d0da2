package transform

import (
	"context"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/lowrank"
)

// A loraPair is the factors of a module, or of a parameter that may hold several
// experts.
type loraPair struct {
	name    string // of the module or parameter
	down    *formats.Tensor
	up      *formats.Tensor
	experts int
	scale   float64

	products []*lowrank.Product
	values   [][]float64
	rank     int
	error2   float64
	norm2    float64
}

// decompose finds the singular values of each expert, and the rank.
func (p *loraPair) decompose(ctx context.Context, o *ResizeOptions, common int) error {
	down, err := readAll(ctx, p.down)
	if err != nil {
		return err
	}
	up, err := readAll(ctx, p.up)
	if err != nil {
		return err
	}
	rank := p.down.Shape[0] / p.experts
	in, out := len(down)/p.down.Shape[0], p.up.Shape[0]
	p.products, p.values, p.norm2, p.error2 = nil, nil, 0, 0
	p.rank = common
	for e := range p.experts {
		q := &lowrank.Product{Rank: rank, Rows: out, Cols: in, L: make([]float64, rank*out), R: make([]float64, rank*in)}
		for k := range rank {
			for i := range out {
				q.L[k*out+i] = p.scale * float64(up[i*rank*p.experts+k*p.experts+e])
			}
			for j := range in {
				q.R[k*in+j] = float64(down[(e*rank+k)*in+j])
			}
		}
		values, u, v := q.Decompose()
		q.L, q.R = u, v
		p.products = append(p.products, q)
		p.values = append(p.values, values)
		var norm2 float64
		for _, s := range values {
			norm2 += float64(s * s)
		}
		p.norm2 += norm2
		goal := lowrank.Goal{Rank: o.Rank}
		if o.Rank == 0 {
			goal = lowrank.Goal{Energy: o.Energy}
		}
		n := 0
		for n < len(values) && values[n] > 1e-12*values[0] {
			n++
		}
		if common == 0 {
			p.rank = max(p.rank, min(goal.RankOf(values, math.Sqrt(norm2), min(in, out)), n))
		}
	}
	p.rank = max(min(p.rank, rank), 1) // PEFT has no rank 0
	return nil
}

func readAll(ctx context.Context, t *formats.Tensor) ([]float32, error) {
	x := make([]float32, t.NumElements())
	if err := t.ReadFloats(ctx, x, 0, t.NumRows()); err != nil {
		return nil, t.Error(err)
	}
	for i, v := range x {
		if v-v != 0 {
			return nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "element %d is %v", i, v))
		}
	}
	return x, nil
}

// store rounds the new factors, stores them, and measures what they are off by.
func (z *resizing) store(p *loraPair) ([]*formats.Tensor, error) {
	dtype := z.o.DType
	if dtype == formats.Invalid {
		dtype = p.down.DType
		if formats.Encoder(dtype) == nil {
			dtype = formats.F32
		}
	}
	in, out := p.products[0].Cols, p.products[0].Rows
	down, up := make([]float32, p.experts*p.rank*in), make([]float32, out*p.rank*p.experts)
	for e, q := range p.products {
		for k := range p.rank {
			half := math.Sqrt(p.values[e][k])
			for j := range in {
				down[(e*p.rank+k)*in+j] = float32(half * q.R[k*in+j])
			}
			for i := range out {
				up[i*p.rank*p.experts+k*p.experts+e] = float32(half * q.L[k*out+i])
			}
		}
	}
	put := func(like *formats.Tensor, x []float32, shape []int) (*formats.Tensor, error) {
		offset, err := z.spool.reserve(int64(len(x) * dtype.BlockBytes()))
		if err != nil {
			return nil, err
		}
		m := &spooledMatrix{spool: z.spool, offset: offset, dtype: dtype, rows: 1, cols: len(x), width: len(x)}
		if err := m.WriteFloats(x, 0, 1); err != nil {
			return nil, like.Error(err)
		}
		return z.spool.tensor(formats.Info{Name: like.Name, DType: dtype, Shape: shape}, offset), nil
	}
	downShape := append([]int{p.experts * p.rank}, p.down.Shape[1:]...)
	upShape := slices.Clone(p.up.Shape)
	upShape[1] = p.rank * p.experts
	d, err := put(p.down, down, downShape)
	if err != nil {
		return nil, err
	}
	u, err := put(p.up, up, upShape)
	if err != nil {
		return nil, err
	}
	p.measure(down, up)
	return []*formats.Tensor{d, u}, nil
}

// measure adds up ‖scale·B·A − B̂·Â‖² over the experts, for the factors as they are
// stored, from inner products of factors: ‖P‖² − 2⟨P, P̂⟩ + ‖P̂‖².
func (p *loraPair) measure(down, up []float32) {
	for e, q := range p.products {
		for k := range q.Rank {
			for i := range q.Rows {
				q.L[k*q.Rows+i] *= p.values[e][k]
			}
		}
		stored := &lowrank.Product{Rank: p.rank, Rows: q.Rows, Cols: q.Cols, L: make([]float64, p.rank*q.Rows), R: make([]float64, p.rank*q.Cols)}
		for k := range p.rank {
			for i := range q.Rows {
				stored.L[k*q.Rows+i] = float64(up[i*p.rank*p.experts+k*p.experts+e])
			}
			for j := range q.Cols {
				stored.R[k*q.Cols+j] = float64(down[(e*p.rank+k)*q.Cols+j])
			}
		}
		p.error2 += max(q.Inner(q)-2*q.Inner(stored)+stored.Inner(stored), 0)
	}
}

func (p *loraPair) report() *LayerReport {
	q := p.products[0]
	r := &LayerReport{Module: p.name, Kind: "lora", Rows: q.Rows, Cols: q.Cols, DeltaNorm: math.Sqrt(p.norm2), Rank: p.rank,
		SingularValues: significant(p.values[0])}
	var best2 float64
	for _, values := range p.values {
		for _, s := range values[p.rank:] {
			best2 += s * s
		}
	}
	if p.norm2 > 0 {
		r.RelativeError = math.Sqrt(p.error2 / p.norm2)
	}
	r.Energy = 1 - r.RelativeError*r.RelativeError
	if best2 > 1e-14*p.norm2 {
		r.AtMost = max(math.Sqrt(p.error2/best2), 1)
	}
	return r
}

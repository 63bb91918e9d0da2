package lowrank

import "context"

// isSmall reports whether a matrix is decomposed by way of D·Dᵀ or DᵀD as a
// whole, in float64, which is the optimum but for rounding.
func isSmall(rows, cols int) bool {
	const side, area = 256, 1 << 22
	return cols <= side || rows <= side && rows*cols <= area
}

func (dec *Decomposition) dense(ctx context.Context, p pass, o Options) error {
	dec.Left = p.rows < p.cols
	n := min(p.rows, p.cols)
	a, err := p.wholeGram(ctx, dec.Left)
	if err != nil {
		return err
	}
	t := tridiagonalize(a, n)
	values := t.values()
	r, _ := o.Goal.rank(values, o.Norm2, n)
	for r > 0 && values[r-1] <= 1e-15*values[0] {
		r--
	}
	dec.Rank = r
	dec.Values = roots(values)
	for _, v := range t.vectors(values, r) {
		dec.Vectors = append(dec.Vectors, float32(v))
	}
	for _, v := range values[r:] {
		dec.BestError2 += max(v, 0)
	}
	return nil
}

// wholeGram returns the lower triangle of DᵀD, or of DDᵀ if left is set.
func (p *pass) wholeGram(ctx context.Context, left bool) ([]float64, error) {
	if left {
		all := make([]float32, p.rows*p.cols)
		err := p.run(ctx, func(rows panel) error {
			for i := rows.lo; i < rows.hi; i++ {
				copy(all[i*p.cols:][:p.cols], rows.x[(i-rows.lo)*rows.ld:])
			}
			return nil
		}, nil)
		return p.team.selfProducts(all, p.rows), err
	}
	a := make([]float64, p.cols*p.cols)
	wide := make([]float64, p.cols)
	err := p.run(ctx, rowwiseNothing, func(all panel) error {
		for i := range all.hi - all.lo {
			for j, v := range all.x[i*all.ld:][:p.cols] {
				wide[j] = float64(v)
			}
			p.team.Ranges(p.cols, 32, func(from, to int) {
				for j := from; j < to; j++ {
					axpy64(a[j*p.cols:][:j+1], wide[j], wide[:j+1])
				}
			})
		}
		return nil
	})
	return a, err
}

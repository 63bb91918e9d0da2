package adapter

import "context"

// A factor is one side of a low-rank product, as it lies in an adapter's tensor:
// the element for row or column i of the product and rank index k is number
//
//	offset + i·stride + k·step
//
// of the tensor. One of stride and step is 1, except for the up factor of fused
// experts, in which the experts take turns.
type factor struct {
	values
	offset       int
	stride, step int
	rank         int
}

// rowsOf returns the factor of a tensor of shape [n, rank], such as lora_B.
func rowsOf(v values, rank int) factor {
	return factor{values: v, stride: rank, step: 1, rank: rank}
}

// columnsOf returns the factor of a tensor of shape [rank, n], such as lora_A.
func columnsOf(v values, rank int) factor {
	return factor{values: v, stride: 1, step: v.NumElements() / max(1, rank), rank: rank}
}

// byRank reports whether load gives the elements of one rank index side by side,
// shape [rank, n], and not those of one i, [n, rank].
func (f *factor) byRank() bool { return f.stride == 1 && f.step != 1 }

// load fills dst with the elements for i in [lo, hi).
func (f *factor) load(ctx context.Context, dst []float32, lo, hi int) error {
	n := hi - lo
	dst = dst[:n*f.rank]
	switch {
	case f.step == 1 && f.stride == f.rank || f.stride == 1 && f.step == n:
		return f.read(ctx, dst, f.offset+lo*f.stride)
	case f.byRank():
		for k := range f.rank {
			if err := f.read(ctx, dst[k*n:(k+1)*n], f.offset+k*f.step+lo); err != nil {
				return err
			}
		}
		return nil
	}
	return f.gather(ctx, dst, n, f.rank, f.offset+lo*f.stride, f.stride, f.step)
}

// loadScratch bounds the memory that load takes for n of i, beside dst.
func (f *factor) loadScratch(n int) int64 {
	if f.stride == 1 || f.step == 1 {
		return f.scratch(n * f.rank)
	}
	elements := f.rank*f.step + gatherBytes/f.DType.BlockBytes() + f.stride
	return 4*int64(elements) + f.scratch(elements)
}

package adapter

import "github.com/loratool/loratool/formats"

// buildConvolution plans the factors of a convolution: A of shape [r, in, k …]
// and B of shape [out, r, 1 …] for a kernel of shape [out, in, k …]. Stride,
// padding and dilation make no difference to the kernel.
func (b *builder) buildConvolution(m *module, t *Target, f *factors) error {
	a, w := f.a.Shape, t.Shape
	if len(a) != len(f.b.Shape) || len(a) != len(w) {
		return b.misfit(f.a.Tensor, t)
	}
	if groups := groupsOf(f, w); groups > 1 {
		return &formats.Error{Path: f.a.path(), Tensor: f.a.Name, Err: formats.Reasonf(formats.ErrUnsupported,
			"the base's %s is a grouped convolution (%d groups), for which a LoRA is no change of the kernel that PEFT could merge either", t.Name, groups)}
	}
	if err := b.checkRank(f, a[0], f.b.Shape[1]); err != nil {
		return err
	}
	for i := 1; i < len(a); i++ {
		if a[i] != w[i] || i > 1 && f.b.Shape[i] != 1 {
			return b.misfit(f.a.Tensor, t)
		}
	}
	if f.b.Shape[0] != w[0] {
		return b.misfit(f.b.Tensor, t)
	}
	t.MatrixCols = f.a.NumElements() / f.rank
	p := product{hi: w[0], left: rowsOf(f.b, f.rank), right: columnsOf(f.a, f.rank)}
	return b.applyFactors(m, t, f, false, b.delta(t, f, "lora", false, p))
}

// groupsOf returns the number of groups of a convolution with a kernel of shape w:
// the kernel of a grouped one has a group's inputs, and PEFT gives A all of them
// and B a group's share of the ranks.
func groupsOf(f *factors, w []int) int {
	if in := w[1]; in > 0 && f.a.Shape[1] > in && f.a.Shape[1]%in == 0 {
		return f.a.Shape[1] / in
	}
	if share := f.b.Shape[1]; share > 0 && f.a.Shape[0] > share && f.a.Shape[0]%share == 0 && f.a.Shape[0] == f.rank {
		return f.a.Shape[0] / share
	}
	return 1
}

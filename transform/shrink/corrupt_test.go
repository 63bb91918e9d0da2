package shrink_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/shrink"
)

// TestDequantizeCorrupt changes one tensor of a checkpoint's state: each is refused by
// its name.
func TestDequantizeCorrupt(t *testing.T) {
	remove := func(*formats.Tensor) *formats.Tensor { return nil }
	reshape := func(d formats.DType, shape ...int) func(*formats.Tensor) *formats.Tensor {
		return func(x *formats.Tensor) *formats.Tensor {
			c := *x
			c.DType, c.Shape = d, shape
			return &c
		}
	}
	const q = "model.layers.0.self_attn.q_proj"
	for _, c := range []struct {
		dir, tensor string
		change      func(*formats.Tensor) *formats.Tensor
		want        string
	}{
		// bitsandbytes 0.50 saves this after a forward pass on a CPU.
		{"bnb-nf4", q + ".weight.absmax", reshape(formats.BF16, 1, 64), "repacks them"},
		{"bnb-nf4", q + ".weight.absmax", reshape(formats.F32, 63), "does not fit"},
		{"bnb-nf4", q + ".weight.absmax", remove, "missing"},
		{"bnb-nf4", q + ".weight.quant_map", remove, "missing"},
		{"bnb-nf4", q + ".weight", reshape(formats.U8, 2047, 1), "no room for the codes"},
		{"bnb-nf4-dq", q + ".weight.nested_absmax", remove, "missing"},
		{"bnb-int8", q + ".SCB", reshape(formats.F32, 63), "the codes need 64 elements"},
		{"mlx-4bit-g64", q + ".biases", remove, "missing"},
		{"mlx-4bit-g64", q + ".weight", remove, ""},
		{"ct-w4a16-g128", q + ".weight_packed", remove, "are missing"},
		{"ct-w4a16-g128", q + ".weight_shape", remove, "missing"},
		{"nvfp4a16", q + ".weight_global_scale", remove, "missing"},
		{"fp8-block128", q + ".weight_scale_inv", reshape(formats.F32, 3, 1), "the codes need"},
		{"gptq-4bit", q + ".scales", remove, "missing"},
		{"awq-4bit", q + ".qzeros", reshape(formats.I32, 1, 2), "the codes need"},
	} {
		m := open(t, goldens+"/read/"+c.dir)
		i := slices.IndexFunc(m.Tensors, func(x *formats.Tensor) bool { return x.Name == c.tensor })
		if i < 0 {
			t.Fatalf("%s has no %s", c.dir, c.tensor)
		}
		bad := &formats.Model{Path: m.Path, Format: m.Format, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
		bad.Tensors = slices.Clone(m.Tensors)
		if x := c.change(m.Tensors[i]); x != nil {
			bad.Tensors[i] = x
		} else {
			bad.Tensors = slices.Delete(bad.Tensors, i, i+1)
		}
		_, _, err := shrink.Dequantize(bad)
		e, ok := errors.AsType[*formats.Error](err)
		if !ok || !errors.Is(err, formats.ErrFormat) || !strings.Contains(e.Error(), c.want) || !strings.HasPrefix(e.Tensor, q) || e.Path == "" {
			t.Errorf("%s with another %s: %v, want an error about it with %q", c.dir, c.tensor, err, c.want)
		}
	}
}

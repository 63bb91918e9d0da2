package arch

import (
	"context"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// gpt-oss: experts in MXFP4, the rest in BF16. Checkpoints have an expert matrix
// as two tensors, blocks of sixteen bytes and scales; GGUF has one whose blocks
// begin with their scale. Gate and up rows alternate.
var _ = register(&Architecture{
	Name:    "gpt-oss",
	Classes: []string{"GptOssForCausalLM"},
	checkpoint: checkpoint{
		modelType: "gpt_oss",
		renames:   map[string]string{".feed_forward_length": "", ".expert_count": "num_local_experts", ".expert_feed_forward_length": "intermediate_size"},
		constants: `{"hidden_act": "silu"}`,
		restore: func(_ *ggufKeys, config *strictjson.Object) error {
			if rope := config.Object("rope_scaling"); rope != nil {
				rope.Set("truncate", false) // the bounds of its yarn scaling are not rounded
			}
			return nil
		},
	},
	family: tokenizer.BPE,
	rules: rules(embeddings, attention, []rule{
		{hf: "model.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*"},
		{hf: "model.layers.#.post_attention_layernorm.*", gguf: "blk.#.post_attention_norm.*"},
		{hf: "model.layers.#.self_attn.sinks", gguf: "blk.#.attn_sinks.weight"},
		{hf: "model.layers.#.mlp.router.*", gguf: "blk.#.ffn_gate_inp.*"},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_gate_exps.weight", op: every(0, 2)},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_up_exps.weight", op: every(1, 2)},
		{hf: "model.layers.#.mlp.experts.gate_up_proj_bias", gguf: "blk.#.ffn_gate_exps.bias", op: everyColumn(0, 2)},
		{hf: "model.layers.#.mlp.experts.gate_up_proj_bias", gguf: "blk.#.ffn_up_exps.bias", op: everyColumn(1, 2)},
		{hf: "model.layers.#.mlp.experts.down_proj", gguf: "blk.#.ffn_down_exps.weight"},
		{hf: "model.layers.#.mlp.experts.down_proj_bias", gguf: "blk.#.ffn_down_exps.bias"},
	}),
	ignored:     buffers,
	prepare:     prepareExperts,
	restore:     restoreExperts,
	quantMethod: "mxfp4",
	defaults: `{"max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "head_dim": 64, "num_key_value_heads": 8,
		"sliding_window": 128, "num_local_experts": 128, "num_experts_per_tok": 4,
		"rope_parameters": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
		"original_max_position_embeddings": 4096, "rope_theta": 150000.0}}`,
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		kv.uintOf(c, ".attention.sliding_window", "sliding_window")
		kv.uintOf(c, ".expert_feed_forward_length", "intermediate_size")
		return nil
	},
})

// prepareExperts joins blocks with their scales, and turns expert matrices that
// are not quantized, [experts, in, out], to [experts, out, in] as those are.
func prepareExperts(tensors []*formats.Tensor) ([]*formats.Tensor, error) {
	scales := map[string]*formats.Tensor{}
	for _, t := range tensors {
		if base, ok := strings.CutSuffix(t.Name, "_scales"); ok {
			scales[base] = t
		}
	}
	var first, out []*formats.Tensor // llama.cpp writes the quantized ones before all others
	for _, t := range tensors {
		base, isBlocks := strings.CutSuffix(t.Name, "_blocks")
		switch {
		case strings.HasSuffix(t.Name, "_scales"):
		case isBlocks:
			j, err := joinMX(t, scales[base], base)
			if err != nil {
				return nil, err
			}
			first = append(first, j)
		case strings.HasSuffix(t.Name, ".mlp.experts.gate_up_proj") || strings.HasSuffix(t.Name, ".mlp.experts.down_proj"):
			out = append(out, transpose(t, t.Name))
		default:
			out = append(out, t)
		}
	}
	return append(first, out...), nil
}

// restoreExperts is the inverse of prepareExperts.
func restoreExperts(tensors []*formats.Tensor) ([]*formats.Tensor, error) {
	var out []*formats.Tensor
	for _, t := range tensors {
		switch {
		case t.DType == formats.MXFP4:
			blocks, scales := splitMX(t)
			out = append(out, blocks, scales)
		case strings.HasSuffix(t.Name, ".mlp.experts.gate_up_proj") || strings.HasSuffix(t.Name, ".mlp.experts.down_proj"):
			out = append(out, transpose(t, t.Name))
		default:
			out = append(out, t)
		}
	}
	return out, nil
}

// A block of MXFP4 has 32 elements. In a checkpoint byte j holds the elements 2j
// and 2j+1, in GGUF the elements j and j+16, both the first of them in the low half.
const (
	mxBlock = 32
	mxBytes = mxBlock / 2
)

func toGGMLNibbles(dst, src []byte) {
	element := func(i int) byte { return src[i/2] >> (4 * (i % 2)) & 15 }
	for j := range mxBytes {
		dst[j] = element(j) | element(j+mxBytes)<<4
	}
}

func fromGGMLNibbles(dst, src []byte) {
	element := func(i int) byte { return src[i%mxBytes] >> (4 * (i / mxBytes)) & 15 }
	for j := range mxBytes {
		dst[j] = element(2*j) | element(2*j+1)<<4
	}
}

// joined are rows of MXFP4 made of a checkpoint's blocks, [experts, rows,
// cols/32, 16], and scales, [experts, rows, cols/32].
type joined struct {
	blocks, scales *formats.Tensor
	perRow         int // blocks
}

func joinMX(blocks, scales *formats.Tensor, name string) (*formats.Tensor, error) {
	if scales == nil {
		return nil, blocks.Error(formats.Reasonf(formats.ErrMismatch, "%s_scales is missing", name))
	}
	b, s := blocks.Shape, scales.Shape
	if blocks.DType != formats.U8 || scales.DType != formats.U8 || len(b) != 4 || len(s) != 3 || b[3] != mxBytes ||
		b[0] != s[0] || b[1] != s[1] || b[2] != s[2] {
		return nil, blocks.Error(formats.Reasonf(formats.ErrMismatch, "%v does not fit its scales, %v", &blocks.Info, &scales.Info))
	}
	return &formats.Tensor{Info: formats.Info{Name: name, DType: formats.MXFP4, Shape: []int{b[0], b[1], b[2] * mxBlock}},
		Rows: &joined{blocks, scales, b[2]}}, nil
}

func (j *joined) Scratch(n int) int64 {
	return int64(n*j.perRow)*(mxBytes+1) + max(j.blocks.Rows.Scratch(n*j.perRow), j.scales.Rows.Scratch(n))
}

func (j *joined) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	n := (hi - lo) * j.perRow
	blocks, scales := formats.BorrowBytes(n*mxBytes), formats.BorrowBytes(n)
	defer formats.ReturnBytes(blocks)
	defer formats.ReturnBytes(scales)
	if err := j.blocks.ReadRows(ctx, blocks, lo*j.perRow, hi*j.perRow); err != nil {
		return err
	}
	if err := j.scales.ReadRows(ctx, scales, lo, hi); err != nil {
		return err
	}
	for i := range n {
		out := dst[i*(mxBytes+1):]
		out[0] = scales[i]
		toGGMLNibbles(out[1:1+mxBytes], blocks[i*mxBytes:])
	}
	return nil
}

// halfMX are the blocks or the scales of rows of MXFP4.
type halfMX struct {
	from   *formats.Tensor
	perRow int
	scales bool
}

func splitMX(t *formats.Tensor) (blocks, scales *formats.Tensor) {
	s := t.Shape
	n := s[2] / mxBlock
	blocks = &formats.Tensor{Info: formats.Info{Name: t.Name + "_blocks", DType: formats.U8, Shape: []int{s[0], s[1], n, mxBytes}},
		Rows: &halfMX{t, n, false}}
	scales = &formats.Tensor{Info: formats.Info{Name: t.Name + "_scales", DType: formats.U8, Shape: []int{s[0], s[1], n}},
		Rows: &halfMX{t, n, true}}
	return blocks, scales
}

// rows returns which rows of the source hold the wanted ones: a row of blocks is
// a single block.
func (h *halfMX) rows(lo, hi int) (from, to int) {
	if h.scales {
		return lo, hi
	}
	return lo / h.perRow, (hi + h.perRow - 1) / h.perRow
}

func (h *halfMX) Scratch(n int) int64 {
	rows := n
	if !h.scales {
		rows = n/h.perRow + 2
	}
	return int64(rows)*h.from.RowBytes() + h.from.Rows.Scratch(rows)
}

func (h *halfMX) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	from, to := h.rows(lo, hi)
	raw := formats.BorrowBytes((to - from) * int(h.from.RowBytes()))
	defer formats.ReturnBytes(raw)
	if err := h.from.ReadRows(ctx, raw, from, to); err != nil {
		return err
	}
	const size = mxBytes + 1
	if h.scales {
		for i := range len(dst) {
			dst[i] = raw[i*size]
		}
		return nil
	}
	for i := lo; i < hi; i++ {
		fromGGMLNibbles(dst[(i-lo)*mxBytes:], raw[(i-from*h.perRow)*size+1:][:mxBytes])
	}
	return nil
}

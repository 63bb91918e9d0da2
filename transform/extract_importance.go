package transform

import (
	"context"
	"regexp"
	"strconv"

	"github.com/loratool/loratool/formats/imatrix"
)

// ggufNames are what llama.cpp calls the matrices of a layer, by what Hugging Face
// checkpoints of the Llama kind call them. A number after "experts." is the expert.
var ggufNames = map[string]string{
	"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
	"self_attn.qkv_proj": "attn_qkv", "self_attn.dense": "attn_output",
	"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate_up_proj": "ffn_up",
	"mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down", "mlp.gate": "ffn_gate_inp", "block_sparse_moe.gate": "ffn_gate_inp",
	"mlp.experts.gate_proj": "ffn_gate_exps", "mlp.experts.up_proj": "ffn_up_exps", "mlp.experts.down_proj": "ffn_down_exps",
	"block_sparse_moe.experts.w1": "ffn_gate_exps", "block_sparse_moe.experts.w3": "ffn_up_exps", "block_sparse_moe.experts.w2": "ffn_down_exps",
}

var layerWeight = regexp.MustCompile(`(?:^|\.)layers\.(\d+)\.(.*?)(?:\.(\d+))?(\.\w+)?\.weight$`)

// ImportanceOf returns the importance of inputs as an importance matrix has it,
// for [ExtractOptions]. Tensors are looked up by their own names and by those that
// llama.cpp gives them. The order of a matrix's rows is llama.cpp's, but that of
// its columns, the inputs, is the checkpoint's.
func ImportanceOf(m *imatrix.Matrix) func(ctx context.Context, tensor string, expert, experts, inputs int) ([]float32, error) {
	return func(ctx context.Context, tensor string, expert, experts, inputs int) ([]float32, error) {
		e := m.Entry(tensor)
		if e == nil {
			name, n := ggufName(tensor)
			if e = m.Entry(name); e == nil {
				return nil, nil
			}
			expert += n
		}
		x := make([]float32, inputs)
		if e.Fits(max(experts, expert+1), inputs) != nil && e.Fits(1, inputs) != nil {
			return nil, e.Fits(experts, inputs)
		}
		return x, e.Read(ctx, x, expert)
	}
}

// ggufName returns llama.cpp's name of a weight, and the expert that it is of
// the tensor of that name.
func ggufName(tensor string) (name string, expert int) {
	if tensor == "lm_head.weight" {
		return "output.weight", 0
	}
	m := layerWeight.FindStringSubmatch(tensor)
	if m == nil {
		return "", 0
	}
	part := m[2] + m[4]
	if m[3] != "" {
		expert, _ = strconv.Atoi(m[3])
	}
	if ggufNames[part] == "" {
		return "", 0
	}
	return "blk." + m[1] + "." + ggufNames[part] + ".weight", expert
}

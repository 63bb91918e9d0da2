package adapter

import (
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats/strictjson"
)

// The names of modules in memory, which adapters use, are not always those on
// disk. Transformers 5 renames modules of many architectures when it loads a
// checkpoint and names them back when it saves one, so that files stay as they
// were; adapters are saved under the names in memory. An adapter that was
// trained with transformers 4 has the names on disk, or those of its own time.
//
// A family is a set of model types with the renamings that turn a name on disk
// into the one in memory. Each is applied once, in order, to the first match.

// A family is one row of the table.
type family struct {
	types   []string // model_type, of the model or of one of its parts
	renames []renaming
}

type renaming struct {
	from   *regexp.Regexp
	to     string
	unless *regexp.Regexp // do nothing if this matches; nil for never
}

// ren makes renamings of pairs of expression and replacement.
func ren(pairs ...string) []renaming {
	var out []renaming
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, renaming{from: regexp.MustCompile(pairs[i]), to: pairs[i+1]})
	}
	return out
}

// languageModel are the renamings of most models of several modalities: the
// language model and what feeds it are parts of "model" in memory.
func languageModel(parts string) []renaming {
	return ren(`^language_model\.lm_head\.`, "lm_head.", `^language_model\.model\.`, "model.language_model.",
		`^(`+parts+`)\b`, "model.$1")
}

// unlessNested renames a prefix unless one of the parts follows it already.
func unlessNested(from, to, parts string) renaming {
	return renaming{regexp.MustCompile(from), to, regexp.MustCompile(`^model\.(` + parts + `)\.`)}
}

var separateAttention = []string{`attention\.query`, "q_proj", `attention\.key`, "k_proj", `attention\.value`, "v_proj",
	`attention\.output\.dense`, "attention.o_proj", `intermediate\.dense`, "mlp.fc1", `output\.dense`, "mlp.fc2"}

var detectionTransformer = []string{`out_proj`, "o_proj", `layers\.(\d+)\.fc1`, "layers.$1.mlp.fc1", `layers\.(\d+)\.fc2`, "layers.$1.mlp.fc2"}

var families = []family{
	{types: []string{"mixtral", "minimax", "minimax_m2", "kimi_linear"}, renames: ren(`\.block_sparse_moe\.`, ".mlp.")},
	{types: []string{"phimoe"}, renames: ren(`\.block_sparse_moe\.`, ".mlp.", `\.gate\.weight`, ".router.weight")},
	{types: []string{"granitemoe", "granitemoeshared", "granitemoehybrid"}, renames: ren(
		`block_sparse_moe\.input_linear\.weight`, "block_sparse_moe.experts.gate_up_proj",
		`block_sparse_moe\.output_linear\.weight`, "block_sparse_moe.experts.down_proj",
		`block_sparse_moe\.router\.layer\.weight`, "block_sparse_moe.router.weight")},
	{types: []string{"aria_text", "aria"}, renames: ren(`mlp\.experts\.fc1\.weight`, "mlp.experts.gate_up_proj", `mlp\.experts\.fc2\.weight`, "mlp.experts.down_proj")},
	{types: []string{"nemotron_h"}, renames: ren(`^backbone\.`, "model.")},
	{types: []string{"gpt_neox"}, renames: ren(`^embed_out\.`, "lm_head.")},
	{types: []string{"olmo_hybrid"}, renames: ren(`attention_layer_norm`, "input_layernorm", `feedforward_layer_norm`, "post_attention_layernorm")},
	{types: []string{"hy_v3"}, renames: ren(`mlp\.router\.gate\.weight`, "mlp.gate.weight", `mlp\.shared_mlp\.`, "mlp.shared_experts.")},
	{types: []string{"laguna"}, renames: ren(`mlp\.shared_expert\.`, "mlp.shared_experts.")},
	{types: []string{"mimo_v2_flash"}, renames: ren(`self_attn\.attention_sink_bias`, "self_attn.sinks")},
	{types: []string{"flint"}, renames: ren(`self_attn\.softmax_offset`, "self_attn.sinks")},
	{types: []string{"kolibri1"}, renames: ren(`post_attn_norm`, "post_self_attn_layernorm", `post_ffn_norm`, "post_mlp_layernorm")},
	{types: []string{"timesfm2_5"}, renames: ren(`ff0`, "fc1", `ff1`, "fc2")},
	{types: []string{"deepseek_v4"}, renames: ren(
		`\.attn\.`, ".self_attn.", `\.ffn\.`, ".mlp.", `\.indexer\.compressor\.`, ".compressor.indexer.",
		`^embed\.weight`, "embed_tokens.weight", `^head\.weight`, "lm_head.weight", `\.attn_norm\.`, ".input_layernorm.",
		`\.ffn_norm\.`, ".post_attention_layernorm.", `\.wq_a\.`, ".q_a_proj.", `\.self_attn\.wq_b\.`, ".self_attn.q_b_proj.",
		`\.wkv\.`, ".kv_proj.", `\.wgate\.`, ".gate_proj.", `\.wo_a\.`, ".o_a_proj.", `\.wo_b\.`, ".o_b_proj.",
		`\.shared_experts\.w1\.`, ".shared_experts.gate_proj.", `\.shared_experts\.w2\.`, ".shared_experts.down_proj.",
		`\.shared_experts\.w3\.`, ".shared_experts.up_proj.")},

	{types: []string{"gemma3n_text", "qwen3_5_text", "qwen3_5_moe_text"}, renames: ren(`^model\.language_model\.`, "model.")},
	{types: []string{"qwen2_vl", "qwen2_5_vl"}, renames: []renaming{
		{from: regexp.MustCompile(`^visual\.`), to: "model.visual."},
		unlessNested(`^model\.`, "model.language_model.", "language_model|visual")}},
	{types: []string{"qwen2_5_omni_thinker", "qwen3_omni_moe_thinker"}, renames: []renaming{
		{from: regexp.MustCompile(`^thinker\.`), to: ""},
		{from: regexp.MustCompile(`^(visual|audio_tower)\.`), to: "model.$1."},
		unlessNested(`^model\.`, "model.language_model.", "language_model|visual|audio_tower")}},
	{types: []string{"paddleocr_vl"}, renames: []renaming{
		{from: regexp.MustCompile(`^mlp_AR\.`), to: "model.projector."},
		{from: regexp.MustCompile(`^visual\.`), to: "model.visual."},
		unlessNested(`^model\.`, "model.language_model.", "language_model|visual|projector")}},
	{types: []string{"llava", "aria", "paligemma", "aya_vision", "got_ocr2", "gemma3", "internvl", "vipllava", "mistral3", "pp_chart2table",
		"llava_next", "llava_next_video", "llava_onevision", "video_llava", "fuyu", "mllama", "qwen2_audio", "voxtral", "voxtral_realtime",
		"audioflamingo3", "glmasr", "musicflamingo", "vibevoice_asr"},
		renames: languageModel("vision_tower|image_tower|video_tower|audio_tower|multi_modal_projector|image_newline|vision_model|vision_embed_tokens|acoustic_tokenizer_encoder|semantic_tokenizer_encoder")},
	{types: []string{"granite_speech", "granite_speech_plus"}, renames: languageModel("encoder|projector")},
	{types: []string{"emu3"}, renames: ren(`^text_model\.lm_head\.`, "lm_head.", `^text_model\.model\.`, "model.text_model.", `^vqmodel\.`, "model.vqmodel.")},
	{types: []string{"kimi_k25"}, renames: ren(`^language_model\.model\.`, "model.language_model.", `^language_model\.lm_head\.`, "lm_head.")},
	{types: []string{"colqwen2"}, renames: ren(`^vlm\.model\.`, "vlm.")},
	{types: []string{"shieldgemma2"}, renames: ren(`^language_model\.model\.`, "model.model.language_model.", `^language_model\.lm_head\.`, "model.lm_head.",
		`^(vision_tower|multi_modal_projector)\.`, "model.model.$1.")},

	{types: []string{"vit", "audio-spectrogram-transformer", "beit", "data2vec-vision", "deit", "ijepa", "vit_mae", "vit_msn", "vivit", "pixio"},
		renames: ren(append([]string{`encoder\.layer\.`, "layers."}, separateAttention...)...)},
	{types: []string{"dinov2", "dinov2_with_registers", "lw_detr"}, renames: ren(`attention\.attention\.query`, "attention.q_proj", `attention\.attention\.key`, "attention.k_proj",
		`attention\.attention\.value`, "attention.v_proj", `attention\.output\.dense`, "attention.o_proj", `mlp\.weights_out`, "mlp.down_proj")},
	{types: []string{"dinov3_vit"}, renames: []renaming{{regexp.MustCompile(`\blayer\.`), "model.layer.", regexp.MustCompile(`model\.layer\.`)}}},
	{types: []string{"dinov3_convnext"}, renames: []renaming{{regexp.MustCompile(`\bstages`), "model.stages", regexp.MustCompile(`model\.stages`)}}},
	{types: []string{"swin", "maskformer-swin"}, renames: ren(`attention\.self\.query`, "attention.q_proj", `attention\.self\.key`, "attention.k_proj", `attention\.self\.value`, "attention.v_proj",
		`attention\.output\.dense`, "attention.o_proj", `intermediate\.dense`, "mlp.fc1", `output\.dense`, "mlp.fc2")},
	{types: []string{"segformer"}, renames: ren(`encoder\.patch_embeddings\.(\d+)\.`, "stages.$1.patch_embeddings.", `encoder\.block\.(\d+)\.`, "stages.$1.blocks.",
		`encoder\.layer_norm\.(\d+)`, "stages.$1.layer_norm", `attention\.self\.query`, "attention.q_proj", `attention\.self\.key`, "attention.k_proj",
		`attention\.self\.value`, "attention.v_proj", `attention\.self\.sr`, "attention.sequence_reduction.sequence_reduction",
		`attention\.self\.layer_norm`, "attention.sequence_reduction.layer_norm", `attention\.output\.dense`, "attention.o_proj", `mlp\.dense1`, "mlp.fc1", `mlp\.dense2`, "mlp.fc2",
		`layer_norm_1`, "layernorm_before", `layer_norm_2`, "layernorm_after", `decode_head\.linear_c\b`, "decode_head.linear_projections")},
	{types: []string{"detr", "conditional_detr"}, renames: ren(append([]string{`backbone\.conv_encoder`, "backbone"}, detectionTransformer...)...)},
	{types: []string{"rt_detr", "rt_detr_v2"}, renames: ren(append(detectionTransformer, `encoder\.encoder\.(\d+)\.layers`, "encoder.aifi.$1.layers")...)},
	{types: []string{"deformable_detr"}, renames: ren(append([]string{`backbone\.conv_encoder`, "backbone"}, detectionTransformer...)...)},
	{types: []string{"nomic_bert"}, renames: ren(`encoder\.layers`, "layers", `emb_ln`, "embeddings.LayerNorm", `attn\.out_proj`, "self_attn.o_proj", `fc11`, "up_proj",
		`fc12`, "gate_proj", `fc2`, "down_proj", `norm1`, "post_attention_layernorm", `norm2`, "post_mlp_layernorm")},
	{types: []string{"gte"}, renames: ren(`^new\.`, "", `encoder\.layer`, "layers", `attention\.o_proj`, "self_attn.o_proj", `attn_ln`, "post_attention_layernorm", `mlp_ln`, "post_mlp_layernorm")},
}

// everywhere are renamings of all architectures: parameters of old checkpoints.
var everywhere = ren(`LayerNorm\.gamma$`, "LayerNorm.weight", `LayerNorm\.beta$`, "LayerNorm.bias")

// namer turns names on disk into names in memory.
type namer struct {
	types   []string // of the model and of its text model
	renames []renaming
}

// newNamer returns the namer for a config.json, which may be nil.
func newNamer(config *strictjson.Object) *namer {
	n := &namer{types: modelTypes(config)}
	for _, t := range n.types {
		for _, f := range families {
			if slices.Contains(f.types, t) {
				n.renames = append(n.renames, f.renames...)
			}
		}
	}
	n.renames = append(n.renames, everywhere...)
	return n
}

// modelTypes returns the model_type of a configuration and of those in it.
func modelTypes(config *strictjson.Object) []string {
	if config == nil {
		return nil
	}
	var types []string
	if t := config.String("model_type"); t != "" {
		types = append(types, t)
	}
	for _, m := range config.Members {
		if o, ok := m.Value.(*strictjson.Object); ok && strings.HasSuffix(m.Key, "_config") {
			types = append(types, modelTypes(o)...)
		}
	}
	return types
}

// is reports whether one of the model's types is among the given ones.
func (n *namer) is(types ...string) bool {
	return slices.ContainsFunc(n.types, func(t string) bool { return slices.Contains(types, t) })
}

// inMemory returns the name in memory of a tensor on disk.
func (n *namer) inMemory(name string) string {
	for _, r := range n.renames {
		if r.unless != nil && r.unless.MatchString(name) {
			continue
		}
		if m := r.from.FindStringSubmatchIndex(name); m != nil {
			name = name[:m[0]] + string(r.from.ExpandString(nil, r.to, name, m)) + name[m[1]:]
		}
	}
	return name
}

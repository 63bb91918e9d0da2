"""peft_cases.py OUT [NAME …]: makes tiny checkpoints, adapters for them, and what PEFT merges them to.

Each case is a folder OUT/NAME with base/, adapter/, expected/ and case.json, which has the
tolerance. Random numbers come from the seed in the environment (LORATOOL_SEED, 0 otherwise).
"""
import json, os, sys, warnings
warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch, transformers, peft
from transformers import AutoConfig
from peft import LoraConfig, PeftModel, get_peft_model
transformers.logging.set_verbosity_error()

SEED = int(os.environ.get("LORATOOL_SEED", "0"))
LM = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
          num_key_value_heads=1, max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)


def lm(kind, cls="AutoModelForCausalLM", **kw):
    """A model of the type, with those of the usual sizes that its configuration knows."""
    known = AutoConfig.for_model(kind)
    args = {k: v for k, v in LM.items() if hasattr(known, k)}
    args.update(kw)
    return getattr(transformers, cls).from_config(AutoConfig.for_model(kind, **args))


def exact(model_class, config):
    return model_class(config)


def clip():
    from transformers import CLIPConfig, CLIPModel
    sub = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, projection_dim=12)
    return CLIPModel(CLIPConfig(text_config=dict(sub, vocab_size=40, max_position_embeddings=16),
                                vision_config=dict(sub, image_size=8, patch_size=4), projection_dim=12))


def vlm(kind, cls, vision, text, **kw):
    vc = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4)
    tc = dict(LM, head_dim=8)
    tc.update(text)
    vc.update(vision)
    config = AutoConfig.for_model(kind, vision_config=vc, text_config=tc, **kw)
    return getattr(transformers, cls)(config)


ATT = ["q_proj", "k_proj", "v_proj", "o_proj"]
MLP = ["gate_proj", "up_proj", "down_proj"]
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
GPT2 = dict(n_embd=16, n_layer=2, n_head=2, n_positions=64)

# name: model, LoraConfig's arguments, dtype, options
CASES = {
    "qwen2_moe": (lambda: lm("qwen2_moe", moe_intermediate_size=12, shared_expert_intermediate_size=20, num_experts=4, num_experts_per_tok=2), dict(target_modules=ATT + ["shared_expert.gate_proj", "shared_expert.down_proj"], target_parameters=EXPERTS, r=3), "float32", {}),
    "qwen2_moe_down_only": (lambda: lm("qwen2_moe", moe_intermediate_size=12, shared_expert_intermediate_size=20, num_experts=4, num_experts_per_tok=2), dict(target_modules=["q_proj"], target_parameters=["mlp.experts.down_proj"], r=3), "float32", {}),
    "qwen2_moe_gate_up_only": (lambda: lm("qwen2_moe", moe_intermediate_size=12, shared_expert_intermediate_size=20, num_experts=4, num_experts_per_tok=2), dict(target_modules=["q_proj"], target_parameters=["experts.gate_up_proj"], r=3, rank_pattern={"experts.gate_up_proj": 5}, alpha_pattern={r".*\.0\.mlp\.experts\.gate_up_proj": 3}), "float32", {}),
    "deepseek_v3": (lambda: lm("deepseek_v3", moe_intermediate_size=12, n_routed_experts=4, num_experts_per_tok=2, n_group=1, topk_group=1, first_k_dense_replace=1, q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=8, num_key_value_heads=2, n_shared_experts=1), dict(target_modules=["q_a_proj", "q_b_proj", "kv_b_proj", "o_proj"] + MLP, target_parameters=EXPERTS, r=2), "float32", {}),
    "gpt_oss": (lambda: lm("gpt_oss", num_local_experts=3, num_experts_per_tok=2, head_dim=8), dict(target_modules=ATT, target_parameters=EXPERTS, r=2), "float32", {}),
    "gpt_oss_square": (lambda: lm("gpt_oss", num_local_experts=3, num_experts_per_tok=2, head_dim=8, intermediate_size=16), dict(target_modules=ATT, target_parameters=EXPERTS, r=2), "float32", {}),
    "mixtral_square": (lambda: lm("mixtral", num_local_experts=3, intermediate_size=16), dict(target_modules=["v_proj"], target_parameters=EXPERTS, r=2, use_rslora=True), "float32", {}),
    "phimoe": (lambda: lm("phimoe", num_local_experts=3), dict(target_modules=["q_proj"], target_parameters=EXPERTS, r=2), "float32", {}),
    "jamba": (lambda: lm("jamba", num_experts=2, num_experts_per_tok=1, attn_layer_period=2, attn_layer_offset=1, expert_layer_period=2, expert_layer_offset=1, mamba_d_state=4, mamba_dt_rank=4, use_mamba_kernels=False), dict(target_modules=["q_proj", "in_proj", "out_proj"], target_parameters=["feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"], r=2), "float32", {}),
    "granitemoe": (lambda: lm("granitemoe", num_local_experts=3), dict(target_modules=["q_proj"], target_parameters=["experts.gate_up_proj", "experts.down_proj"], r=2), "float32", {}),
    "llama4_text": (lambda: lm("llama4_text", num_local_experts=3, intermediate_size_mlp=24, head_dim=8, interleave_moe_layer_step=1), dict(target_modules=["q_proj"], target_parameters=["feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"], r=2), "float32", {}),
    "olmoe": (lambda: lm("olmoe", num_experts=3, num_experts_per_tok=2), dict(target_modules=ATT, target_parameters=EXPERTS, r=2), "float32", {}),
    "router": (lambda: lm("qwen3_moe", moe_intermediate_size=12, num_experts=4, num_experts_per_tok=2, head_dim=8), dict(target_modules=["q_proj"], target_parameters=["mlp.gate.weight"], r=2, rank_pattern={"gate.weight": 3}), "float32", {}),
    "phi3": (lambda: lm("phi3"), dict(target_modules=["qkv_proj", "o_proj", "gate_up_proj", "down_proj"], r=4), "bfloat16", {}),
    "falcon": (lambda: lm("falcon", multi_query=True, new_decoder_architecture=False), dict(target_modules=["query_key_value", "dense", "dense_h_to_4h"], r=4), "bfloat16", {}),
    "gpt_neox": (lambda: lm("gpt_neox"), dict(target_modules=["query_key_value", "dense", "embed_out", "lm_head"], r=4), "float32", {}),
    "bloom": (lambda: lm("bloom", n_layer=2, n_head=2), dict(target_modules=["query_key_value"], r=4, lora_bias=True), "bfloat16", {}),
    "opt": (lambda: lm("opt", ffn_dim=24, word_embed_proj_dim=16), dict(target_modules=["q_proj", "fc1", "out_proj"], r=4, lora_bias=True, bias="all"), "bfloat16", {}),
    "bert_cls": (lambda: lm("bert", "AutoModelForSequenceClassification", num_labels=3), dict(target_modules=["query", "value", "dense"], r=4, task_type="SEQ_CLS"), "float32", {}),
    "roberta_cls": (lambda: lm("roberta", "AutoModelForSequenceClassification", num_labels=3), dict(target_modules=["query", "key"], r=4, task_type="SEQ_CLS"), "bfloat16", {}),
    "bert_mlm_dora": (lambda: lm("bert", "AutoModelForMaskedLM"), dict(target_modules=["query", "value"], r=4, use_dora=True, use_rslora=True, rank_pattern={"layer.0.*": 2}), "float32", {}),
    "t5": (lambda: lm("t5", "AutoModelForSeq2SeqLM", d_model=16, d_ff=24, d_kv=8, num_layers=2, num_heads=2, decoder_start_token_id=0), dict(target_modules=["q", "v", "wi", "wo"], r=4), "bfloat16", {}),
    "bart": (lambda: lm("bart", "AutoModelForSeq2SeqLM", d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=24, decoder_ffn_dim=24, encoder_attention_heads=2, decoder_attention_heads=2), dict(target_modules=["q_proj", "fc2"], r=4, bias="lora_only"), "bfloat16", {}),
    "whisper": (lambda: lm("whisper", "AutoModelForSpeechSeq2Seq", d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=24, decoder_ffn_dim=24, encoder_attention_heads=2, decoder_attention_heads=2, num_mel_bins=8, decoder_start_token_id=1, max_source_positions=8, max_target_positions=8), dict(target_modules=["q_proj", "v_proj", "conv1", "conv2"], r=4), "float32", {}),
    "vit": (lambda: lm("vit", "AutoModelForImageClassification", image_size=8, patch_size=4), dict(target_modules=["q_proj", "v_proj", "query", "value", "fc1", "projection"], r=4, modules_to_save=["classifier"]), "float32", {}),
    "deit_mlp": (lambda: exact(transformers.DeiTForImageClassification, transformers.DeiTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=8, patch_size=4)), dict(target_modules=["fc1", "fc2", "o_proj"], r=4), "bfloat16", {}),
    "dinov2": (lambda: lm("dinov2", "AutoModel", image_size=8, patch_size=4), dict(target_modules="all-linear", r=4), "bfloat16", {}),
    "swin": (lambda: exact(transformers.SwinModel, transformers.SwinConfig(image_size=16, patch_size=2, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=2)), dict(target_modules="all-linear", r=4), "float32", {}),
    "segformer": (lambda: lm("segformer", "AutoModelForSemanticSegmentation", hidden_sizes=[8, 8, 8, 8], decoder_hidden_size=8, depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], num_labels=3), dict(target_modules=["q_proj", "v_proj", "classifier"], r=2), "float32", {}),
    "detr": (lambda: lm("rt_detr", "AutoModelForObjectDetection", d_model=16, encoder_hidden_dim=16, encoder_ffn_dim=24, decoder_ffn_dim=24, encoder_layers=1, decoder_layers=1, num_queries=4, encoder_attention_heads=2, decoder_attention_heads=2, num_labels=3), dict(target_modules=["q_proj", "fc1", "fc2"], r=2), "float32", {}),
    "clip": (clip, dict(target_modules=["q_proj", "v_proj", "fc1", "visual_projection", "token_embedding"], r=4), "float32", {}),
    "llava": (lambda: vlm("llava", "LlavaForConditionalGeneration", dict(model_type="clip_vision_model"), dict(model_type="llama"), image_token_index=39), dict(target_modules=["q_proj", "o_proj", "linear_1", "lm_head"], r=4), "bfloat16", {}),
    "llava_regex": (lambda: vlm("llava", "LlavaForConditionalGeneration", dict(model_type="clip_vision_model"), dict(model_type="mistral"), image_token_index=39), dict(target_modules=r".*language_model.*\.(q_proj|down_proj)", r=4, use_dora=True), "bfloat16", {}),
    "gemma3": (lambda: vlm("gemma3", "Gemma3ForConditionalGeneration", dict(model_type="siglip_vision_model"), dict(model_type="gemma3_text"), mm_tokens_per_image=4), dict(target_modules=ATT + MLP, r=4), "bfloat16", {}),
    "qwen2_vl": (lambda: vlm("qwen2_vl", "Qwen2VLForConditionalGeneration", dict(embed_dim=16, depth=1, num_heads=2, hidden_size=16, mlp_ratio=2), dict(rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4})), dict(target_modules=ATT + ["qkv", "fc1"], r=4), "bfloat16", {}),
    "qwen2_5_vl": (lambda: vlm("qwen2_5_vl", "Qwen2_5_VLForConditionalGeneration", dict(depth=1, num_heads=2, hidden_size=16, out_hidden_size=16, intermediate_size=24), dict(rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4})), dict(target_modules=ATT + ["qkv"], r=4), "float16", {}),
    "mamba": (lambda: lm("mamba", state_size=4, time_step_rank=4), dict(target_modules=["in_proj", "x_proj"], r=4), "bfloat16", {}),
    "gpt2_all": (lambda: lm("gpt2", **GPT2), dict(target_modules=["c_attn", "c_proj", "c_fc"], r=4, use_dora=True, use_rslora=True, rank_pattern={"attn.c_proj": 3}, alpha_pattern={"h.1.*": 5}), "float32", {}),
    "gpt2_lora_bias": (lambda: lm("gpt2", **GPT2), dict(target_modules=["c_attn", "c_proj", "c_fc"], r=4, lora_bias=True), "bfloat16", {}),
    "gpt2_without_prefix": (lambda: lm("gpt2", **GPT2), dict(target_modules=["c_attn", "c_proj"], r=4), "bfloat16", {"strip": "transformer."}),
    "bert_without_prefix": (lambda: lm("bert", "AutoModelForSequenceClassification", num_labels=3), dict(target_modules=["query"], r=4, task_type="SEQ_CLS"), "float32", {"strip": "bert.", "drop": "classifier."}),
    "gptj": (lambda: lm("gptj", n_embd=16, n_layer=2, n_head=2, n_positions=64, rotary_dim=4), dict(target_modules=["q_proj", "fc_in", "wte", "lm_head"], r=4), "float32", {}),
    "llama_f16_dora": (lambda: lm("llama"), dict(target_modules=ATT + MLP, r=8, use_dora=True, use_rslora=True), "float16", {"adapter_dtype": "bfloat16"}),
    "llama_safe": (lambda: lm("llama"), dict(target_modules=ATT + MLP, r=8), "bfloat16", {"safe": True}),
    "llama_rank_200": (lambda: lm("llama", hidden_size=256, intermediate_size=288, head_dim=128), dict(target_modules=ATT + MLP, r=150), "bfloat16", {}),
    "llama_tokens": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=4, trainable_token_indices=[30, 2, 11]), "bfloat16", {}),
    "llama_save_all": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=4, modules_to_save=["embed_tokens", "lm_head", "norm", "input_layernorm"]), "bfloat16", {}),
    "qwen2_tied_save_embed": (lambda: lm("qwen2", tie_word_embeddings=True), dict(target_modules=["q_proj"], r=4, modules_to_save=["embed_tokens"]), "bfloat16", {}),
    "qwen2_tied_save_both_ensured": (lambda: lm("qwen2", tie_word_embeddings=True), dict(target_modules=["q_proj"], r=4, modules_to_save=["embed_tokens"], ensure_weight_tying=True), "bfloat16", {}),
    "llama_tied_tokens_ensured": (lambda: lm("llama", tie_word_embeddings=True), dict(target_modules=["q_proj"], r=4, trainable_token_indices=[5, 7], ensure_weight_tying=True), "bfloat16", {}),
    "llama_olora_f32": (lambda: lm("llama"), dict(target_modules=ATT + MLP, r=4, init_lora_weights="olora"), "float32", {"tolerance": {"exact_fraction": 0, "max_ulp": 64, "abs_tol": 2e-5}, "base_is": "original"}),
    "llama_kasa": (lambda: lm("llama"), dict(target_modules=["q_proj", "down_proj"], r=3, kasa_config=peft.KasaConfig() if hasattr(peft, "KasaConfig") else None), "float32", {"tolerance": {"exact_fraction": 0, "max_ulp": 64, "abs_tol": 2e-5}, "base_is": "original"}),
    "gpt2_pissa": (lambda: lm("gpt2", **GPT2), dict(target_modules=["c_attn", "c_proj"], r=3, init_lora_weights="pissa"), "float32", {"tolerance": {"exact_fraction": 0, "max_ulp": 64, "abs_tol": 2e-5}, "base_is": "original"}),
    "mica": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=3, init_lora_weights="mica"), "float32", {}),
}
OTHER = {
    "ia3_gpt2": (lambda: lm("gpt2", **GPT2), ("IA3Config", dict(target_modules=["c_attn", "mlp.c_proj", "c_fc"], feedforward_modules=["mlp.c_proj", "c_fc"])), "float32", {}),
    "ia3_bf16": (lambda: lm("qwen2"), ("IA3Config", dict(target_modules=ATT[1:3] + ["down_proj"], feedforward_modules=["down_proj"])), "bfloat16", {}),
    "ia3_conv": (lambda: lm("resnet", "AutoModel", embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], num_channels=3), ("IA3Config", dict(target_modules=["convolution", "shortcut.convolution"], feedforward_modules=["shortcut.convolution"])), "float32", {}),
    "loha_bf16": (lambda: lm("llama"), ("LoHaConfig", dict(target_modules=ATT + MLP, r=3, alpha=5, rank_pattern={"q_proj": 5}, alpha_pattern={"layers.1.*": 2})), "bfloat16", {"loose": True}),
    "loha_conv": (lambda: lm("resnet", "AutoModel", embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], num_channels=3), ("LoHaConfig", dict(target_modules=["convolution"], r=3, use_effective_conv2d=False)), "float32", {"loose": True}),
    "lokr_bf16": (lambda: lm("llama", hidden_size=48, intermediate_size=96, num_attention_heads=2, head_dim=24), ("LoKrConfig", dict(target_modules=ATT + MLP, r=2, alpha=5, decompose_both=True, decompose_factor=4)), "bfloat16", {"loose": True}),
    "lokr_products": (lambda: lm("llama", hidden_size=64, intermediate_size=96, num_attention_heads=2, head_dim=32), ("LoKrConfig", dict(target_modules=ATT + MLP, r=1, alpha=5, decompose_both=True, decompose_factor=8)), "float32", {"loose": True}),
    "lokr_conv_tucker": (lambda: lm("resnet", "AutoModel", embedding_size=32, hidden_sizes=[32, 64], depths=[1, 1], num_channels=3, layer_type="basic"), ("LoKrConfig", dict(target_modules=["convolution"], r=1, use_effective_conv2d=True)), "float32", {"loose": True}),
    "lokr_conv": (lambda: lm("resnet", "AutoModel", embedding_size=32, hidden_sizes=[32, 64], depths=[1, 1], num_channels=3, layer_type="basic"), ("LoKrConfig", dict(target_modules=["convolution"], r=1)), "float32", {"loose": True}),
    "adalora_gpt2": (lambda: lm("gpt2", **GPT2), ("AdaLoraConfig", dict(target_modules=["c_attn", "c_proj"], init_r=6, target_r=3, total_step=10, lora_alpha=7)), "float32", {"loose": True}),
    "vera_gpt2": (lambda: lm("gpt2", **GPT2), ("VeraConfig", dict(target_modules=["c_attn"], r=5)), "float32", {"loose": True}),
    "vera_bf16": (lambda: lm("llama"), ("VeraConfig", dict(target_modules=["q_proj", "k_proj"], r=5)), "bfloat16", {"loose": True}),
    "oft_shared": (lambda: lm("llama"), ("OFTConfig", dict(target_modules=ATT, oft_block_size=4, block_share=True)), "float32", {"loose": True}),
    "oft_blocks": (lambda: lm("llama"), ("OFTConfig", dict(target_modules=ATT + MLP, r=2, oft_block_size=0, num_cayley_neumann_terms=3)), "bfloat16", {"loose": True}),
    "oft_constrained": (lambda: lm("llama"), ("OFTConfig", dict(target_modules=ATT, oft_block_size=8, coft=True, eps=0.5, use_cayley_neumann=False)), "float32", {"loose": True}),
    "oft_conv": (lambda: lm("resnet", "AutoModel", embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], num_channels=4), ("OFTConfig", dict(target_modules=["shortcut.convolution", "layer.1.convolution"], oft_block_size=4)), "float32", {"loose": True}),
    "boft_blocks": (lambda: lm("llama"), ("BOFTConfig", dict(target_modules=ATT + MLP, boft_block_size=0, boft_block_num=4)), "bfloat16", {"loose": True}),
    "hra_bf16": (lambda: lm("llama"), ("HRAConfig", dict(target_modules=ATT + MLP, r=4)), "bfloat16", {"loose": True}),
    "miss_bf16": (lambda: lm("llama"), ("MissConfig", dict(target_modules=ATT + MLP, r=7)), "bfloat16", {}),
    "c3a_small": (lambda: lm("llama"), ("C3AConfig", dict(target_modules=ATT + MLP, block_size=4)), "float32", {"loose": True}),
    "shira_f16": (lambda: lm("llama"), ("ShiraConfig", dict(target_modules=ATT + MLP, r=3)), "float16", {}),
    "tokens_tied": (lambda: lm("qwen2", tie_word_embeddings=True), ("TrainableTokensConfig", dict(target_modules=["embed_tokens"], token_indices=[7, 3])), "bfloat16", {}),
    "ln_tuning_bert": (lambda: lm("bert", "AutoModelForMaskedLM"), ("LNTuningConfig", dict(target_modules=["LayerNorm"])), "bfloat16", {}),
    "bdlora": (lambda: lm("llama"), dict(target_modules=ATT + MLP, r=4, use_bdlora=peft.tuners.lora.config.BdLoraConfig(target_modules_bd_a=["o_proj", "down_proj"], target_modules_bd_b=["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"], nblocks=2)), "float32", {}),
    "bdlora_bf16": (lambda: lm("llama"), dict(target_modules=ATT, r=4, use_bdlora=peft.tuners.lora.config.BdLoraConfig(target_modules_bd_a=["o_proj"], target_modules_bd_b=["q_proj"], match_strict=False, nblocks=4)), "bfloat16", {"rounding": "peft"}),
    "monteclora": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=4, monteclora_config=peft.tuners.lora.config.MontecloraConfig()), "float32", {}),
    "velora": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=4, velora_config=peft.tuners.lora.config.VeloraConfig()), "float32", {}),
    "copies_in_f32": (lambda: lm("llama"), dict(target_modules=["q_proj", "embed_tokens", "lm_head"], r=4), "bfloat16", {"rounding": "peft", "train": "float32"}),
    "two_dora": (lambda: lm("llama"), [dict(target_modules=["q_proj", "down_proj"], r=4, use_dora=True), dict(target_modules=["q_proj", "v_proj"], r=3, use_dora=True)], "float32", {"rounding": "peft"}),
    "dora_and_lora": (lambda: lm("llama"), [dict(target_modules=["q_proj", "down_proj"], r=4), dict(target_modules=["q_proj", "v_proj"], r=3, use_dora=True)], "float32", {"rounding": "peft"}),
    "three_in_turn": (lambda: lm("llama"), [dict(target_modules=ATT, r=4), dict(target_modules=ATT, r=3), dict(target_modules=ATT + ["embed_tokens"], r=2)], "bfloat16", {"rounding": "peft"}),
    "three_in_turn_safe": (lambda: lm("llama"), [dict(target_modules=ATT, r=4), dict(target_modules=ATT, r=3), dict(target_modules=ATT + ["embed_tokens"], r=2)], "bfloat16", {"rounding": "peft-safe", "safe": True}),
    "grown": (lambda: lm("llama"), dict(target_modules=["q_proj"], r=4), "bfloat16", {"grow": 47}),
    "shrunk_tied": (lambda: lm("qwen2", tie_word_embeddings=True), dict(target_modules=["q_proj"], r=4), "bfloat16", {"grow": 33}),
    "grown_tied_tokens": (lambda: lm("qwen2", tie_word_embeddings=True), dict(target_modules=["q_proj"], r=4, trainable_token_indices=[41, 42]), "bfloat16", {"grow": 44}),
}
CASES.update(OTHER)
EXACT = {"float32": dict(exact_fraction=0.0, max_ulp=8, abs_tol=2e-7), "bfloat16": dict(exact_fraction=0.995, max_ulp=1), "float16": dict(exact_fraction=0.99, max_ulp=1)}


def randomize(model, generator):
    """Gives all parameters values of the size of trained ones."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dtype.is_floating_point:
                x = torch.randn(p.shape, generator=generator) * (0.3 if "norm" in name.lower() else 0.2)
                p.copy_((x + (1 if "norm" in name.lower() and name.endswith("weight") else 0)).to(p.dtype))


def randomize_adapter(model, generator):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_magnitude" in name:
                p.mul_(1 + 0.2 * torch.randn(p.shape, generator=generator).to(p.dtype))
            elif "trainable_tokens" in name or any("." + x in name for x in ("lora_", "hada_", "lokr_", "vera_lambda", "oft_", "boft_", "hra_", "miss_", "c3a_", "shira_")):
                p.copy_((torch.randn(p.shape, generator=generator) * 0.15).to(p.dtype))
            elif p.requires_grad:
                p.add_((torch.randn(p.shape, generator=generator) * 0.1).to(p.dtype))


def randomize_new(model, generator):
    """Gives the rows of resized embeddings values, the old ones too."""
    with torch.no_grad():
        for m in {id(x): x for x in (model.get_input_embeddings(), model.get_output_embeddings())}.values():
            m.weight.copy_((torch.randn(m.weight.shape, generator=generator) * 0.2).to(m.weight.dtype))


def configuration(arguments):
    if isinstance(arguments, tuple):
        return getattr(peft, arguments[0])(**arguments[1])
    return LoraConfig(**dict({"lora_alpha": 6}, **arguments))


def rewrite(folder, strip, drop, suffix):
    """Saves the weights of a folder without a prefix of their names, and without some."""
    from safetensors.torch import load_file, save_file
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    tensors = {k.removeprefix(strip): v for k, v in tensors.items() if not (drop and k.startswith(drop))}
    save_file(tensors, path, metadata={"format": "pt"})


def make(name, out):
    build, arguments, dtype, o = CASES[name]
    generator = torch.Generator().manual_seed(SEED * 1000 + sum(map(ord, name)))
    torch.manual_seed(SEED)
    folder = os.path.join(out, name)
    base, adapter, expected = (os.path.join(folder, x) for x in ("base", "adapter", "expected"))
    model = build()
    randomize(model, generator)
    model = model.to(getattr(torch, dtype))
    model.save_pretrained(base)
    cls = type(model)
    if "grow" in o:
        model.config.name_or_path = model.name_or_path = os.path.abspath(base)
        model.resize_token_embeddings(o["grow"])
        randomize_new(model, generator)
    if "train" in o:
        model = model.to(getattr(torch, o["train"]))
        with torch.no_grad():
            model.get_input_embeddings().weight.mul_(1.001)
    configs = [configuration(a) for a in (arguments if isinstance(arguments, list) else [arguments])]
    folders = [adapter] if len(configs) == 1 else [adapter + "_%d" % (i + 1) for i in range(len(configs))]
    for config, f in zip(configs, folders):
        if "grow" in o:
            config.base_model_name_or_path = os.path.abspath(base)
        tuned = get_peft_model(model, config)
        randomize_adapter(tuned, generator)
        if "adapter_dtype" in o:
            for n, p in tuned.named_parameters():
                if "lora_" in n:
                    p.data = p.data.to(getattr(torch, o["adapter_dtype"]))
        tuned.save_pretrained(f)
        if len(configs) > 1:
            model = cls.from_pretrained(base, dtype=getattr(torch, dtype))
    again = cls.from_pretrained(base, dtype=getattr(torch, dtype))
    if "grow" in o:
        again.resize_token_embeddings(o["grow"])
    loaded = PeftModel.from_pretrained(again, folders[0], adapter_name="a1")
    for i, f in enumerate(folders[1:]):
        loaded.load_adapter(f, adapter_name="a%d" % (i + 2))
    merged = loaded.merge_and_unload(safe_merge=bool(o.get("safe")), adapter_names=["a%d" % (i + 1) for i in range(len(folders))] if len(folders) > 1 else None)
    merged.save_pretrained(expected)
    if "strip" in o:
        rewrite(base, o["strip"], o.get("drop"), None)
        rewrite(expected, o["strip"], None, None)
    case = dict(name=name, expect="merge", tolerance=o.get("tolerance", dict(exact_fraction=0.97 if dtype != "float32" else 0, max_ulp=16, abs_tol=1e-6 if dtype == "float32" else 1e-4) if o.get("loose") else EXACT[dtype]),
                base_is=o.get("base_is", ""), grow="grow" in o, rounding=o.get("rounding", "peft-safe" if o.get("safe") else "single"))
    with open(os.path.join(folder, "case.json"), "w") as f:
        json.dump(case, f)


if __name__ == "__main__":
    names = sys.argv[2:] or list(CASES)
    for name in names:
        try:
            make(name, sys.argv[1])
            print("made", name, flush=True)
        except Exception as e:
            print("FAILED", name, type(e).__name__, str(e)[:300].replace("\n", " "), flush=True)

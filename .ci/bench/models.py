"""Makes the models that are measured: random weights in the shapes of Llama-3.2-1B (1.2 billion parameters), and an adapter."""

import json
import os

import torch
from safetensors.torch import save_file

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD, INTERMEDIATE, VOCABULARY = 2048, 16, 32, 8, 64, 8192, 128256

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD,
    "vocab_size": VOCABULARY, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
    "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
                     "rope_type": "llama3"},
    "hidden_act": "silu", "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, "torch_dtype": "bfloat16",
    "bos_token_id": 128000, "eos_token_id": 128001,
}

LINEAR = {  # name: (out, in)
    "self_attn.q_proj": (HEADS * HEAD, HIDDEN), "self_attn.k_proj": (KV_HEADS * HEAD, HIDDEN),
    "self_attn.v_proj": (KV_HEADS * HEAD, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * HEAD),
    "mlp.gate_proj": (INTERMEDIATE, HIDDEN), "mlp.up_proj": (INTERMEDIATE, HIDDEN), "mlp.down_proj": (HIDDEN, INTERMEDIATE),
}


def linears():
    for layer in range(LAYERS):
        for name, shape in LINEAR.items():
            yield "model.layers.%d.%s" % (layer, name), shape


def write_folder(path, tensors, config, weights="model.safetensors", config_name="config.json"):
    os.makedirs(path)
    with open(os.path.join(path, config_name), "w") as f:
        json.dump(config, f, indent=2)
    save_file(tensors, os.path.join(path, weights), metadata={"format": "pt"})


def base(path):
    """A checkpoint of random bf16 weights, made once."""
    if os.path.exists(path):
        return
    g = torch.Generator().manual_seed(1)
    random = lambda *shape: (torch.randn(*shape, generator=g) * 0.02).to(torch.bfloat16)
    tensors = {"model.embed_tokens.weight": random(VOCABULARY, HIDDEN), "model.norm.weight": torch.ones(HIDDEN, dtype=torch.bfloat16)}
    for name, shape in linears():
        tensors[name + ".weight"] = random(*shape)
    for layer in range(LAYERS):
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors["model.layers.%d.%s.weight" % (layer, norm)] = torch.ones(HIDDEN, dtype=torch.bfloat16)
    write_folder(path, tensors, CONFIG)


def adapter(path, rank=16):
    """A LoRA of the given rank on all linear layers, made once."""
    if os.path.exists(path):
        return
    g = torch.Generator().manual_seed(2)
    tensors = {}
    for name, (rows, columns) in linears():
        key = "base_model.model." + name
        tensors[key + ".lora_A.weight"] = torch.randn(rank, columns, generator=g) * 0.01
        tensors[key + ".lora_B.weight"] = torch.randn(rows, rank, generator=g) * 0.01
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "task_type": "CAUSAL_LM", "bias": "none",
              "target_modules": sorted({n.split(".")[-1] for n in LINEAR}), "base_model_name_or_path": "bench"}
    write_folder(path, tensors, config, "adapter_model.safetensors", "adapter_config.json")


def finetuned(path, base_path, decay=0.5):
    """The base plus a change of slowly decaying spectrum (singular values i^-decay) in every linear layer, 3 % of its norm; made once."""
    if os.path.exists(path):
        return
    from safetensors.torch import load_file
    g = torch.Generator().manual_seed(3)
    tensors = load_file(os.path.join(base_path, "model.safetensors"))
    for name, (rows, columns) in linears():
        n = min(rows, columns)
        # A product of Gaussian factors with scaled columns has nearly those singular values, at the cost of two products.
        scale = torch.arange(1, n + 1, dtype=torch.float32) ** -decay
        delta = (torch.randn(rows, n, generator=g) * scale) @ torch.randn(n, columns, generator=g)
        weight = tensors[name + ".weight"].float()
        delta *= 0.03 * weight.norm() / delta.norm()
        tensors[name + ".weight"] = (weight + delta).to(torch.bfloat16)
    write_folder(path, tensors, CONFIG)

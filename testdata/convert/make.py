"""Makes the cases of this folder that llama.cpp has no golden files for: a tiny checkpoint with random weights, and a description
of what convert_hf_to_gguf.py makes of it.

usage: make.py FOLDER_OF_LLAMA_CPP OUT [CASE ...]

The tokenizers are those of other cases. llama.cpp recognizes a pre-tokenizer by the tokens of a test text, which no tiny
vocabulary has: it is told the name instead.
"""

import hashlib
import json
import os
import shutil
import struct
import sys

import torch
from safetensors.torch import load_file, save_file
import transformers

HERE = os.path.dirname(os.path.abspath(__file__))
COMMON = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=416,
              max_position_embeddings=512, bos_token_id=395, eos_token_id=397)
NOMIC = dict(architectures=["NomicBertModel"], model_type="nomic_bert", n_embd=64, n_head=4, n_inner=96, n_layer=2, n_positions=8192, vocab_size=1216,
             type_vocab_size=2, layer_norm_epsilon=1e-12, rotary_emb_base=1000, rotary_emb_fraction=1.0, qkv_proj_bias=False, mlp_fc1_bias=False,
             mlp_fc2_bias=False, activation_function="swiglu", causal=False, prenorm=False, use_rms_norm=False, rotary_emb_interleaved=False,
             rotary_emb_scale_base=None, max_trained_positions=2048)


def without(d, *keys):
    return {k: v for k, v in d.items() if k not in keys}


MOE = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=64)
LATENT = dict(COMMON, num_key_value_heads=4, kv_lora_rank=32, qk_rope_head_dim=16, qk_nope_head_dim=32, v_head_dim=32, n_routed_experts=4,
              n_shared_experts=1, num_experts_per_tok=2, moe_intermediate_size=32, first_k_dense_replace=1, n_group=2, topk_group=1, num_hidden_layers=3)

# What config.json has in files of these classes that the installed transformers no longer writes.
OLD_KEYS = {"gptneox": {"rotary_pct": 0.25}, "cohere2": {"rotary_pct": 1.0}, "deepseek3": {"scoring_func": "sigmoid"}}

# Classes whose config.json llama.cpp must read as it is: the installed transformers drops what it needs.
RAW_CONFIG = ("gptneox", "nomic-bert")

# name: (class, configuration, tokenizer's case, name of the pre-tokenizer)
CASES = {
    "qwen2moe": ("Qwen2MoeForCausalLM", dict(COMMON, **MOE), "qwen2", "qwen2"),
    "gemma": ("GemmaForCausalLM", dict(COMMON, head_dim=32, num_key_value_heads=1, vocab_size=448), "gemma2", None),
    "stablelm": ("StableLmForCausalLM", dict(COMMON), "gpt2", "gpt-2"),
    "stablelm2": ("StableLmForCausalLM", dict(COMMON, use_qkv_bias=True, use_parallel_residual=True), "qwen2", "stablelm2"),
    "starcoder2": ("Starcoder2ForCausalLM", dict(COMMON), "gpt2", "starcoder"),
    "falcon": ("FalconForCausalLM", dict(without(COMMON, "num_key_value_heads", "intermediate_size"), num_kv_heads=1, multi_query=True, bias=False,
                                         new_decoder_architecture=False, parallel_attn=True, alibi=False), "gpt2", "falcon"),
    "falcon-new": ("FalconForCausalLM", dict(without(COMMON, "num_key_value_heads", "intermediate_size"), num_kv_heads=2, bias=False,
                                             new_decoder_architecture=True, parallel_attn=True, alibi=False), "gpt2", "falcon"),
    "gptneox": ("GPTNeoXForCausalLM", dict(without(COMMON, "num_key_value_heads")), "gpt2", "olmo"),
    "olmo": ("OlmoForCausalLM", dict(COMMON, clip_qkv=8.0), "gpt2", "olmo"),
    "command-r": ("CohereForCausalLM", dict(COMMON, use_qk_norm=False), "gpt2", "command-r"),
    "cohere2": ("Cohere2ForCausalLM", dict(COMMON, num_hidden_layers=4), "gpt2", "command-r"),
    "smollm3": ("SmolLM3ForCausalLM", dict(COMMON, num_hidden_layers=4, pad_token_id=0), "llama3", "llama-bpe"),
    "deepseek2-lite": ("DeepseekV2ForCausalLM", dict(LATENT, q_lora_rank=None), "qwen2", "deepseek-llm"),
    "deepseek3": ("DeepseekV3ForCausalLM", dict(LATENT, q_lora_rank=32, rope_scaling=dict(
        rope_type="yarn", factor=40.0, beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, original_max_position_embeddings=512)), "qwen2", "deepseek-v3"),
    "gpt-oss": ("GptOssForCausalLM", dict(COMMON, head_dim=32, num_local_experts=4, num_experts_per_tok=2, intermediate_size=64, sliding_window=16), "qwen2", "gpt-4o"),
    "gpt-oss-mxfp4": ("GptOssForCausalLM", dict(COMMON, head_dim=32, num_local_experts=4, num_experts_per_tok=2, intermediate_size=64, sliding_window=16), "qwen2", "gpt-4o"),
    # llama.cpp makes no context of less than 256 tokens, and beyond the original length the other factors are for it.
    "phi4": ("Phi3ForCausalLM", dict(COMMON, pad_token_id=0, partial_rotary_factor=0.75, tie_word_embeddings=True, original_max_position_embeddings=256, rope_scaling=dict(
        type="longrope", long_factor=[1.0 + i / 4 for i in range(6)], short_factor=[1.0 + i / 16 for i in range(6)])), "gpt2", "gpt-4o"),
    "nomic-bert": (None, NOMIC, "bert", "jina-v2-en"),
}


def randomize(model):
    g = torch.Generator().manual_seed(7)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=g)
        p.data = (1 + noise / 8 if p.dim() == 1 and "weight" in name else noise / 8).to(p.dtype)
    for name, b in model.named_buffers():
        if "e_score_correction_bias" in name:
            b.copy_(torch.rand(b.shape, generator=g))


def checkpoint(name, folder):
    """Writes the checkpoint of a case without a tokenizer."""
    cls, config, _, _ = CASES[name]
    if cls is None:
        return nomic(folder, config)
    cls = getattr(transformers, cls)
    model = cls(cls.config_class(**config)).to(torch.bfloat16)
    randomize(model)
    model.save_pretrained(folder)
    path = os.path.join(folder, "generation_config.json")
    if os.path.exists(path):
        os.remove(path)
    if name.endswith("mxfp4"):
        pack(folder)
    if name in OLD_KEYS:
        edit(os.path.join(folder, "config.json"), OLD_KEYS[name])


def edit(path, changes):
    with open(path) as f:
        o = json.load(f)
    o.update(changes)
    with open(path, "w") as f:
        json.dump(o, f, indent=2)


def pack(folder):
    """Replaces the experts of gpt-oss by random blocks of MXFP4."""
    path = os.path.join(folder, "model.safetensors")
    g = torch.Generator().manual_seed(8)
    out = {}
    for name, t in load_file(path).items():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            experts, inside, outside = t.shape
            out[name + "_blocks"] = torch.randint(0, 256, (experts, outside, inside // 32, 16), generator=g, dtype=torch.uint8)
            out[name + "_scales"] = torch.randint(110, 125, (experts, outside, inside // 32), generator=g, dtype=torch.uint8)
        else:
            out[name] = t
    save_file(out, path, metadata={"format": "pt"})
    edit(os.path.join(folder, "config.json"), {"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": [
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}})


def nomic(folder, config):
    """A checkpoint as nomic-embed-text-v1.5 has it, which transformers does not save."""
    g = torch.Generator().manual_seed(7)
    n, inner = config["n_embd"], config["n_inner"]
    t = {"embeddings.token_type_embeddings.weight": (2, n), "embeddings.word_embeddings.weight": (config["vocab_size"], n), "emb_ln.weight": (n,), "emb_ln.bias": (n,)}
    for i in range(config["n_layer"]):
        p = "encoder.layers.%d." % i
        t.update({p + "attn.Wqkv.weight": (3 * n, n), p + "attn.out_proj.weight": (n, n), p + "mlp.fc11.weight": (inner, n), p + "mlp.fc12.weight": (inner, n),
                  p + "mlp.fc2.weight": (n, inner)})
        t.update({p + "norm%d.%s" % (k, w): (n,) for k in (1, 2) for w in ("weight", "bias")})
    os.makedirs(folder)
    save_file({k: torch.randn(s, generator=g) / 8 for k, s in t.items()}, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=2)


def shorten(folder, n):
    """Leaves only the first n tokens of a WordPiece vocabulary."""
    path = os.path.join(folder, "tokenizer.json")
    with open(path, encoding="utf-8") as f:
        o = json.load(f)
    o["model"]["vocab"] = {k: v for k, v in o["model"]["vocab"].items() if v < n}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(o, f, ensure_ascii=False)
    os.remove(os.path.join(folder, "vocab.txt"))


TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "added_tokens.json", "vocab.txt", "modules.json", "1_Pooling")


def read_config(folder, _):
    with open(os.path.join(folder, "config.json")) as f:
        return json.load(f)


def converter(llama, pre, raw_config):
    """convert_hf_to_gguf.py as a function of its arguments, which takes pre for the pre-tokenizer's name."""
    if llama not in sys.path:
        sys.path[:0] = [llama, os.path.join(llama, "gguf-py")]
    import convert_hf_to_gguf
    from conversion.base import ModelBase, TextModel
    if not hasattr(converter, "recognize"):
        converter.recognize, converter.load = TextModel.get_vocab_base_pre, ModelBase.load_hparams
    TextModel.get_vocab_base_pre = (lambda self, tokenizer: pre) if pre else converter.recognize
    ModelBase.load_hparams = staticmethod(read_config if raw_config else converter.load)

    def convert(*arguments):
        sys.argv = ["convert_hf_to_gguf.py", *arguments]
        convert_hf_to_gguf.main()

    return convert



SCALARS = {0: ("uint8", "B"), 1: ("int8", "b"), 2: ("uint16", "H"), 3: ("int16", "h"), 4: ("uint32", "I"), 5: ("int32", "i"), 6: ("float32", "f"),
           7: ("bool", "?"), 10: ("uint64", "Q"), 11: ("int64", "q"), 12: ("float64", "d")}


def describe(path):
    """A GGUF file's keys with their types and values, and its tensors with the SHA-256 of their data, in file order. Of arrays of more
    than 64 elements there is the SHA-256 of the elements as compact JSON."""
    import gguf
    with open(path, "rb") as f:
        data = f.read()
    at = 24

    def number(fmt):
        nonlocal at
        value, = struct.unpack_from("<" + fmt, data, at)
        at += struct.calcsize(fmt)
        return value

    def value(kind):
        nonlocal at
        if kind == 8:
            n = number("Q")
            at += n
            return data[at - n:at].decode()
        return number(SCALARS[kind][1])

    kv = []
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        key, kind = value(8), number("I")
        if kind != 9:
            kv.append({"key": key, "type": "string" if kind == 8 else SCALARS[kind][0], "value": value(kind)})
            continue
        kind, n = number("I"), number("Q")
        elements = [value(kind) for _ in range(n)]
        entry = {"key": key, "type": "array<%s>" % ("string" if kind == 8 else SCALARS[kind][0]), "len": n}
        if n <= 64:
            entry["value"] = elements
        else:
            entry["sha256_json"] = hashlib.sha256(json.dumps(elements, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        kv.append(entry)
    tensors = [{"name": t.name, "type": t.tensor_type.name.lower(), "shape": [int(d) for d in t.shape], "sha256": hashlib.sha256(t.data.tobytes()).hexdigest()}
               for t in gguf.GGUFReader(path).tensors]
    return {"kv": kv, "tensors": tensors}


def make(llama, out, name):
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    _, _, tokenizer, pre = CASES[name]
    source = os.path.join(folder, "tiny-" + name)
    checkpoint(name, source)
    for f in TOKENIZER_FILES:
        path = os.path.join(HERE, tokenizer, "hf", f)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(source, f))
        elif os.path.exists(path):
            shutil.copy(path, source)
    if name == "nomic-bert":
        shorten(source, 1200)
    outputs = {}
    for kind in ("f32", "f16", "bf16", "q8_0"):
        path = os.path.join(folder, kind + ".gguf")
        converter(llama, pre, name in RAW_CONFIG)(source, "--outfile", path, "--outtype", kind)
        outputs[kind] = describe(path)
        os.remove(path)
    os.rename(source, os.path.join(folder, "hf"))
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump({"source_dir": "tiny-" + name, "pre_forced": pre, "outputs": outputs}, f, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    llama, out, *names = sys.argv[1:]
    for case in names or CASES:
        make(llama, out, case)

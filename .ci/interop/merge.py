"""Merged checkpoints load in transformers and compute what the unmerged PEFT model computes.

For each case: a small random model is saved, PEFT adapters are put on it and saved, loratool merges, and the logits of
the merged checkpoint are compared with those of PEFT's model with the adapters active. Everything is float32, so that
what differs is the order of sums.
"""

import os
import subprocess
import sys
import tempfile
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()

LORATOOL = os.environ["LORATOOL"]
TOLERANCE = 1e-5  # of the largest logit

SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=128, max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)
MOE = dict(SMALL, num_experts=4, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
           shared_expert_intermediate_size=32, decoder_sparse_step=1)
GPT2 = dict(n_embd=64, n_layer=2, n_head=4, vocab_size=128, n_positions=64, bos_token_id=1, eos_token_id=2)

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
LLAMA = ATTENTION + ["gate_proj", "up_proj", "down_proj"]

CASES = [  # name, model type, its sizes, LoRA settings, head
    ("llama", "llama", SMALL, dict(target_modules=LLAMA), None),
    ("llama, rank-stabilized, patterns", "llama", SMALL,
     dict(target_modules=LLAMA, use_rslora=True, rank_pattern={"q_proj": 2, "layers.1.mlp.up_proj": 8}, alpha_pattern={"v_proj": 3}), None),
    ("llama, DoRA", "llama", SMALL, dict(target_modules=LLAMA, use_dora=True), None),
    ("llama, tied, embeddings", "llama", dict(SMALL, tie_word_embeddings=True), dict(target_modules=ATTENTION + ["embed_tokens"]), None),
    ("llama, tied, head", "llama", dict(SMALL, tie_word_embeddings=True), dict(target_modules=ATTENTION + ["lm_head"]), None),
    ("llama, head saved", "llama", SMALL, dict(target_modules=ATTENTION, modules_to_save=["lm_head"]), None),
    ("llama, tokens", "llama", SMALL, dict(target_modules=ATTENTION, trainable_token_indices=[3, 5, 100]), None),
    ("llama, classifier", "llama", SMALL, dict(target_modules=ATTENTION, task_type="SEQ_CLS"), "classifier"),
    ("qwen2, biases", "qwen2", SMALL, dict(target_modules=LLAMA, bias="all"), None),
    ("gemma2", "gemma2", dict(SMALL, head_dim=16), dict(target_modules=LLAMA), None),
    ("phi3, fused", "phi3", SMALL, dict(target_modules=["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]), None),
    ("gpt2, transposed", "gpt2", GPT2, dict(target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True), None),
    ("mixtral, experts", "mixtral", MOE, dict(target_modules=ATTENTION, target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]), None),
    ("qwen3-moe, experts", "qwen3_moe", dict(MOE, head_dim=16), dict(target_modules=ATTENTION, target_parameters=["mlp.experts.gate_up_proj"]), None),
]


def randomize(model, seed):
    """Gives the adapter's parameters values, which are partly zeros at the start."""
    g = torch.Generator().manual_seed(seed)
    for p in model.parameters():
        if p.requires_grad:
            p.data += torch.randn(p.shape, generator=g) * 0.05


def logits(model, tokens):
    with torch.no_grad():
        return model.eval()(input_ids=tokens).logits


def make_adapter(load, settings, seed, path):
    wrapped = get_peft_model(load(), LoraConfig(**{"r": 4, "lora_alpha": 6, **settings}))
    randomize(wrapped, seed)
    wrapped.save_pretrained(path)


def tune(model, adapters):
    """The model with all adapters active, each at its strength."""
    tuned = PeftModel.from_pretrained(model, adapters[0][0])
    for i, (path, strength) in enumerate(adapters[1:]):
        name = "adapter%d" % (i + 1)
        tuned.load_adapter(path, name)
        for module in tuned.modules():
            if hasattr(module, "lora_A") and name in module.scaling:
                module.set_scale(name, strength)
    if len(adapters) > 1:
        tuned.base_model.set_adapter(["default"] + ["adapter%d" % (i + 1) for i in range(len(adapters) - 1)])
    return tuned


def check(folder, name, kind, sizes, settings, head):
    torch.manual_seed(0)
    base, merged = os.path.join(folder, "base"), os.path.join(folder, "merged")
    # A classifier is trained on a language model, whose checkpoint has no such head.
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes)).float().save_pretrained(base)
    auto = AutoModelForSequenceClassification if head == "classifier" else AutoModelForCausalLM

    def load(path=base, **options):
        torch.manual_seed(1)  # a head that the checkpoint lacks is random
        return auto.from_pretrained(path, dtype=torch.float32, **options)

    adapters = [(os.path.join(folder, "a%d" % i), strength) for i, strength in enumerate((1.0, 0.5) if name == "llama" else (1.0,))]
    for i, (path, _) in enumerate(adapters):
        make_adapter(load, settings, i, path)
    tokens = torch.randint(3, 128, (2, 17), generator=torch.Generator().manual_seed(9))
    want, before = logits(tune(load(), adapters), tokens), logits(load(), tokens)
    command = [LORATOOL, "merge", base, "-o", merged, "--progress", "none", "-q"]
    for path, strength in adapters:
        command += ["--lora", "%s:%g" % (path, strength)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result, info = load(merged, output_loading_info=True)
    missing = {k: v for k, v in info.items() if v and k in ("missing_keys", "mismatched_keys")}
    largest = want.abs().max()
    error = ((logits(result, tokens) - want).abs().max() / largest).item()
    change = ((before - want).abs().max() / largest).item()
    good = error <= TOLERANCE and change > 1000 * TOLERANCE and not missing
    print("%s  %-34s logits differ by %.1e of the largest; the adapter changes them by %.1e %s" % (
        "ok  " if good else "FAIL", name, error, change, missing or ""))
    return good


if __name__ == "__main__":
    failed = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            failed += not check(folder, *case)
    print("merge: %d passed, %d failed" % (len(CASES) - failed, failed))
    sys.exit(failed > 0)

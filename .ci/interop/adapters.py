"""A GGUF adapter that loratool convert writes, on the base in llama.cpp, computes what PEFT computes with the adapter, and so does the GGUF
base that it is merged into. usage: adapters.py [CASE ...]"""

import copy
import json
import os
import shutil
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from logits import TESTDATA, compare, failures, in_llama, in_transformers, load, loratool  # noqa: E402

# Bases of testdata/convert, one for each way in which GGUF has the rows: permuted q and k (llama, granite), fused q, k and v (phi3, gpt2,
# falcon, gptneox), matrices the other way round (gpt2), norms with 1 added (gemma2, gemma3), and as they are.
BASES = ("llama", "granite", "phi3", "gpt2", "falcon", "falcon-new", "gptneox", "gemma2", "gemma3", "qwen2", "qwen3", "stablelm", "starcoder2",
         "olmo", "olmo2", "command-r", "cohere2", "smollm3", "gpt-oss")

# Bases whose experts get an adapter each, under the names that checkpoints have and transformers had before it fused them.
EXPERTS = {"mixtral": (".block_sparse_moe.experts.", 4), "qwen2moe": (".mlp.experts.", 4), "qwen3moe": (".mlp.experts.", 4),
           "deepseek3": (".mlp.experts.", 4)}

# Bases whose experts are adapted as transformers has them now, fused, and their routers with them; but for gpt-oss, whose router is a module.
FUSED = {"mixtral": ["mlp.gate.weight"], "qwen2moe": ["mlp.gate.weight"], "qwen3moe": ["mlp.gate.weight"], "gpt-oss": [], "deepseek3": []}

# The case whose adapter changes an embedding that is the head, too, at which llama.cpp stops (build_lora_mm multiplies by the factors of an
# embedding as by those of a matrix), as loratool convert warns. What is merged is compared.
TIED = "qwen2-embed"

VARIANTS = (("", {}), (" rsLoRA", {"use_rslora": True}), (" alpha_pattern", {"alpha_pattern": {"q_proj": 3, "layers.1.mlp.up_proj": 40}}))


class Checks:
    """What is to be compared: llama.cpp runs all files at once."""

    def __init__(self, folder):
        self.folder, self.names, self.jobs, self.wants = folder, [], [], []

    def add(self, name, checkpoint, adapter, want, merge_peft=False):
        """Converts base and adapter, and merges them as GGUF: the GGUF adapter, or the one of PEFT."""
        gguf, lora, merged = (os.path.join(self.folder, name + s) for s in (".gguf", "-lora.gguf", "-merged.gguf"))
        loratool("convert", checkpoint, "-o", gguf, "--type", "f32", "--pre", "qwen2")
        loratool("convert", adapter, "-o", lora, "--base", checkpoint)
        loratool("merge", gguf, "--lora", adapter if merge_peft else lora, "-o", merged)
        for kind, job in ((" adapter", (gguf, lora)), (" merged", (merged, None))):
            if kind == " adapter" and name.startswith(TIED):
                continue
            self.names.append(name + kind)
            self.jobs.append(job)
            self.wants.append(want)

    def run(self):
        for name, want, got in zip(self.names, self.wants, in_llama(self.jobs)):
            compare(name, got, want)


def base(name):
    return os.path.join(TESTDATA, "convert", name, "hf")


def randomize(model):
    g = torch.Generator().manual_seed(11)
    for name, p in model.named_parameters():
        if "lora_" in name:
            p.data = torch.randn(p.shape, generator=g) / 8


def trained(checks, name, checkpoint, config, **options):
    """An adapter that PEFT saves."""
    model = get_peft_model(load(checkpoint), config)
    randomize(model)
    adapter = os.path.join(checks.folder, name + "-adapter")
    model.save_pretrained(adapter)
    checks.add(name, checkpoint, adapter, in_transformers(model.eval()), **options)


def all_linear(checks, name):
    """An adapter for every linear layer."""
    trained(checks, name, base(name), LoraConfig(r=4, lora_alpha=12, target_modules="all-linear", fan_in_fan_out=name == "gpt2"))


def fused(checks, name):
    """An adapter for parameters of fused experts, of which that before the activation has another rank."""
    config = LoraConfig(r=4, lora_alpha=12, target_modules=["o_proj"], target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj", *FUSED[name]],
                        rank_pattern={r".*\.gate_up_proj": 6})
    # Checkpoints of gpt-oss have gate and up alternating, and factors for one of them are none for the other: only PEFT's adapter is merged.
    trained(checks, name + " fused experts", base(name), config, merge_peft=name == "gpt-oss")


def experts(checks, name):
    """Adapters for the experts, and what the checkpoint computes to whose matrices they are added."""
    infix, rank = EXPERTS[name]
    source, g = base(name), torch.Generator().manual_seed(12)
    merged, adapter = (os.path.join(checks.folder, name + s) for s in ("-experts-hf", "-experts-adapter"))
    shutil.copytree(source, merged)
    os.makedirs(adapter)
    factors, weights, alpha = {}, load_file(os.path.join(source, "model.safetensors")), 8
    for key, w in weights.items():
        w = weights[key] = w.float()
        if infix in key and key.endswith(".weight"):
            a, b = torch.randn(rank, w.shape[1], generator=g) / 8, torch.randn(w.shape[0], rank, generator=g) / 8
            module = "base_model.model." + key.removesuffix(".weight")
            factors[module + ".lora_A.weight"], factors[module + ".lora_B.weight"] = a, b
            w += alpha / rank * (b @ a)
    save_file(weights, os.path.join(merged, "model.safetensors"), metadata={"format": "pt"})
    save_file(factors, os.path.join(adapter, "adapter_model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(adapter, "adapter_config.json"), "w") as f:
        json.dump({"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "target_modules": sorted({k.split(".")[-3] for k in factors})}, f)
    checks.add(name + " experts", source, adapter, in_transformers(load(merged)))


def given(checks, case):
    """The adapters of testdata/lora, also with scales that GGUF has no words for."""
    peft = os.path.join(TESTDATA, "lora", case, "peft")
    with open(os.path.join(TESTDATA, "lora", case, "expected.json")) as f:
        checkpoint = base(json.load(f)["base"])
    for variant, change in VARIANTS:
        adapter = os.path.join(checks.folder, case + variant + "-adapter")
        shutil.copytree(peft, adapter)
        path = os.path.join(adapter, "adapter_config.json")
        with open(path) as f:
            config = dict(json.load(f), **copy.deepcopy(change))
        with open(path, "w") as f:
            json.dump(config, f)
        checks.add(case + variant, checkpoint, adapter, in_transformers(PeftModel.from_pretrained(load(checkpoint), adapter).eval()))


def main(wanted):
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(folder)
        for make, names in ((given, ("llama-plain", "llama-rank-pattern", "gemma2-plain", "qwen2-plain", "llama-embed", "qwen2-embed")), (all_linear, BASES), (experts, EXPERTS), (fused, FUSED)):
            for name in names:
                if not wanted or name in wanted:
                    make(checks, name)
        checks.run()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])

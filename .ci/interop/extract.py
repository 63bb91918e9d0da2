"""What loratool extract writes loads in PEFT, merges, and has the error that the report says; with a trained model at
hand (../shared/goldens/tiny beside the repository) perplexity falls from the base's to the fine-tuned one's as the rank grows."""

import copy
import json
import math
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file

LORATOOL = os.environ.get("LORATOOL", "dist/loratool")
TINY = os.path.join("..", "shared", "goldens", "tiny")  # from the root of the repository


def llama():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=128))


def qwen2():
    return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=128,
        tie_word_embeddings=True))


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=64, n_layer=2, n_head=4, vocab_size=128, n_positions=64))


def gpt_oss():
    return transformers.GptOssForCausalLM(transformers.GptOssConfig(
        hidden_size=64, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        num_local_experts=4, num_experts_per_tok=2, vocab_size=128, sliding_window=32))


class Convolutions(torch.nn.Module):
    """Layers that no language model has, as a bare module."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 24, 3, padding=1)
        self.second = torch.nn.Conv2d(24, 32, 1)
        self.last = torch.nn.Linear(32, 8)

    def forward(self, x):
        return self.last(torch.relu(self.second(torch.relu(self.first(x)))).mean((2, 3)))


def perturb(model, names=lambda name: True):
    """A fine-tune: every parameter changes, matrices by one of falling singular values."""
    g = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not names(name):
                continue
            noise = torch.randn(p.shape, generator=g)
            if p.dim() >= 2:
                u, s, v = torch.linalg.svd(noise.reshape(-1, *p.shape[-2:]) if p.dim() == 3 else noise.flatten(1), full_matrices=False)
                s = s * (torch.arange(s.shape[-1]) + 1.0) ** -1.0
                noise = (u @ torch.diag_embed(s) @ v).reshape(p.shape)
            p += 0.1 * p.std(correction=0).nan_to_num(1).clamp(min=0.01) * noise


def extract(base, tuned, out, *flags):
    report = out + ".json"
    subprocess.run([LORATOOL, "extract", base, tuned, "-o", out, "--report", report, "--quiet", "--progress", "none", *flags],
                   check=True, stdout=subprocess.DEVNULL)
    with open(report) as f:
        return json.load(f)


def check_report(kind, report, base, merged, tuned):
    """Compares the errors in the report with those of the merged weights."""
    for layer in report["layers"]:
        name = layer["module"] + ("" if layer["kind"] in ("experts", "parameter") else ".weight")
        b, m, t = (state[name].double() for state in (base, merged, tuned))
        if layer.get("expert") is not None:
            b, m, t = (x[layer["expert"]] for x in (b, m, t))
        error = ((m - t).norm() / (b - t).norm()).item()
        assert abs(error - layer["relative_error"]) < 2e-4 + 1e-3 * error, (kind, name, error, layer["relative_error"])
    for saved in report["saved"]:
        name = saved["name"].removeprefix("base_model.model.").replace(".base_layer.", ".").replace(".lora_B.bias", ".bias")
        assert torch.allclose(merged[name], tuned[name], atol=1e-6), (kind, name)


def check_model(kind, make, flags, work):
    torch.manual_seed(3)
    model = make()
    tuned = copy.deepcopy(model)
    perturb(tuned, lambda name: not name.endswith("sinks"))  # PEFT can't save a parameter without its whole module
    base_path, tuned_path, out = (os.path.join(work, kind + suffix) for suffix in ("-base", "-tuned", "-adapter"))
    model.save_pretrained(base_path)
    tuned.save_pretrained(tuned_path)
    report = extract(base_path, tuned_path, out, *flags)
    states = [dict(m.state_dict()) for m in (model, tuned)]
    peft = PeftModel.from_pretrained(type(model).from_pretrained(base_path, dtype=torch.float32), out)
    ids = torch.arange(16)[None] % 128
    with torch.no_grad():
        unmerged = peft(ids).logits
        merged = peft.merge_and_unload()
        assert torch.allclose(unmerged, merged(ids).logits, atol=1e-3), (kind, "merging changes the output")
    check_report(kind, report, states[0], dict(merged.state_dict()), states[1])
    print("%-8s %-40s relative error %.4f, %d matrices, %d saved: as reported" % (
        kind, " ".join(flags), report["relative_error"], len(report["layers"]), len(report["saved"])))


def check_convolutions(work):
    from safetensors.torch import save_file
    torch.manual_seed(3)
    model = Convolutions()
    tuned = copy.deepcopy(model)
    perturb(tuned)
    paths = [os.path.join(work, "conv-%s.safetensors" % x) for x in ("base", "tuned")]
    for m, path in zip((model, tuned), paths):
        save_file(m.state_dict(), path)
    states = [dict(copy.deepcopy(m).state_dict()) for m in (model, tuned)]
    out = os.path.join(work, "conv-adapter")
    report = extract(*paths, out, "--rank", "6", "--dtype", "f32")
    merged = PeftModel.from_pretrained(model, out).merge_and_unload()
    check_report("conv", report, states[0], dict(merged.state_dict()), states[1])
    print("conv     relative error %.4f: as reported" % report["relative_error"])


def perplexity(model, ids):
    with torch.no_grad():
        losses = [model(ids[None, i:i + 256], labels=ids[None, i:i + 256]).loss.item() for i in range(0, len(ids) - 256, 256)]
    return math.exp(sum(losses) / len(losses))


def check_perplexity(work):
    base_path, tuned_path = (os.path.join(TINY, name) for name in ("base_bf16", "finetuned_bf16"))
    if not os.path.isdir(base_path):
        print("no trained model beside the repository: perplexity is not checked")
        return
    import sentencepiece
    tokenizer = sentencepiece.SentencePieceProcessor(os.path.join(base_path, "tokenizer.model"))
    with open(os.path.join(TINY, "corpus_eval.txt")) as f:
        ids = torch.tensor(tokenizer.encode(f.read()))
    load = lambda path: transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    values = [perplexity(load(base_path), ids)]
    for rank in (4, 8, 16, 32, 64, 128):
        out = os.path.join(work, "tiny-%d" % rank)
        extract(base_path, tuned_path, out, "--rank", str(rank))
        values.append(perplexity(PeftModel.from_pretrained(load(base_path), out).merge_and_unload(), ids))
    values.append(perplexity(load(tuned_path), ids))
    print("perplexity from base to fine-tuned: " + " ".join("%.2f" % v for v in values))
    for a, b in zip(values[:-2], values[1:-1]):
        assert b < a, values
    assert abs(values[-2] - values[-1]) < 0.01 * values[-1], values
    out = os.path.join(work, "tiny-full")
    extract(base_path, tuned_path, out, "--rank", "256", "--dtype", "f32")
    # In bf16 PEFT rounds the embedding's change twice, so it merges in f32 and rounds once here.
    merged = PeftModel.from_pretrained(load(base_path), out).merge_and_unload().to(torch.bfloat16)
    tuned = load_file(os.path.join(tuned_path, "model.safetensors"))
    same = sum((merged.state_dict()[k] == v).sum().item() for k, v in tuned.items())
    share = same / sum(v.numel() for v in tuned.values())
    print("restored at full rank: %.5f of the elements" % share)
    assert share >= 0.999, share


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as work:
        for kind, make in (("llama", llama), ("qwen2", qwen2), ("gpt2", gpt2), ("gpt_oss", gpt_oss)):
            for flags in (["--rank", "8", "--dtype", "f32"], ["--energy", "0.9", "--dtype", "bf16", "--factors", "down"]):
                with tempfile.TemporaryDirectory(dir=work) as folder:
                    check_model(kind, make, flags, folder)
        check_convolutions(work)
        check_perplexity(work)
    print("extract: all as PEFT sees it")
    sys.exit(0)

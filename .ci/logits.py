"""What language models compute, in transformers and in the real llama.cpp: the distributions of the tokens that follow each of TOKENS."""

import os
import subprocess
import sys

import torch
import transformers

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import llama  # noqa: E402

LORATOOL = os.environ.get("LORATOOL", "dist/loratool")
TESTDATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "testdata")
TOKENS = [17, 250, 31, 8, 99, 303, 44, 260, 123, 71, 11, 350]

failures = []


def fail(text):
    print("FAIL", text, flush=True)
    failures.append(text)


def loratool(*args):
    done = subprocess.run([LORATOOL, *args, "-q"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("loratool %s: %s" % (" ".join(args), done.stderr))


def load(folder, **options):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options).eval()


def in_transformers(model):
    """[position, token] probabilities."""
    with torch.no_grad():
        return torch.softmax(model(torch.tensor([TOKENS])).logits[0].double(), -1)


def in_llama(jobs):
    """For each (model, adapter or None) the same of GGUF files."""
    for rows in llama.probabilities([{"model": m, "lora": a, "tokens": TOKENS} for m, a in jobs]):
        out = torch.zeros(len(rows), max(int(k) for r in rows for k in r) + 1, dtype=torch.float64)
        for i, row in enumerate(rows):
            for k, v in row.items():
                out[i, int(k)] = v
        yield out


def compare(name, got, want, tolerance=2e-3):
    """Compares distributions by half the sum of differences, which is at most 1, and shows how far the logits are apart, up to a constant
    that probabilities don't tell. Vocabularies may be padded in one of the two."""
    n = min(got.shape[1], want.shape[1])
    got, want = got[:, :n], want[:, :n]
    distance = (got - want).abs().sum(-1).max().item() / 2
    logits = (got.clamp_min(1e-30).log() - want.clamp_min(1e-30).log()).abs().max().item()
    print("%-36s distance %.2g, logits %.2g" % (name, distance, logits), flush=True)
    if not distance < tolerance:
        fail("%s: llama.cpp computes something else than transformers" % name)

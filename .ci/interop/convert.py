"""What loratool convert writes computes in llama.cpp what the checkpoint computes in transformers, and what it restores from GGUF loads
there and tokenizes alike; a GGUF adapter on the base gives what transformers and PEFT give with the adapter.

The models are those of testdata/convert: tiny, random, one for each family. usage: convert.py [CASE ...]
"""

import json
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from peft import PeftModel

LORATOOL = os.environ.get("LORATOOL", "dist/loratool")
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata")
sys.path.insert(0, os.path.join(ROOT, "convert"))
import make  # noqa: E402

TOKENS = [17, 250, 31, 8, 99, 303, 44, 260, 123, 71, 11, 350]

# Files that equal those of llama.cpp's converter, but are not run here: encoders; experts in MXFP4, whose products llama.cpp rounds; and tiny models
# that the installed llama.cpp does not load (deepseek2-lite), or for which it computes another rotation than transformers (deepseek3's yarn, phi4's
# longrope on a part of each head).
LEFT_OUT = {"bert", "nomic-bert", "gpt-oss-mxfp4", "deepseek2-lite", "deepseek3", "phi4"}

# Cases whose tokenizer is not compared: those that make.py gave one of another family; mistral, which asks transformers for no space in front of
# texts in a way that llama.cpp's converter does not look at; mixtral, whose tokenizer transformers can't load.
FOREIGN = set(make.CASES) | {"mistral", "mixtral"}

TEXT = """def naïve(x: int) -> str:\n\treturn f"{x:>8}"  # tabs, quotes ' and \\ backslashes\n\n\nfor i in range(1234567): print(i)\r\n
It's 25 °C; they're   done.  Don't! ¿Qué tal? Straße, İstanbul, ångström, Ελληνικά, Русский язык, עברית, العربية, हिन्दी, ไทย, 한국어,
日本語の文、中文。𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🙂👩‍👩‍👧‍👦🏳️‍🌈 e\u0301 \u00a0 \u200b https://example.org/?a=1&b=[2] <tag> 100,000.50€ end"""


failures = []


def fail(text):
    print("FAIL", text, flush=True)
    failures.append(text)


def loratool(*args):
    done = subprocess.run([LORATOOL, *args, "-q", "--force"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("loratool %s: %s" % (" ".join(args), done.stderr))


def cases():
    for name in sorted(os.listdir(os.path.join(ROOT, "convert"))):
        path = os.path.join(ROOT, "convert", name, "expected.json")
        if os.path.exists(path):
            with open(path) as f:
                yield name, json.load(f).get("pre_forced")


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def expected(model):
    with torch.no_grad():
        return torch.softmax(model(torch.tensor([TOKENS])).logits[0].double(), -1)


def in_llama(jobs):
    """The probabilities that llama.cpp computes, for each job a matrix."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probabilities.mjs")
    done = subprocess.run(["node", script, json.dumps([{"model": m, "lora": a, "tokens": TOKENS} for m, a in jobs])], capture_output=True, text=True)
    if done.returncode:
        sys.exit("llama.cpp does not run what loratool wrote: " + done.stderr)
    for line in done.stdout.splitlines():
        rows = json.loads(line)
        out = torch.zeros(len(rows), max(int(k) for r in rows for k in r) + 1, dtype=torch.float64)
        for i, row in enumerate(rows):
            for k, v in row.items():
                out[i, int(k)] = v
        yield out


def compare(name, got, want, tolerance=2e-3):
    """Compares distributions by half the sum of differences, which is at most 1."""
    n = min(got.shape[1], want.shape[1])
    distance = (got[:, :n] - want[:, :n]).abs().sum(-1).max().item() / 2
    print("%-24s distance %.2g" % (name, distance), flush=True)
    if not distance < tolerance:
        fail("%s: llama.cpp computes something else than transformers" % name)


def check_tokenizer(name, original, restored):
    a, b = (transformers.AutoTokenizer.from_pretrained(f) for f in (original, restored))
    # The Gemma checkpoints call the token that begins texts otherwise in tokenizer.model than in tokenizer_config.json, and transformers makes a new one.
    special = name not in ("gemma2", "gemma3")
    for text in (TEXT, *TEXT.split("\n")):
        if a(text, add_special_tokens=special)["input_ids"] != b(text, add_special_tokens=special)["input_ids"]:
            return fail("%s: the restored tokenizer splits %r otherwise:\n%s\n%s" % (name, text, a.tokenize(text), b.tokenize(text)))


def check_model(folder, name, pre):
    """Checks what is restored from GGUF. Returns what transformers computes, or None for what llama.cpp is not asked."""
    source, gguf, restored = os.path.join(ROOT, "convert", name, "hf"), os.path.join(folder, name + ".gguf"), os.path.join(folder, name)
    loratool("convert", source, "-o", gguf, "--type", "f32", *(["--pre", pre] if pre else []))
    loratool("convert", gguf, "-o", restored)
    if name not in FOREIGN:
        check_tokenizer(name, source, restored)
    if name in LEFT_OUT:
        return None
    want = expected(load(source))
    if not torch.equal(want, expected(load(restored))):
        fail("%s: the restored checkpoint computes something else" % name)
    return want


def check_models(folder, wanted):
    wants = {name: check_model(folder, name, pre) for name, pre in cases() if not wanted or name in wanted}
    wants = {name: want for name, want in wants.items() if want is not None}
    for (name, want), got in zip(wants.items(), in_llama([(os.path.join(folder, name + ".gguf"), None) for name in wants])):
        compare(name, got, want)


def check_adapters(folder, wanted):
    jobs, names, wants = [], [], []
    for name in ("llama-plain", "llama-rank-pattern", "gemma2-plain", "qwen2-plain"):
        if wanted and name not in wanted:
            continue
        with open(os.path.join(ROOT, "lora", name, "expected.json")) as f:
            base = json.load(f)["base"]
        checkpoint, peft = os.path.join(ROOT, "convert", base, "hf"), os.path.join(ROOT, "lora", name, "peft")
        for variant, change in (("", {}), (" rsLoRA", {"use_rslora": True}), (" alpha_pattern", {"alpha_pattern": {"q_proj": 3, "layers.1.mlp.up_proj": 40}})):
            adapter = os.path.join(folder, name + variant.strip())
            os.makedirs(adapter)
            os.symlink(os.path.join(peft, "adapter_model.safetensors"), os.path.join(adapter, "adapter_model.safetensors"))
            with open(os.path.join(peft, "adapter_config.json")) as f:
                config = dict(json.load(f), **change)
            with open(os.path.join(adapter, "adapter_config.json"), "w") as f:
                json.dump(config, f)
            gguf, lora, merged = (os.path.join(folder, name + variant.strip() + s) for s in (".gguf", "-lora.gguf", "-merged.gguf"))
            loratool("convert", checkpoint, "-o", gguf, "--type", "f32", "--pre", "qwen2")
            loratool("convert", adapter, "-o", lora, "--base", checkpoint)
            loratool("merge", gguf, "--lora", lora, "-o", merged)
            want = expected(PeftModel.from_pretrained(load(checkpoint), adapter).eval())
            for kind, job in ((" adapter", (gguf, lora)), (" merged", (merged, None))):
                jobs.append(job)
                names.append(name + variant + kind)
                wants.append(want)
    for name, want, got in zip(names, wants, in_llama(jobs)):
        compare(name, got, want)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        check_models(temporary, sys.argv[1:])
        check_adapters(temporary, sys.argv[1:])
    sys.exit(1 if failures else 0)

"""What loratool convert writes computes in llama.cpp what the checkpoint computes in transformers, and what it restores from GGUF loads
there and tokenizes alike.

The models are those of testdata/convert: tiny, random, one for each family. usage: convert.py [CASE ...]
"""

import json
import os
import shutil
import sys
import tempfile

import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from logits import TESTDATA, compare, fail, failures, in_llama, in_transformers, load, loratool  # noqa: E402

ROOT = os.path.join(TESTDATA, "convert")
sys.path.insert(0, ROOT)
import make  # noqa: E402

EMBEDDERS = {"bert", "nomic-bert"}  # which embedders.py runs: they have no next token

# The case that llama.cpp runs with other settings only than those of its files. It recognizes models of this family whose queries have no
# low rank by their 26 or 27 layers, and chooses among groups of experts as DeepSeek V3 does, for which such models have none.
RESIZED = {"deepseek2-lite": dict(num_hidden_layers=26, n_group=1, topk_group=1)}

# For products with MXFP4, llama.cpp rounds the vectors to 8 bits. So the same file with its experts as float32 is compared beside it.
ROUNDED = {"gpt-oss-mxfp4": 2e-2}

# Cases whose tokenizer is not compared: those that make.py gave one of another family; mistral, whose tokenizer_config.json has null for
# add_prefix_space, which transformers takes for no space in front of texts and llama.cpp's converter for nothing; mixtral, of whose files
# (a tokenizer.model without a tokenizer.json) transformers can't make a tokenizer.
FOREIGN = set(make.CASES) | {"mistral", "mixtral"}

TEXT = """def naïve(x: int) -> str:\n\treturn f"{x:>8}"  # tabs, quotes ' and \\ backslashes\n\n\nfor i in range(1234567): print(i)\r\n
It's 25 °C; they're   done.  Don't! ¿Qué tal? Straße, İstanbul, ångström, Ελληνικά, Русский язык, עברית, العربية, हिन्दी, ไทย, 한국어,
日本語の文、中文。𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🙂👩‍👩‍👧‍👦🏳️‍🌈 e\u0301 \u00a0 \u200b https://example.org/?a=1&b=[2] <tag> 100,000.50€ end"""


def cases():
    for name in sorted(os.listdir(ROOT)):
        path = os.path.join(ROOT, name, "expected.json")
        if os.path.exists(path):
            with open(path) as f:
                yield name, json.load(f).get("pre_forced")


def checkpoint(folder, name):
    """The case's checkpoint, or one with the settings that llama.cpp needs."""
    source = os.path.join(ROOT, name, "hf")
    if name not in RESIZED:
        return source
    cls, config, tokenizer, pre = make.CASES[name]
    make.CASES[name] = cls, dict(config, **RESIZED[name]), tokenizer, pre
    resized = os.path.join(folder, name + "-resized")
    make.checkpoint(name, resized)
    for f in make.TOKENIZER_FILES:
        if os.path.isfile(os.path.join(source, f)):
            shutil.copy(os.path.join(source, f), resized)
    return resized


def expected(folder):
    with open(os.path.join(folder, "config.json")) as f:
        quantized = "quantization_config" in json.load(f)
    options = {"quantization_config": transformers.Mxfp4Config(dequantize=True)} if quantized else {}
    return in_transformers(load(folder, **options).float())


def check_tokenizer(name, original, restored):
    a, b = (transformers.AutoTokenizer.from_pretrained(f) for f in (original, restored))
    # The Gemma checkpoints call the token that begins texts otherwise in tokenizer.model than in tokenizer_config.json, and transformers makes a new one.
    special = name not in ("gemma2", "gemma3")
    for text in (TEXT, *TEXT.split("\n")):
        if a(text, add_special_tokens=special)["input_ids"] != b(text, add_special_tokens=special)["input_ids"]:
            return fail("%s: the restored tokenizer splits %r otherwise:\n%s\n%s" % (name, text, a.tokenize(text), b.tokenize(text)))


def check_case(folder, name, pre):
    """Converts a case to GGUF and back, and checks what is restored. Returns what is to be compared in llama.cpp: name, file, probabilities
    and tolerance."""
    source, gguf, restored = checkpoint(folder, name), os.path.join(folder, name + ".gguf"), os.path.join(folder, name)
    pre = ["--pre", pre] if pre else []
    loratool("convert", source, "-o", gguf, "--type", "f32", *pre)
    loratool("convert", gguf, "-o", restored)
    if name not in FOREIGN:
        check_tokenizer(name, source, restored)
    if name in EMBEDDERS:
        return
    want = expected(source)
    if not torch.equal(want, expected(restored)):
        fail("%s: the restored checkpoint computes something else" % name)
    yield name, gguf, want, ROUNDED.get(name, 2e-3)
    if name in ROUNDED:
        decoded = os.path.join(folder, name + "-f32")
        loratool("cast", source, "-o", decoded, "--dtype", "f32")
        loratool("convert", decoded, "-o", decoded + ".gguf", "--type", "f32", *pre)
        yield name + " as float32", decoded + ".gguf", want, 2e-3


def main(wanted):
    with tempfile.TemporaryDirectory() as folder:
        checks = [check for name, pre in cases() if not wanted or name in wanted for check in check_case(folder, name, pre)]
        for (name, _, want, tolerance), got in zip(checks, in_llama([(gguf, None) for _, gguf, _, _ in checks])):
            compare(name, got, want, tolerance)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])

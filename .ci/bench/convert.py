"""loratool convert and merge to GGUF against cp and against the usual chain: merge with PEFT, convert_hf_to_gguf.py, llama-quantize.
usage: convert.py LORATOOL WORK_FOLDER [FOLDER_OF_LLAMA_CPP]

The folder holds llama.cpp's sources, of commit 0c1e570 or near it; LLAMA_CPP in the environment names it, too. llama-quantize is
llama_model_quantize of the library that node-llama-cpp ships, which is what that program calls. Without either, PEFT's
merge alone stands for the chain: its first step, and no more than a part of it."""

import os
import shutil
import sys

import measure
import merge
import models
import quantize

TOKENIZER = '{"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, ' \
    '"trim_offsets": true, "use_regex": true}, "post_processor": null, "decoder": {"type": "ByteLevel", ' \
    '"add_prefix_space": false, "trim_offsets": true, "use_regex": true}, ' \
    '"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}'

# The converter knows real tokenizers by what they make of a text, and this one is none.
CONVERTER = """
import sys
sys.path.insert(0, sys.argv[1])
import convert_hf_to_gguf
from conversion.base import TextModel
TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
sys.argv = ["convert_hf_to_gguf.py", sys.argv[2], "--outtype", "bf16", "--outfile", sys.argv[3]]
convert_hf_to_gguf.main()
"""


def checkpoint(folder, base):
    """The base and a vocabulary that is padded to the model's size."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ("config.json", "model.safetensors"):
        os.symlink(os.path.abspath(os.path.join(base, name)), os.path.join(folder, name))
    with open(os.path.join(folder, "tokenizer.json"), "w") as f:
        f.write(TOKENIZER)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
        f.write('{"tokenizer_class": "PreTrainedTokenizerFast"}')


def chain(base, adapter, work, llama):
    """The command that merges, converts and quantizes one after the other."""
    merged, bf16, out = (os.path.join(work, name) for name in ("chain", "chain.gguf", "chain-q4.gguf"))
    run = "'%s' -c '%s'" % (sys.executable, "%s")
    peft = run % merge.PEFT + " '%s' '%s' '%s'" % (base, adapter, merged)
    if not llama:
        return ["sh", "-c", peft]
    return ["sh", "-c", " && ".join([
        peft,
        "cp '%s'/tokenizer* '%s'" % (base, merged),
        run % CONVERTER + " '%s' '%s' '%s'" % (llama, merged, bf16),
        run % quantize.PEER + " '%s' '%s' '%s'" % (quantize.CI, bf16, out)])]


if __name__ == "__main__":
    loratool, work, *llama = sys.argv[1:]
    llama = llama[0] if llama else os.environ.get("LLAMA_CPP")
    os.environ.setdefault("LORATOOL_NPM", os.path.join(quantize.CACHE, "npm"))
    base, adapter, folder, out, copied = (os.path.join(work, name) for name in ("base", "adapter", "checkpoint", "out.gguf", "copy.safetensors"))
    models.base(base)
    models.adapter(adapter)
    checkpoint(folder, base)
    log = os.path.join(work, "convert.log")
    quiet = ["--pre", "gpt-2", "--memory", "256MiB", "--threads", "2", "--progress", "none"]
    results = measure.side_by_side({
        "cp": ["cp", os.path.join(base, "model.safetensors"), copied],
        "convert to BF16": [loratool, "convert", folder, "-o", out, *quiet],
        "convert to F16": [loratool, "convert", folder, "-o", out, "--type", "f16", *quiet],
    }, [out, copied], log=log)
    measure.table("convert: 1.2B bf16 to GGUF", results, "cp")
    name = "PEFT, convert, quantize" if llama else "PEFT's merge alone"
    if not llama:
        print("\nllama.cpp's sources are not given: only PEFT's merge is measured.")
    results = measure.side_by_side({
        "loratool": [loratool, "merge", folder, "--lora", adapter, "-o", out, "--type", "Q4_K_M", *quiet],
        name: chain(folder, adapter, work, llama),
    }, [out, *(os.path.join(work, n) for n in ("chain", "chain.gguf", "chain-q4.gguf"))],
        rounds=3, warm_up=False, log=log)
    measure.table("1.2B bf16 and a LoRA of rank 16 to a Q4_K_M file", results, "loratool")
    measure.multiples(name, results[name], results["loratool"])

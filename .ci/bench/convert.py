"""loratool convert and merge to GGUF against cp and against the usual chain: merge with PEFT, convert_hf_to_gguf.py, llama-quantize.
usage: convert.py LORATOOL WORK_FOLDER [FOLDER_OF_LLAMA_CPP LLAMA_QUANTIZE]

Without llama.cpp at hand, PEFT's merge alone stands for the chain: its first step, and no more than a part of it."""

import os
import sys

import measure
import merge
import models

TOKENIZER = '{"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, ' \
    '"trim_offsets": true, "use_regex": true}, "post_processor": null, "decoder": {"type": "ByteLevel"}, ' \
    '"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}'


def tokenizer(folder):
    """A vocabulary that is padded to the model's size."""
    with open(os.path.join(folder, "tokenizer.json"), "w") as f:
        f.write(TOKENIZER)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
        f.write('{"tokenizer_class": "PreTrainedTokenizerFast"}')


def chain(base, adapter, work, llama, quantize):
    """The command that merges, converts and quantizes one after the other."""
    merged, f16, out = (os.path.join(work, name) for name in ("chain", "chain.gguf", "out.gguf"))
    peft = "'%s' -c '%s' '%s' '%s' '%s'" % (sys.executable, merge.PEFT, base, adapter, merged)
    if not llama:
        return ["sh", "-c", peft]
    return ["sh", "-c", "%s && cp '%s'/tokenizer* '%s' && '%s' '%s/convert_hf_to_gguf.py' '%s' --outtype bf16 --outfile '%s' && '%s' '%s' '%s' Q4_K_M" % (
        peft, base, merged, sys.executable, llama, merged, f16, quantize, f16, out)]


if __name__ == "__main__":
    loratool, work, *peer = sys.argv[1:]
    llama, quantize = peer or (None, None)
    base, adapter, out = (os.path.join(work, name) for name in ("base", "adapter", "out.gguf"))
    models.base(base)
    models.adapter(adapter)
    tokenizer(base)
    copied = os.path.join(work, "copy.safetensors")
    quiet = ["--pre", "gpt-2", "--memory", "256MiB", "--progress", "none"]
    results = measure.side_by_side({
        "cp": ["cp", os.path.join(base, "model.safetensors"), copied],
        "convert to BF16": [loratool, "convert", base, "-o", out, *quiet],
        "convert to F16": [loratool, "convert", base, "-o", out, "--type", "f16", *quiet],
    }, [out, copied], log=os.path.join(work, "convert.log"))
    measure.table("convert: 1.2B bf16 to GGUF", results, "cp")
    name = "PEFT, convert, quantize" if llama else "PEFT's merge alone"
    results = measure.side_by_side({
        "loratool": [loratool, "merge", base, "--lora", adapter, "-o", out, "--type", "Q4_K_M", *quiet],
        name: chain(base, adapter, work, llama, quantize),
    }, [out, os.path.join(work, "chain"), os.path.join(work, "chain.gguf")], rounds=3, log=os.path.join(work, "convert.log"))
    measure.table("1.2B bf16 and a LoRA of rank 16 to a Q4_K_M file", results, "loratool")
    print("\n%s takes %.1f times as long as loratool, with %.1f times the memory." % (
        name, results[name].seconds() / results["loratool"].seconds(), results[name].megabytes() / results["loratool"].megabytes()))

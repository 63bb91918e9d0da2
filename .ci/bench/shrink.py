"""loratool quantize to NF4 and MLX against the conversions of bitsandbytes and mlx_lm on the CPU. usage: shrink.py LORATOOL WORK_FOLDER"""

import os
import sys

import measure
import models

BITSANDBYTES = """
import sys, torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
base, out = sys.argv[1:]
config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
AutoModelForCausalLM.from_pretrained(base, quantization_config=config, device_map="cpu").save_pretrained(out)
"""

# convert() also copies the tokenizer, which these models lack; this is what it does with the weights.
MLX = """
import sys, pathlib
import mlx.core as mx
from mlx_lm.utils import load_model, quantize_model, save_model, save_config
mx.set_default_device(mx.cpu)
base, out = sys.argv[1:]
model, config = load_model(pathlib.Path(base), lazy=True)
model, config = quantize_model(model, config, 64, 4)
save_model(out, model)
save_config(config, pathlib.Path(out) / "config.json")
"""

if __name__ == "__main__":
    loratool, work = sys.argv[1:]
    base, out = os.path.join(work, "base"), os.path.join(work, "out")
    models.base(base)
    ours = lambda kind: [loratool, "quantize", base, kind, "-o", out, "--progress", "none"]
    results = measure.side_by_side({
        "cp": ["cp", "-r", base, out],
        "loratool nf4": ours("nf4"),
        "bitsandbytes": [sys.executable, "-c", BITSANDBYTES, base, out],
        "loratool mlx-4bit": ours("mlx-4bit"),
        "mlx_lm": [sys.executable, "-c", MLX, base, out],
        "loratool w4a16": ours("w4a16"),
        "loratool fp8": ours("fp8"),
    }, [out], rounds=3, log=os.path.join(work, "shrink.log"))
    measure.table("quantize: 1.2B bf16", results, "cp")
    for peer, kind in (("bitsandbytes", "nf4"), ("mlx_lm", "mlx-4bit")):
        print("\n%s takes %.1f times as long as loratool %s." % (peer, results[peer].seconds() / results["loratool " + kind].seconds(), kind))

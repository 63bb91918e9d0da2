"""loratool merge against cp of the folder and against PEFT: load, merge_and_unload, save. usage: merge.py LORATOOL WORK_FOLDER"""

import os
import sys

import measure
import models

PEFT = """
import sys, torch
from transformers import AutoModelForCausalLM
from peft import PeftModel
base, adapter, out = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(out)
"""

if __name__ == "__main__":
    loratool, work = sys.argv[1:]
    base, adapter, out = (os.path.join(work, name) for name in ("base", "adapter", "out"))
    models.base(base)
    models.adapter(adapter)
    results = measure.side_by_side({
        "cp": ["cp", "-r", base, out],
        "loratool": [loratool, "merge", base, "--lora", adapter, "-o", out, "--memory", "256MiB", "--progress", "none"],
        "PEFT": [sys.executable, "-c", PEFT, base, adapter, out],
    }, [out], log=os.path.join(work, "merge.log"))
    measure.table("merge: 1.2B bf16, LoRA of rank 16 on all linear layers", results, "cp")
    measure.multiples("PEFT", results["PEFT"], results["loratool"])

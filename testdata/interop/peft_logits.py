"""peft_logits.py CASE MERGED [CASE MERGED …]: compares what merged checkpoints compute with what PEFT does unmerged.

Loads each folder MERGED in transformers, and CASE/base with CASE/adapter in PEFT, both in float32,
and prints the greatest difference of their logits. The exit code is 1 if one is not about 0.
"""
import json, os, sys, warnings
warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
import torch, transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from peft import PeftModel
transformers.logging.set_verbosity_error()


def difference(case, merged):
    with open(os.path.join(case, "adapter", "adapter_config.json")) as f:
        task = json.load(f).get("task_type")
    cls = AutoModelForSequenceClassification if task == "SEQ_CLS" else AutoModelForCausalLM
    model = cls.from_pretrained(merged, dtype=torch.float32).eval()
    base = cls.from_pretrained(os.path.join(case, "base"), dtype=torch.float32)
    if base.config.vocab_size != model.config.vocab_size:
        base.resize_token_embeddings(model.config.vocab_size)
    tuned = PeftModel.from_pretrained(base, os.path.join(case, "adapter")).eval()
    ids = torch.arange(1, 13)[None]
    with torch.no_grad():
        want = tuned(ids).logits
        return (model(ids).logits - want).abs().max().item(), want.abs().max().item()


bad = 0
for case, merged in zip(sys.argv[1::2], sys.argv[2::2]):
    d, size = difference(case, merged)
    bad += not d < 1e-5 * size
    print("%s %s: logits differ by %.1e of %.1f" % ("ok" if d < 1e-5 * size else "BAD", os.path.basename(case), d, size))
sys.exit(1 if bad else 0)

"""Every quantized checkpoint that loratool writes loads in its real loader, and gives the logits of loratool's own decoded weights.

For each type: quantize a model, load it, and compare its logits, as a relative difference in the 2-norm, with those of `loratool cast --dtype f32` of
the same checkpoint, and with those of the model that was quantized. LIMITS says how far they may be apart: loaders of FP8 and int8 quantize
activations, too, and bitsandbytes computes in bfloat16.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TRANSFORMERS_VERBOSITY="error")
warnings.filterwarnings("ignore")

import numpy as np

#                 decoded  original
LIMITS = {
    "nf4": (0.02, 0.24),
    "nf4-dq": (0.02, 0.24),
    "int8-bnb": (0.03, 0.04),
    "mlx-4bit": (0.001, 0.34),
    "mlx-8bit": (0.001, 0.035),
    "w4a16": (0.001, 0.26),
    "fp8": (0.08, 0.10),
    "fp8-block": (0.001, 0.08),
    "nvfp4": (0.001, 0.24),
    "mxfp4": (0.001, 0.30),
}
GPT_OSS = ["mxfp4"]
MOE = {"mlx-4bit": [], "fp8-block": [], "mxfp4": [], "w4a16": ["--group-size", "32"]}
SEARCH = ["w4a16", "nvfp4", "mxfp4"]
DATA = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "shrink"


def config(folder):
    return json.loads((pathlib.Path(folder) / "config.json").read_text())


def tokens(folder):
    return (np.arange(48).reshape(2, 24) * 7 + 3) % config(folder)["vocab_size"]


def transformers_logits(folder):
    import torch
    from transformers import AutoModelForCausalLM
    plain = {} if "quantization_config" in config(folder) else {"dtype": torch.float32 if config(folder)["dtype"] == "float32" else torch.bfloat16}
    model, info = AutoModelForCausalLM.from_pretrained(folder, device_map="cpu", output_loading_info=True, **plain)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info.get(key):
            raise ValueError("%s: %s" % (key, sorted(map(str, info[key]))[:3]))
    with torch.no_grad():
        return model(torch.from_numpy(tokens(folder))).logits.float().numpy()


def mlx_logits(folder):
    import mlx.core as mx
    from mlx_lm.utils import load_model
    mx.set_default_device(mx.cpu)
    model, _ = load_model(pathlib.Path(folder))
    model.set_dtype(mx.float32)
    return np.array(model(mx.array(tokens(folder))).astype(mx.float32))


def distance(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def check(loratool, work, base, kind, flags, label):
    small, plain = os.path.join(work, label), os.path.join(work, label + "-plain")
    logits = mlx_logits if kind.startswith("mlx") else transformers_logits
    # What a loader of 16 bits computes with is rounded to them; MLX is set to float32 here.
    dtype = "f32" if kind.startswith("mlx") else "bf16"
    subprocess.run([loratool, "quantize", base, kind, "-o", small, "-q", *flags], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([loratool, "cast", small, "-o", plain, "--dtype", dtype, "-q"], check=True, stdout=subprocess.DEVNULL)
    got = logits(small)
    decoded, original = distance(got, logits(plain)), distance(got, logits(base))
    limit = LIMITS[kind]
    ok = bool(np.isfinite(got).all()) and decoded <= limit[0] and original <= limit[1]
    print("%-4s %-18s %.4f from the decoded weights (at most %g), %.4f from the original (at most %g)"
          % ("ok" if ok else "FAIL", label, decoded, limit[0], original, limit[1]), flush=True)
    return ok


def main(loratool, work):
    cases = [("base", kind, [], kind) for kind in LIMITS]
    cases += [("base", kind, ["--search"], kind + "-search") for kind in SEARCH]
    cases += [("base_moe", kind, flags, kind + "-moe") for kind, flags in MOE.items()]
    cases += [("read_base_gptoss", kind, [], kind + "-gptoss") for kind in GPT_OSS]
    failed = 0
    for base, kind, flags, label in cases:
        try:
            with contextlib.redirect_stderr(open(os.devnull, "w")):
                failed += not check(loratool, work, str(DATA / base), kind, flags, label)
        except Exception as e:  # whatever a loader says of the checkpoint is a failure of it
            print("FAIL %-18s %s: %s" % (label, type(e).__name__, str(e).strip()[:200]))
            failed += 1
    return failed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        sys.exit(1 if main(os.environ["LORATOOL"], work) else 0)

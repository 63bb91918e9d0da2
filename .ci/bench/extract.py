"""loratool extract at rank 64 against a singular value decomposition by torch of every matrix, the full one that
mergekit-extract-lora makes and the randomized one. usage: extract.py LORATOOL WORK_FOLDER

All run with two threads on the models of models.py, of which the full decomposition sees one layer only and is scaled
up: it would take most of an hour. Errors are computed here, from the factors that each wrote."""

import json
import multiprocessing
import os
import sys
import time

import measure
import models
import torch
from safetensors import safe_open
from safetensors.torch import save_file

RANK = 64

LOWRANK = """
import sys, torch
from safetensors import safe_open
from safetensors.torch import save_file
sys.path.insert(0, %r)
import models
torch.set_num_threads(2)
torch.manual_seed(1)
base, tuned, out = (sys.argv[i] for i in (1, 2, 3))
files = [safe_open(path + "/model.safetensors", "pt") for path in (base, tuned)]
tensors = {}
for name, _ in models.linears():
    d = files[1].get_tensor(name + ".weight").float() - files[0].get_tensor(name + ".weight").float()
    u, s, v = torch.svd_lowrank(d, q=80, niter=2)
    root = s[:64].sqrt()
    tensors["base_model.model." + name + ".lora_A.weight"] = (v[:, :64] * root).T.contiguous().bfloat16()
    tensors["base_model.model." + name + ".lora_B.weight"] = (u[:, :64] * root).bfloat16()
import os
os.makedirs(out, exist_ok=True)
save_file(tensors, out + "/adapter_model.safetensors")
""" % os.path.dirname(os.path.abspath(__file__))


def relative_error(base, tuned, adapter):
    files = [safe_open(os.path.join(path, "model.safetensors"), "pt") for path in (base, tuned)]
    factors = safe_open(os.path.join(adapter, "adapter_model.safetensors"), "pt")
    error2 = delta2 = 0.0
    for name, _ in models.linears():
        d = files[1].get_tensor(name + ".weight").float() - files[0].get_tensor(name + ".weight").float()
        a, b = (factors.get_tensor("base_model.model.%s.lora_%s.weight" % (name, x)).float() for x in "AB")
        error2 += (d - b @ a).double().square().sum().item()
        delta2 += d.double().square().sum().item()
    return (error2 / delta2) ** 0.5


def full_decomposition(base, tuned):
    """Seconds of torch.linalg.svd for one layer's matrices, and the share of all that these are."""
    torch.set_num_threads(2)
    files = [safe_open(os.path.join(path, "model.safetensors"), "pt") for path in (base, tuned)]
    seconds = 0.0
    for name, _ in models.linears():
        if not name.startswith("model.layers.0."):
            continue
        d = files[1].get_tensor(name + ".weight").float() - files[0].get_tensor(name + ".weight").float()
        start = time.perf_counter()
        torch.linalg.svd(d, full_matrices=False)
        seconds += time.perf_counter() - start
    return seconds * models.LAYERS


if __name__ == "__main__":
    loratool, work = sys.argv[1:3]
    base, tuned, ours, theirs = (os.path.join(work, name) for name in ("base", "finetuned", "extracted", "svd_lowrank"))
    os.makedirs(work, exist_ok=True)
    # In a process of its own: a child's peak memory begins with what this one has when it forks.
    for make, arguments in ((models.base, (base,)), (models.finetuned, (tuned, base))):
        process = multiprocessing.Process(target=make, args=arguments)
        process.start()
        process.join()
        if process.exitcode != 0:
            sys.exit("making the models failed")
    report = os.path.join(work, "extract.json")
    results = measure.side_by_side({
        "loratool": [loratool, "extract", base, tuned, "-o", ours, "--force", "--rank", str(RANK), "--threads", "2", "--progress", "none", "--report", report],
        "torch.svd_lowrank": [sys.executable, "-c", LOWRANK, base, tuned, theirs],
    }, [], rounds=3, log=os.path.join(work, "extract.log"))
    measure.table("extract: 1.2B bf16, rank 64", results, "loratool")
    print("\n| | relative error |\n|---|---|")
    for name, path in (("loratool", ours), ("torch.svd_lowrank(q=80, niter=2)", theirs)):
        print("| %s | %.6f |" % (name, relative_error(base, tuned, path)))
    with open(report) as f:
        r = json.load(f)
    print("\nloratool reports %.6f, at most %.4f times the best possible." % (
        r["relative_error"], max(l.get("at_most_above_best", 0) for l in r["layers"])))
    print("It is %.2f times as fast as svd_lowrank." % (results["torch.svd_lowrank"].seconds() / results["loratool"].seconds()))
    sys.stdout.flush()
    if os.environ.get("FULL", "1") == "1":
        full = full_decomposition(base, tuned)
        print("torch.linalg.svd of every matrix: %.0f s (one layer measured), %.1f times as long." % (full, full / results["loratool"].seconds()))

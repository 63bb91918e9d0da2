"""The whole command loratool quantize Q4_K_M on a 1.2B F16 GGUF against llama.cpp's llama_model_quantize, two threads each.
usage: quantize.py LORATOOL WORK_FOLDER"""

import filecmp
import os
import sys

import gguf
import numpy as np

import measure
import models

CI = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "loratool-ci")

PEER = """
import sys
sys.path.append(sys.argv[1])
import llama
llama.Quantizer().quantize(sys.argv[2], sys.argv[3], 15)
"""


def f16_gguf(path):
    """The matrices of a 1.2B Llama as F16, in llama.cpp's names; made once."""
    if os.path.exists(path):
        return
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=False)
    writer.add_block_count(models.LAYERS)
    writer.add_context_length(131072)
    writer.add_embedding_length(models.HIDDEN)
    writer.add_feed_forward_length(models.INTERMEDIATE)
    writer.add_head_count(models.HEADS)
    writer.add_head_count_kv(models.KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(models.VOCABULARY)
    writer.add_file_type(1)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
    shapes = [("token_embd.weight", (models.VOCABULARY, models.HIDDEN))]
    for layer in range(models.LAYERS):
        shapes += [("blk.%d.%s.weight" % (layer, names[n]), s) for n, s in models.LINEAR.items()]
    infos = [(n, s, np.float16) for n, s in shapes] + [("output_norm.weight", (models.HIDDEN,), np.float32)]
    for layer in range(models.LAYERS):
        infos += [("blk.%d.%s.weight" % (layer, n), (models.HIDDEN,), np.float32) for n in ("attn_norm", "ffn_norm")]
    for name, shape, dtype in infos:
        writer.add_tensor_info(name, shape, np.dtype(dtype), int(np.prod(shape)) * np.dtype(dtype).itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape, dtype in infos:
        data = np.ones(shape, dtype) if len(shape) == 1 else (random.standard_normal(shape, np.float32) * 0.02).astype(dtype)
        writer.write_tensor_data(data)
    writer.close()


if __name__ == "__main__":
    loratool, work = sys.argv[1:]
    os.makedirs(work, exist_ok=True)
    os.environ.setdefault("LORATOOL_NPM", os.path.join(CACHE, "npm"))
    source, ours, theirs = (os.path.join(work, n) for n in ("f16.gguf", "ours.gguf", "theirs.gguf"))
    f16_gguf(source)
    results = measure.side_by_side({
        "loratool": [loratool, "quantize", source, "-o", ours, "Q4_K_M", "-j", "2", "--force", "--progress", "none", "-q"],
        "llama.cpp": [sys.executable, "-c", PEER, CI, source, theirs],
    }, [], rounds=3, log=os.path.join(work, "quantize.log"))
    measure.table("quantize: 1.2B F16 to Q4_K_M, 2 threads", results, "loratool")
    measure.multiples("llama.cpp", results["llama.cpp"], results["loratool"])
    same = filecmp.cmp(ours, theirs, shallow=False)
    print("\nThe files are %s." % ("equal, byte for byte" if same else "DIFFERENT"))
    sys.exit(not same)

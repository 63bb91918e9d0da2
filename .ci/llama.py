"""The real llama.cpp, as node-llama-cpp ships it: LORATOOL_NPM is the folder of its node_modules."""

import ctypes
import glob
import json
import os
import subprocess
import sys

NPM = os.environ["LORATOOL_NPM"]


def evaluate(script, *arguments):
    """What a script of interop/ prints, a JSON value a line."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "interop", script)
    done = subprocess.run(["node", path, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit("llama.cpp does not run what loratool wrote: " + done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def probabilities(jobs):
    """For each {"model": .., "lora": .. or None, "tokens": [..]} a list of the probabilities of all next tokens, by token, for each position."""
    return evaluate("probabilities.mjs", json.dumps(jobs))


def embeddings(jobs):
    """For each {"model": .., "tokens": [..]} the vector that an embedder makes of the tokens, pooled as the file says."""
    return evaluate("embeddings.mjs", json.dumps(jobs))


def perplexities(*models):
    """For each file {"perplexity": .., "tokens": .., "sum": ..} of a fixed text."""
    return evaluate("perplexity.mjs", *models)


class Quantizer:
    """llama_model_quantize of the libllama that node-llama-cpp ships."""

    class Params(ctypes.Structure):  # only what comes first; the rest, whatever it is, stays as the defaults have it
        _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int32), ("rest", ctypes.c_uint8 * 504)]

    def __init__(self):
        folder = os.path.join(NPM, "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64")
        for name in ("libggml-base.so", "libggml-cpu-x64.so", "libggml.v*.so"):
            ctypes.CDLL(glob.glob(os.path.join(folder, name))[0], mode=ctypes.RTLD_GLOBAL)
        self.lib = ctypes.CDLL(glob.glob(os.path.join(folder, "libllama.v*.so"))[0])
        self.lib.llama_model_quantize_default_params.restype = self.Params
        self.lib.llama_model_quantize.restype = ctypes.c_uint32
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self.silent = log(lambda level, text, data: None)
        self.lib.llama_log_set(self.silent, None)
        self.lib.llama_backend_init()

    def quantize(self, source, target, ftype):
        params = self.lib.llama_model_quantize_default_params()
        params.nthread, params.ftype = 2, ftype
        if self.lib.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)):
            sys.exit("llama_model_quantize fails for file type %d" % ftype)

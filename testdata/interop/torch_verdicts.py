"""Says of checkpoints what torch.load makes of them, with weights_only.

stdin: for each file its length in four bytes, little-endian, and its bytes.
stdout: the version of torch, then a line for each file:

  -  it is refused
  ~  it is refused for something that has no influence on the tensors
  ?  it is read as anything but a dict of tensors that model files can hold, or the tensors can't be read
  else a SHA-256 of, for each tensor in the order of their names, name, NUL, dtype, NUL, dimensions with spaces between,
  NUL, data.

Each file is loaded in a process of its own: torch keeps state from one failure to the next load, and a tensor that
reaches beyond its storage may end the process.
"""

import hashlib
import io
import os
import struct
import sys
import warnings

import torch

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.uint8: "U8",
}

# What these say is about gradients, devices, keys and arguments that hold no tensor, and opcodes that weights_only does
# not know.
IMMATERIAL = ("requires_grad", "require_grad", "set expected at most", "Counter.__init__", "restore data location",
              "Unsupported operand 148", "Unsupported operand 143", "is not a type object", "unhashable type",
              "expected string or bytes-like object")


def verdict(data):
    try:
        obj = torch.load(io.BytesIO(data), weights_only=True)
    except Exception as e:
        return "~" if any(s in str(e) for s in IMMATERIAL) else "-"
    if not isinstance(obj, dict) or not all(
        isinstance(k, str) and isinstance(v, torch.Tensor) and v.dtype in DTYPES and v.device.type == "cpu"
        and v.numel() < 1 << 20
        for k, v in obj.items()
    ):
        return "?"
    h = hashlib.sha256()
    for name in sorted(obj, key=str.encode):
        t = obj[name].detach()
        h.update(f"{name}\0{DTYPES[t.dtype]}\0{' '.join(map(str, t.shape))}\0".encode())
        if t.numel():
            h.update(t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return h.hexdigest()


def apart(data):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.write(write, verdict(data).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read) as f:
        return f.read() or "?"


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print("torch", torch.__version__)
    while length := sys.stdin.buffer.read(4):
        print(apart(sys.stdin.buffer.read(struct.unpack("<I", length)[0])), flush=True)


main()

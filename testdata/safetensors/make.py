"""Writes reference.safetensors and expected.json with the reference library, as serialize makes them.

The file has every number format of whole bytes, a scalar, empty tensors, metadata, and names that JSON escapes.
expected.json has, by name, number format, shape and SHA-256 of the bytes.
"""

import hashlib
import json

import safetensors
import torch
from safetensors.torch import save

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.bool: "BOOL", torch.complex64: "C64",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ", torch.float8_e8m0fnu: "F8_E8M0",
}

tensors = {}
for dtype, name in DTYPES.items():
    tensors[name] = (torch.arange(6) % 2 if dtype == torch.bool else torch.arange(1, 7)).reshape(2, 3).to(dtype)
tensors["alpha"] = torch.tensor(8.0)
tensors["empty"] = torch.zeros(0, 4)
tensors["empty.f16"] = torch.zeros(3, 0, dtype=torch.float16)
tensors["größe \"<&>\" \\ 重み \t\u2028"] = torch.ones(3)
tensors[""] = torch.ones(1, 1, 1, 1, 2)

data = save(tensors, {"format": "pt", "note": "ä \" \n <&>"})
with open("reference.safetensors", "wb") as f:
    f.write(data)
expected = {}
for name, t in tensors.items():
    b = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
    expected[name] = {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "sha256": hashlib.sha256(b).hexdigest()}
with open("expected.json", "w") as f:
    json.dump({"safetensors": safetensors.__version__, "tensors": expected}, f, indent=1)
    f.write("\n")

"""Writes the checkpoints of this folder and expected.json, with the torch that is installed.

For each file expected.json has, by name of the tensor, its number format as safetensors spells it,
its shape, and the SHA-256 of its row-major little-endian bytes as torch.load gives them.
"""

import collections
import hashlib
import json
import sys
import warnings
from unittest import mock

import torch

warnings.simplefilter("ignore")

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.bool: "BOOL",
    torch.complex64: "C64", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ", torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
    torch.float8_e8m0fnu: "F8_E8M0",
}


def numbers(*shape, dtype=torch.float32):
    n = 1
    for d in shape:
        n *= d
    return (torch.arange(n, dtype=torch.float32) * 0.37 - 3).reshape(shape).to(dtype)


def every_dtype():
    d = collections.OrderedDict()
    for dtype, name in DTYPES.items():
        t = (torch.arange(6) % 2 if dtype == torch.bool else torch.arange(1, 7)).reshape(2, 3)
        d[name] = t.to(dtype)
    return d


def views():
    m = numbers(5, 7)
    conv = numbers(4, 3, 2, 2)
    return {
        "whole": m,
        "transposed": m.t(),
        "rows": m[1:4],
        "columns": m[:, 2:5],
        "every_other": m[::2, ::3],
        "column": m[:, 3],
        "reversed_axes": conv.permute(3, 2, 1, 0),
        "channels_last": conv.to(memory_format=torch.channels_last),
        "expanded": numbers(3, 1).expand(3, 4),
        "diagonal": m.diagonal(),
        "one_row": m[2:3].t().t(),
        "half": m.to(torch.bfloat16).t(),
        "bytes": torch.arange(12, dtype=torch.uint8).reshape(3, 4).t(),
        "complex": torch.complex(numbers(2, 3), numbers(2, 3)).t(),
    }


def odd_shapes():
    return {"scalar": torch.tensor(3.5), "empty": torch.zeros(0, 3), "empty_last": torch.zeros(3, 0, 2),
            "nothing": torch.zeros(0, dtype=torch.int64), "ones": torch.ones(1, 1, 1, 1), "": torch.ones(2),
            "empty_view": numbers(4, 4)[2:2]}


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("positions", torch.arange(5).expand((1, -1)))


def attributes():
    p = torch.nn.Parameter(numbers(2, 2))
    p.note = "an attribute"
    return {"weight": p}


def flat(value, prefix=""):
    """The tensors of a container, with names as the Go package makes them."""
    if isinstance(value, torch.Tensor):
        yield prefix, value
    elif isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for k, v in items:
            yield from flat(v, f"{prefix}.{k}" if prefix else str(k))


def digest(t):
    t = t.detach().contiguous()
    b = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "sha256": hashlib.sha256(b).hexdigest()}


def main():
    torch.manual_seed(1)
    expected = {}

    def write(name, obj, taken=lambda o: o, **how):
        torch.save(obj, name, **how)
        try:
            back = torch.load(name, weights_only=not how.get("pickle_protocol"))
        except AttributeError:  # torch can't read its own old format with the newer number formats
            assert name == "legacy_dtypes.pt"
            back = obj
        expected[name] = {k: digest(v) for k, v in flat(taken(back))}

    model = Tiny()
    optimizer = torch.optim.AdamW(model.parameters())
    model.head(model.norm(model.embed(torch.arange(6)))).sum().backward()
    optimizer.step()

    write("dtypes.pt", every_dtype())
    write("views.pt", views())
    write("shapes.pt", odd_shapes())
    write("module.pt", model.state_dict())
    write("parameter.pt", {"p": torch.nn.Parameter(numbers(2, 3)), "frozen": torch.nn.Parameter(numbers(3), requires_grad=False)})
    write("attributes.pt", attributes())
    write("training.pt", {"epoch": 3, "state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()],
                          "hyper_parameters": {"lr": 1e-3, "betas": (0.9, 0.999), "name": "tiny", "on": True, "none": None,
                                               "raw": b"\x00\xff", "set": {1, 2}, "device": torch.device("cpu"),
                                               "dtype": torch.bfloat16, "big": 1 << 70, "size": torch.Size([2, 3])}},
          taken=lambda o: o["state_dict"])
    write("nested.pt", {"model": {"encoder": {"0": {"weight": numbers(2, 2)}}, "heads": [numbers(2), numbers(3)], 7: numbers(1)}},
          taken=lambda o: o["model"])
    write("two_parts.pt", {"model": {"w": numbers(2)}, "discriminator": {"w": numbers(3)}})
    write("protocol4.pt", views(), pickle_protocol=4)
    write("protocol5.pt", {"state": model.state_dict(), "set": {1, 2}, "frozen": frozenset([1]), "array": bytearray(b"12")}, pickle_protocol=5)
    write("legacy.pt", {**views(), **odd_shapes()}, _use_new_zipfile_serialization=False)
    write("legacy_dtypes.pt", every_dtype(), _use_new_zipfile_serialization=False)
    write("legacy_module.pt", model.state_dict(), _use_new_zipfile_serialization=False)

    torch.serialization.set_crc32_options(False)
    write("no_checksums.pt", {"w": numbers(2, 3)})
    torch.serialization.set_crc32_options(True)

    # What a big-endian machine would write: torch.load turns the bytes round.
    big = {k: v.clone() for k, v in {"f32": numbers(2, 3), "bf16": numbers(3, 2, dtype=torch.bfloat16), "i64": torch.arange(4),
                                     "u8": torch.arange(5, dtype=torch.uint8), "c64": torch.complex(numbers(2), numbers(2) + 1)}.items()}
    for v in big.values():
        v.untyped_storage().byteswap(v.dtype)
    big["transposed"] = big["f32"].t()
    with mock.patch.object(sys, "byteorder", "big"):
        torch.save(big, "big_endian.pt")
    expected["big_endian.pt"] = {k: digest(v) for k, v in flat(torch.load("big_endian.pt"))}

    # Valid checkpoints that hold what model files can't.
    torch.save({"w": torch.quantize_per_tensor(numbers(2, 2), 0.1, 0, torch.qint8)}, "refused_quantized.pt")
    torch.save({"w": numbers(2, 2).to_sparse()}, "refused_sparse.pt")
    torch.save({"w": torch.complex(numbers(2).double(), numbers(2).double())}, "refused_complex128.pt")
    torch.save({"w": torch.ones(2, device="meta")}, "refused_meta.pt")
    torch.save({"w": torch.complex(numbers(2), numbers(2)).conj()}, "refused_conjugated.pt")
    torch.save(numbers(2), "refused_tensor.pt")
    torch.save(model, "refused_model.pt")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "refused_script.pt")

    with open("expected.json", "w") as f:
        json.dump({"torch": torch.__version__, "files": expected}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()

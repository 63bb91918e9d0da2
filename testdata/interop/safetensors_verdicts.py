"""Says of files what the reference parser makes of them.

stdin: for each file its length in four bytes, little-endian, and its bytes.
stdout: the parser's name, then a line for each file: "-" if it is refused, or a SHA-256 of, for each tensor in
the order of their names, name, NUL, dtype, NUL, dimensions with spaces between, NUL, data.
"""

import hashlib
import struct
import sys

import safetensors

print("safetensors", safetensors.__version__)
while length := sys.stdin.buffer.read(4):
    data = sys.stdin.buffer.read(struct.unpack("<I", length)[0])
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError:
        print("-")
        continue
    h = hashlib.sha256()
    for name, t in sorted(tensors, key=lambda t: t[0].encode()):
        h.update(f"{name}\0{t['dtype']}\0{' '.join(map(str, t['shape']))}\0".encode())
        h.update(bytes(t["data"]))
    print(h.hexdigest())

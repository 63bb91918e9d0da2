#!/usr/bin/env python3
"""Runs the quantizers of a libggml-base.so on a file of float32.

  ggml_oracle.py LIB quantize TYPE COLS IN.f32 OUT.bin [IMATRIX.f32]
  ggml_oracle.py LIB dequantize TYPE IN.bin OUT.f32
  ggml_oracle.py LIB speed TYPE ROUNDS COLS IN.f32 [IMATRIX.f32]

TYPE is a number of enum ggml_type. speed prints the nanoseconds of CPU time of each round of
quantizing the file in one thread. Needs nothing but Python.
"""
import ctypes
import sys
import time


class Traits(ctypes.Structure):
    _fields_ = [
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64)),
        ("from_float_ref", ctypes.c_void_p),
    ]


def load(path):
    lib = ctypes.CDLL(path)
    lib.ggml_quantize_init.argtypes = [ctypes.c_int]
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p] + [ctypes.c_int64] * 3 + [ctypes.c_char_p]
    lib.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    lib.ggml_get_type_traits.argtypes = [ctypes.c_int]
    return lib


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def main():
    lib, command, number, *args = sys.argv[1:]
    lib, number = load(lib), int(number)
    traits = lib.ggml_get_type_traits(number).contents
    lib.ggml_quantize_init(number)
    if command == "dequantize":
        src = read(args[0])
        n = len(src) // traits.type_size * traits.blck_size
        dst = ctypes.create_string_buffer(4 * n)
        traits.to_float(src, dst, n)
        write(args[1], dst.raw)
        return
    rounds = int(args.pop(0)) if command == "speed" else 1
    cols, src = int(args.pop(0)), read(args.pop(0))
    rows = len(src) // 4 // cols
    dst = ctypes.create_string_buffer(rows * cols // traits.blck_size * traits.type_size)
    out = args.pop(0) if command == "quantize" else None
    imatrix = read(args.pop(0)) if args else None
    for _ in range(rounds):
        start = time.thread_time_ns()
        lib.ggml_quantize_chunk(number, src, dst, 0, rows, cols, imatrix)
        if command == "speed":
            print(time.thread_time_ns() - start)
    if out:
        write(out, dst.raw)


main()

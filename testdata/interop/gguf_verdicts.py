#!/usr/bin/env python3
"""gguf_verdicts.py LIBGGML_BASE: reads files from standard input, each as uint32 length and bytes, and prints for each whether gguf_init_from_file
of that library takes it with its data: 1, 0, or x if the process dies of it."""
import ctypes, os, struct, sys

os.environ["GGML_NO_BACKTRACE"] = "1"  # which would be taken in yet another process, that goes on with ours
lib = ctypes.CDLL(os.path.abspath(sys.argv[1]))


class Params(ctypes.Structure):
    _fields_ = [("no_alloc", ctypes.c_bool), ("ctx", ctypes.POINTER(ctypes.c_void_p))]


lib.gguf_init_from_file.restype = ctypes.c_void_p
lib.gguf_init_from_file.argtypes = [ctypes.c_char_p, Params]
lib.gguf_free.argtypes = lib.ggml_free.argtypes = [ctypes.c_void_p]
LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
silent = LOG(lambda level, text, data: None)
lib.ggml_log_set(silent, None)


def verdict(data, path):
    with open(path, "wb") as f:
        f.write(data)
    ctx = ctypes.c_void_p()
    gguf = lib.gguf_init_from_file(path.encode(), Params(False, ctypes.pointer(ctx)))
    if not gguf:
        return b"0"
    lib.gguf_free(gguf)
    if ctx:
        lib.ggml_free(ctx)
    return b"1"


def main():
    raw, files, at = sys.stdin.buffer.read(), [], 0
    while at < len(raw):
        n = struct.unpack_from("<I", raw, at)[0]
        files.append(raw[at + 4:at + 4 + n])
        at += 4 + n
    path = "/tmp/gguf_verdicts.%d.gguf" % os.getpid()
    done = b""
    while len(done) < len(files):  # a child that dies is followed by one that begins after what killed it
        r, w = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(r)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            for data in files[len(done):]:
                os.write(w, verdict(data, path))
            os._exit(0)
        os.close(w)
        while chunk := os.read(r, 65536):
            done += chunk
        os.close(r)
        if os.waitpid(child, 0)[1] != 0:
            done += b"x"
    os.remove(path)
    print(done.decode())


main()

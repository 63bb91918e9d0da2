"""The quantizers beside libggml's, in one thread, without and with an importance matrix: millions of weights a second, and how many times
as fast. usage: kernels.py LORATOOL WORK_FOLDER (neither is used: this is a Go benchmark, BenchmarkOracle)"""

import glob
import os
import re
import statistics
import subprocess
import sys

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "loratool-ci")
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "IQ2_XXS", "IQ2_XS", "IQ2_S",
         "IQ3_XXS", "IQ3_S", "IQ1_S", "IQ1_M"]


def measure(root, test):
    """{(type, "weighted" or "", instruction set): [(millions of weights a second, times libggml)]}"""
    libraries = glob.glob(os.path.join(CACHE, "npm/node_modules/@node-llama-cpp/linux-x64/bins/*/libggml-base.so*"))
    environment = dict(os.environ, LORATOOL_PYTHON=sys.executable)
    environment.setdefault("LORATOOL_GGML", libraries[0] if libraries else "")
    out = subprocess.run([test, "-test.run", "^$", "-test.bench", "^BenchmarkOracle$/^(%s)(-weighted)?$/^avx" % "|".join("(?i:%s)" % kind for kind in TYPES), "-test.benchtime", "1x",
                          "-test.count", os.environ.get("ROUNDS", "3")],
                         check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=os.path.join(root, "kernels")).stdout
    found = {}
    for kind, weighted, isa, speed, times in re.findall(
            r"^BenchmarkOracle/(\w+?)(?:-(weighted))?/(avx\w+?)-\d+\s+\d+\s+([\d.e+]+) Mweights/s\s+([\d.]+) times-ggml", out, re.M):
        found.setdefault((kind.upper(), weighted, isa), []).append((float(speed), float(times)))
    return found


if __name__ == "__main__":
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    test = os.path.join(root, "dist", "kernels.test")
    subprocess.run(["go", "test", "-tags", "interop", "-c", "-o", test, "./kernels"], check=True, cwd=root)
    found = measure(root, test)
    columns = [(isa, weighted) for weighted in ("", "weighted") for isa in ("avx512", "avx2")]
    print("\nquantizers beside libggml, one thread: times as fast (millions of weights a second), medians\n")
    print("| | %s |\n|%s" % (" | ".join(isa + (", importance" if weighted else "") for isa, weighted in columns), "---|" * (len(columns) + 1)))
    for name in TYPES:
        cells = []
        for isa, weighted in columns:
            rounds = found.get((name, weighted, isa))
            cells.append("%.1f (%.0f)" % (statistics.median(t for _, t in rounds), statistics.median(s for s, _ in rounds)) if rounds else "")
        print("| %s | %s |" % (name, " | ".join(cells)))

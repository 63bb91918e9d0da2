"""The float32 matrix product of extraction, 4096×4096 times 4096×96, in one thread: loratool's kernel, torch's, and the multiply-adds
that the CPU can do at most. usage: gemm.py LORATOOL WORK_FOLDER (neither is used: the kernel is measured by its Go benchmark)"""

import os
import re
import statistics
import subprocess
import time

import torch

M, N, K = 4096, 96, 4096
ROUNDS = int(os.environ.get("ROUNDS", "7"))


def fastest(test, benchmark):
    """Billions of operations a second of a benchmark, with the best instruction set."""
    out = subprocess.run([test, "-test.run", "^$", "-test.bench", benchmark, "-test.benchtime", "0.3s", "-test.cpu", "1"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return max(float(speed) for speed in re.findall(r"([\d.]+) GF/s", out))


def torch_product():
    torch.set_num_threads(1)
    a, b = torch.randn(M, K), torch.randn(K, N)
    a @ b
    runs, start = 0, time.perf_counter()
    while time.perf_counter() - start < 0.3:
        a @ b
        runs += 1
    return runs * 2 * M * N * K / (time.perf_counter() - start) / 1e9


if __name__ == "__main__":
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    test = os.path.join(root, "dist", "kernels.test")
    subprocess.run(["go", "test", "-c", "-o", test, "./kernels"], check=True, cwd=root)
    ours, peaks, theirs = [], [], []
    for _ in range(ROUNDS):
        peaks.append(fastest(test, "^BenchmarkPeak$"))
        ours.append(fastest(test, "^BenchmarkGemm$/^NN$/^m=%d,n=%d,k=%d$" % (M, N, K)))
        theirs.append(torch_product())
    print("\nproduct of %d×%d and %d×%d in float32, one thread (medians of %d)\n" % (M, K, K, N, ROUNDS))
    print("| | billions of operations a second | of the peak |\n|---|---|---|")
    for name, speeds in (("multiply-adds alone", peaks), ("loratool", ours), ("torch", theirs)):
        print("| %s | %.1f | %.0f %% |" % (name, statistics.median(speeds), 100 * statistics.median(s / p for s, p in zip(speeds, peaks))))

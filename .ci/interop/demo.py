"""The Q4_K_M file that loratool demo ends with runs in llama.cpp, where it computes nearly what the merged model computes unquantized: there, and
in transformers."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import llama  # noqa: E402
from logits import compare, fail, failures, in_llama, in_transformers, load, loratool  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.join(temporary, "demo")
        loratool("demo", folder)
        quantized, plain = os.path.join(folder, "merged.gguf"), os.path.join(temporary, "f32.gguf")
        loratool("convert", os.path.join(folder, "merged"), "-o", plain, "--type", "f32")
        want = in_transformers(load(os.path.join(folder, "merged")))
        for (name, tolerance), got in zip((("demo as float32", 2e-3), ("demo in Q4_K_M", 0.15)), in_llama([(plain, None), (quantized, None)])):
            compare(name, got, want, tolerance)
        a, b = (result["perplexity"] for result in llama.perplexities(plain, quantized))
        print("%-36s perplexity %.5g, as float32 %.5g" % ("demo in Q4_K_M", b, a))
        if not (a < 250 and abs(b / a - 1) < 0.03):  # a uniform distribution would have 1024, the size of the vocabulary
            fail("the quantized demo has perplexity %g, unquantized %g" % (b, a))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

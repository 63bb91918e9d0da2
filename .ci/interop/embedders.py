"""What loratool convert writes of BERT and Nomic-BERT makes the same vectors of a text in llama.cpp as the checkpoint in transformers."""

import json
import os
import sys
import tempfile

import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import llama  # noqa: E402
from logits import TESTDATA, TOKENS, fail, failures, loratool  # noqa: E402

FRAMED = [101, *TOKENS, 102]  # [CLS] … [SEP], without which llama.cpp's embedding context does not take a text


def nomic_config(folder):
    """The configuration under transformers' names: the published one is that of code that came with the checkpoints."""
    with open(os.path.join(folder, "config.json")) as f:
        c = json.load(f)
    return transformers.NomicBertConfig(
        vocab_size=c["vocab_size"], hidden_size=c["n_embd"], num_hidden_layers=c["n_layer"], num_attention_heads=c["n_head"],
        intermediate_size=c["n_inner"], type_vocab_size=c["type_vocab_size"], layer_norm_eps=c["layer_norm_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": float(c["rotary_emb_base"])})


def expected(name, folder):
    """The hidden state of the first token: what 1_Pooling/config.json asks for in both cases."""
    with open(os.path.join(folder, "1_Pooling", "config.json")) as f:
        assert json.load(f)["pooling_mode_cls_token"]
    options = {"config": nomic_config(folder)} if name == "nomic-bert" else {}
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, **options).eval()
    with torch.no_grad():
        return model(torch.tensor([FRAMED])).last_hidden_state[0, 0]


def main():
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("bert", "nomic-bert"):
            source, gguf, restored = os.path.join(TESTDATA, "convert", name, "hf"), os.path.join(temporary, name + ".gguf"), os.path.join(temporary, name)
            loratool("convert", source, "-o", gguf, "--type", "f32")
            loratool("convert", gguf, "-o", restored)
            want = expected(name, source)
            again = expected(name, restored)
            if not torch.equal(want, again):
                fail("%s: the restored checkpoint computes something else" % name)
            got = torch.tensor(llama.embeddings([{"model": gguf, "tokens": FRAMED}])[0])
            difference = ((got - want).abs().max() / want.abs().max()).item()
            print("%-36s vectors %.2g" % (name, difference))
            if not difference < 1e-3:
                fail("%s: llama.cpp makes another vector than transformers" % name)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

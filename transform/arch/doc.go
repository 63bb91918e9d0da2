// Package arch knows model architectures: what Hugging Face checkpoints and GGUF
// files call the tensors of a family, in which order they keep the rows, and
// which key-values describe the model.
//
// [ToGGUF] and [FromGGUF] are transformations of models like any other: they read
// headers, configuration and tokenizer, and return a model whose rows are those
// of the old one in another order. The two undo each other.
//
// An [Architecture] is a table in a file of its own: classes, tensor rules, key-values. A
// tensor [rule] pairs name patterns of both sides and says, by its [op], how the
// data differs. Adding an architecture is writing such a table.
//
// The GGUF side is that of llama.cpp's convert_hf_to_gguf.py: names, number
// formats, key-values, their types and their order.
package arch

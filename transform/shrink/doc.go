// Package shrink reads and writes checkpoints of few bits: the quantized
// safetensors folders that transformers, vLLM and mlx-lm load, with the state of
// the quantization in tensors beside the codes and a block in config.json that says
// which it is.
//
// [Dequantize] turns such a model into one of plain matrices, decoded row by row as
// they are read. [Quantize] is the other direction. Each scheme has a file of its
// own, with its layout, its reading and its writing side by side.
//
// Codes and scales come from one file, so nothing about them is trusted: shapes are
// checked when the model is opened, numbers when they are read.
package shrink

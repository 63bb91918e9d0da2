// Package safetensors reads and writes the safetensors format: an 8-byte
// little-endian length, so many bytes of JSON that describe the tensors, and
// their data without gaps.
//
// Reading keeps the rules that the reference parser enforces (no hole, no
// overlap, nothing after the last tensor, sizes that fit shapes, a header of at
// most 100 MB) and three that the format's text demands and the parser lets
// pass: a name appears once, no two tensors share bytes, and the header begins
// with its brace. Data need not be aligned.
//
// Writing sorts tensors by the alignment of their number format, then by name,
// as the reference writer does, and pads the header with spaces so that the data
// begins at a multiple of 64 bytes: every tensor is aligned, and programs that
// map the file need not copy.
//
// https://github.com/huggingface/safetensors describes the format.
package safetensors

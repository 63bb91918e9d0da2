// Package gguf reads and writes GGUF, the model files of llama.cpp: metadata as
// typed key-value pairs, descriptions of the tensors, and their data, aligned.
//
// It reads versions 1 to 3, little-endian and big-endian, single files and the
// shards of a split model; data of big-endian files is turned round as it is
// read. It keeps the rules of llama.cpp's reader: keys and tensor names appear
// once, rows fill whole blocks, and the data of the tensors follows in the order
// of their descriptions, without gaps but for the alignment. It checks one rule
// more, that all of the data is there. No architecture needs to be known.
//
// It writes version 3, little-endian, aligned as the metadata's
// general.alignment says, with padding after the last tensor too, which
// llama.cpp insists on.
//
// Files store shapes innermost dimension first. The reader and the writer turn
// them round; everywhere else the outermost dimension comes first.
//
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md describes the format.
package gguf

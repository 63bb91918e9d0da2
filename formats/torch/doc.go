// Package torch reads the checkpoints that torch.save writes (.bin, .pt, .pth,
// .ckpt): zip archives since PyTorch 1.6, bare pickles before. It reads only;
// models are written as safetensors or GGUF.
//
// A checkpoint is a pickle, which is a program for a stack machine of Python.
// No code is ever run here: the machine of this package knows the opcodes that
// the pickler uses for data, and a list of the classes and functions that
// tensors and plain containers need. Everything else is refused by name, before
// anything is done with it. A list of what is forbidden would not do: the
// scanners that work that way have been got round again and again
// (CVE-2025-1716, CVE-2025-10155 to 10157), and even PyTorch's own list of what
// is allowed took a shape on trust (CVE-2026-24747). So every storage, offset,
// size and stride is checked against the bytes of the file as well.
//
// The data stay in the file. A contiguous tensor is an [formats.Extent] of it;
// a transposed or sliced one, or one of a big-endian machine, is gathered row
// by row when it is asked for.
package torch

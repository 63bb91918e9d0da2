// Package kernels is the arithmetic of loratool: conversions between number
// formats, vector updates, matrix products and block quantizers, all on plain
// slices. It knows no files and no tensors.
//
// Every exported kernel is defined by the loop in its doc comment. Its generic
// Go version (in NAME_generic.go where there is assembly) is that loop and is the definition; the
// assembly versions (AVX2 and AVX-512 on amd64, generated from _asm; NEON on
// arm64) give the same bits for every length, alignment and input, and a test
// says so for each of them. Which one runs is chosen once, from what the CPU
// can do; see [Use]. The build tag purego leaves all assembly out.
//
// Where bits matter the code says what it rounds: products that feed a sum are
// written float32(x*y)+z, because Go may fuse x*y+z on some machines, and fused
// multiply-add is asked for by name (math.FMA, or the instruction) where it is
// part of the definition.
//
// Kernels panic on slices of the wrong length: that is a bug of the caller.
// They never fail otherwise, and they never allocate, but for tables made once and
// the packing buffers of the matrix products, which are pooled.
package kernels

//go:generate sh -c "cd _asm && go generate"

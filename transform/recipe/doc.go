// Package recipe chooses the number format of every tensor of a quantized model.
//
// A file type, such as Q4_K_M, is a recipe: a format for most tensors, and rules
// that give more bits to those that suffer most, by their names, their places and
// a few numbers of the architecture. The choice is a pure function of these; no
// data is read. [Choose] makes the choices of llama.cpp's llama-quantize, whose
// files these names promise, and a model needs no architecture that llama.cpp
// knows: numbers that the metadata lacks count as those of a dense model with
// ordinary attention.
package recipe

// Package formats is what all model files have in common: number formats,
// tensors that are read on demand, models as lists of them, layouts of files to
// be written, and errors that say where something is wrong.
//
// A [Model] is a list of [Tensor]s. Opening one reads headers only; a tensor's
// data comes by rows, when somebody asks for rows, either from a file
// ([Extent]) or from whatever computes it; a [Joint] computes several tensors
// at once. So a transformation is a function from models to a model, costs
// nothing until it is written, and works on tensors larger than the memory.
//
// A [Layout] says where every byte of the output goes, from the headers alone.
// Package transform fills it in, and [Create] makes sure that nothing appears
// under the final name before it is whole.
//
// The formats themselves are subpackages, which [Register] themselves:
// safetensors, gguf and torch. Package hf adds what a Hugging Face checkpoint
// folder has beside its weights. Shapes are written outermost dimension first
// everywhere.
package formats

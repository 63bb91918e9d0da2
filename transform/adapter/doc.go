// Package adapter turns trained adapters into lists of operations on the tensors
// of a base model.
//
// An [Adapter] is what a folder of the PEFT library holds: adapter_config.json
// and the weights. [NewPlan] finds out from the headers alone which base tensor
// each tensor of the adapters belongs to, under whatever names, and what is to be
// done with it: the result is one [Target] for each tensor of the merged model,
// with its [Op]s. An Op computes rows of a tensor from the same rows of the base
// and holds no tensor data.
//
// Every tensor of an adapter is used, or the plan fails and lists those that are
// not. What a configuration asks for and this package can't do is refused by
// name.
//
// The formulas, and PEFT's own order of roundings, are documented at the ops.
package adapter

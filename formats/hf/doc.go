// Package hf opens and lays out checkpoints as Hugging Face's libraries keep
// them: a folder of weights, one file or shards with an index, with config.json,
// tokenizer and other files beside them; and finds such folders in the local
// cache of the hub by their names. It never uses the network.
//
// Which weights a folder means, in this order: model.safetensors, the same in
// shards with model.safetensors.index.json, pytorch_model.bin in one file or
// shards, an adapter's weights, a diffusers model's, or the only other model
// file. Everything else in it that is no weights is an asset of the model, which
// [Layout] writes beside the new weights.
package hf

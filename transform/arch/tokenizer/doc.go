// Package tokenizer converts tokenizers between the files of a Hugging Face
// checkpoint and the tokenizer.ggml.* key-values of GGUF.
//
// [ToGGUF] reads a SentencePiece model (tokenizer.model) or a tokenizer.json of
// the kinds BPE, Unigram and WordPiece, with added tokens, special tokens and chat
// templates from the files beside it. What it writes is what llama.cpp's
// convert_hf_to_gguf.py writes: keys, types, order, and its idea of what each
// token is.
//
// No tokenizer is run. Where llama.cpp recognizes a pre-tokenizer by the hash of
// the tokens of a test text, this package recognizes it by its structure, from a
// table; see [Pre].
package tokenizer

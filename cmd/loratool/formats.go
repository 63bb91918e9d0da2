package main

// The formats of model files that all commands can open; each registers itself.
import (
	_ "github.com/loratool/loratool/formats/gguf"
	_ "github.com/loratool/loratool/formats/safetensors"
	_ "github.com/loratool/loratool/formats/torch"
)

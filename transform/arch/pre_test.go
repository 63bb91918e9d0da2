package arch

import (
	"testing"
)

// TestPreTokenizers says that the table knows the pre-tokenizers of the cases whose
// tokenizer is their family's own: without being told, the name is that which the
// converter was told.
func TestPreTokenizers(t *testing.T) {
	for _, name := range []string{"gpt2", "granite", "llama3", "llama-deepseek-coder", "olmo2", "qwen2", "qwen3", "qwen3moe", "bert"} {
		m := openCheckpoint(t, name)
		out, err := ToGGUF(m, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{"gpt2": "gpt-2", "granite": "refact", "llama3": "llama-bpe", "llama-deepseek-coder": "deepseek-coder",
			"olmo2": "dbrx", "qwen2": "qwen2", "qwen3": "qwen2", "qwen3moe": "qwen2", "bert": "jina-v2-en"}[name]
		if got := out.Metadata.Get("tokenizer.ggml.pre"); got != want {
			t.Errorf("%s: pre-tokenizer %v, want %s", name, got, want)
		}
	}
}

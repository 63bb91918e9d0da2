package arch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
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

// Regular expressions as tokenizer.json files have them, in JSON.
const (
	jsonLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
	jsonQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
	jsonGPT4o  = `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
	jsonTekken = `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
	jsonSeed   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+`
	jsonV3     = `[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_` + "`" + `{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+`
)

const (
	byteLevel = `{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}`
	byteRegex = `{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}` // where use_regex is not said
	digits    = `{"type": "Digits", "individual_digits": true}`
)

func isolated(regex string) string {
	return `{"type": "Split", "pattern": {"Regex": "` + regex + `"}, "behavior": "Isolated", "invert": false}`
}

// TestPreNames are the pre-tokenizers of published tokenizer.json files, without
// their vocabularies, under the names that llama.cpp's converter gives them in each
// family.
func TestPreNames(t *testing.T) {
	const begin = `{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}`
	for _, c := range []struct {
		of, arch     string
		steps        []string
		ignoreMerges bool
		post, want   string
	}{
		{of: "Llama 3", arch: "llama", steps: []string{isolated(jsonLlama3), byteLevel}, ignoreMerges: true, post: begin, want: "llama-bpe"},
		{of: "SmolLM3", arch: "smollm3", steps: []string{isolated(jsonLlama3), byteLevel}, ignoreMerges: true, want: "llama-bpe"},
		{of: "OLMo 2", arch: "olmo2", steps: []string{isolated(jsonLlama3), byteLevel}, want: "dbrx"},
		{of: "Phi-4", arch: "phi3", steps: []string{`{"type": "Split", "pattern": {"Regex": "` + jsonLlama3 + `"}, "behavior": "Removed", "invert": true}`, byteLevel}, want: "dbrx"},
		{of: "Qwen2", arch: "qwen2", steps: []string{isolated(jsonQwen2), byteLevel}, want: "qwen2"},
		{of: "Qwen3-MoE", arch: "qwen3moe", steps: []string{isolated(jsonQwen2), byteLevel}, want: "qwen2"},
		{of: "DeepSeek-R1-Distill-Qwen", arch: "qwen2", steps: []string{isolated(jsonQwen2), byteLevel}, post: begin, want: "deepseek-r1-qwen"},
		{of: "StableLM 2", arch: "stablelm", steps: []string{isolated(jsonQwen2), byteRegex}, want: "stablelm2"},
		{of: "gpt-oss", arch: "gpt-oss", steps: []string{isolated(jsonGPT4o), byteLevel}, want: "gpt-4o"},
		{of: "Phi-4-mini", arch: "phi3", steps: []string{isolated(jsonGPT4o), byteLevel}, want: "gpt-4o"},
		{of: "Mistral NeMo", arch: "llama", steps: []string{isolated(jsonTekken), byteLevel}, ignoreMerges: true, post: begin, want: "tekken"},
		{of: "GPT-2", arch: "gpt2", steps: []string{byteRegex}, want: "gpt-2"},
		{of: "OLMo", arch: "olmo", steps: []string{byteRegex}, want: "olmo"},
		{of: "Pythia", arch: "gptneox", steps: []string{byteRegex}, want: "mpt"},
		{of: "SmolLM", arch: "llama", steps: []string{digits, byteRegex}, want: "smollm"},
		{of: "Granite", arch: "granite", steps: []string{digits, byteRegex}, want: "refact"},
		{of: "StarCoder2", arch: "starcoder2", steps: []string{digits, byteRegex}, want: "starcoder"},
		{of: "Command-R", arch: "command-r", steps: []string{digits, byteRegex}, want: "command-r"},
		{of: "Command-R7B", arch: "cohere2", steps: []string{digits, byteRegex}, want: "command-r"},
		{of: "Tiny Aya", arch: "cohere2", steps: []string{isolated(`\\d{1,3}(?=(?:\\d{3})*\\b)`), isolated(jsonGPT4o), byteLevel}, want: "tiny_aya"},
		{of: "Falcon", arch: "falcon", steps: []string{`{"type": "Punctuation", "behavior": "Contiguous"}`, byteRegex,
			`{"type": "Digits", "individual_digits": false}`, isolated(`[0-9][0-9][0-9]`)}, want: "falcon"},
		{of: "Seed-Coder", arch: "llama", steps: []string{isolated(jsonSeed), byteLevel}, want: "seed-coder"},
		{of: "MiniCPM5", arch: "llama", steps: []string{isolated(`\\p{N}{1,3}`), isolated(strings.Replace(jsonLlama3, `{1,3}`, `+`, 1)), byteLevel}, want: "minicpm5"},
		{of: "DeepSeek-Coder", arch: "llama", steps: []string{isolated(`[\r\n]`), isolated(`\\s?\\p{L}+`), isolated(`\\s?\\p{P}+`),
			isolated("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"), digits, byteLevel}, want: "deepseek-coder"},
		{of: "DeepSeek V3", arch: "deepseek2", steps: []string{isolated(`\\p{N}{1,3}`), isolated("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), isolated(jsonV3), byteLevel}, want: "deepseek-v3"},
	} {
		post := c.post
		if post == "" {
			post = "null"
		}
		o, err := strictjson.ParseObject([]byte(`{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [` + strings.Join(c.steps, ", ") +
			`]}, "post_processor": ` + post + `, "model": {"ignore_merges": ` + map[bool]string{true: "true", false: "false"}[c.ignoreMerges] + `}}`))
		if err != nil {
			t.Fatalf("%s: %v", c.of, err)
		}
		name, ok := tokenizer.Pre(o)
		if other := architectureNamed(t, c.arch).pre[name]; other != "" {
			name = other
		}
		if !ok || name != c.want {
			t.Errorf("%s: %q, want %s", c.of, name, c.want)
		}
	}
}

// TestUnknownPre says that a pre-tokenizer that is not in the table is an error
// that shows it, with the way out.
func TestUnknownPre(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/convert/qwen2/hf")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tokenizer.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), `\\p{N}|`, `\\p{N}{1,2}|`, 1)
	if changed == string(data) {
		t.Fatal("nothing to change")
	}
	if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = ToGGUF(openFolder(t, dir), Options{})
	var e *formats.Error
	if !errors.As(err, &e) || !errors.Is(err, formats.ErrUnsupported) || !strings.Contains(err.Error(), `\p{N}{1,2}`) || !strings.Contains(e.Hint, "--pre") {
		t.Errorf("%v, want an error that shows the pre-tokenizer, with a hint", err)
	}
}

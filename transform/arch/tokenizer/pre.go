package tokenizer

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// A pattern is how a family of tokenizers splits text before it looks for tokens.
// llama.cpp has each built in under a name.
type pattern struct {
	name  string
	steps []string // of the pre-tokenizer, as signature writes them
	// ignoreMerges and bos tell apart what splits text alike, where llama.cpp does.
	ignoreMerges, bos *bool
	normalizer        string // the type that tokenizers of the name have; empty for none
}

var yes, no = true, false

// Splits that several families share, as they stand in their tokenizer.json.
const (
	splitLlama3  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	splitQwen2   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	splitGPT4o   = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	splitDigits3 = `\d{1,3}(?=(?:\d{3})*\b)`
	splitTekken  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// splitSeedCoder stands there with newlines instead of their escapes.
const splitSeedCoder = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

// patterns are tried in order. Letters that Unicode normalization would replace are
// written as numbers.
var patterns = []pattern{
	{name: "llama-bpe", steps: []string{"Split " + splitLlama3, "ByteLevel"}, ignoreMerges: &yes},
	{name: "llama-bpe", steps: []string{"Split " + splitLlama3, "ByteLevel"}, bos: &yes},
	{name: "dbrx", steps: []string{"Split " + splitLlama3, "ByteLevel"}},
	{name: "qwen2", steps: []string{"Split " + splitQwen2, "ByteLevel"}, bos: &no, normalizer: "NFC"},
	{name: "stablelm2", steps: []string{"Split " + splitQwen2, "ByteLevel regex"}},
	{name: "deepseek-r1-qwen", steps: []string{"Split " + splitQwen2, "ByteLevel"}, bos: &yes},
	{name: "gpt-4o", steps: []string{"Split " + splitGPT4o, "ByteLevel"}},
	{name: "tiny_aya", steps: []string{"Split " + splitDigits3, "Split " + splitGPT4o, "ByteLevel"}},
	{name: "minicpm5", steps: []string{"Split \\p{N}{1,3}", "Split " + strings.Replace(splitLlama3, `\p{N}{1,3}`, `\p{N}+`, 1), "ByteLevel"}},
	{name: "seed-coder", steps: []string{"Split " + splitSeedCoder, "ByteLevel"}},
	{name: "tekken", steps: []string{"Split " + splitTekken, "ByteLevel"}},
	{name: "gpt-2", steps: []string{"ByteLevel regex"}},
	{name: "refact", steps: []string{"Digits", "ByteLevel regex"}},
	{name: "falcon", steps: []string{"Punctuation contiguous", "ByteLevel regex", "Digits together", "Split [0-9][0-9][0-9]"}},
	{name: "deepseek-llm", steps: []string{"Split [\r\n]", "Split \\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+", "Split \\s?[!-/:-~！-／：-～‘-‟　-。]+", "Split \\s+$", "Split [一-龥ࠀ-一가-퟿]+", "Digits", "ByteLevel"}},
	{name: "deepseek-coder", steps: []string{"Split [\r\n]", "Split \\s?\\p{L}+", "Split \\s?\\p{P}+", "Split [一-龥ࠀ-一가-퟿]+", "Digits", "ByteLevel"}},
	{name: "deepseek-v3", steps: []string{"Split \\p{N}{1,3}", "Split [一-龥\u3040-ゟ゠-ヿ]+", "Split [!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+", "ByteLevel"}},
	{name: "jina-v2-en", steps: []string{"BertPreTokenizer"}},
}

// twins are names of llama.cpp for pre-tokenizers that split text as another one in
// the table does.
var twins = map[string]string{
	"starcoder": "refact", "command-r": "refact", "smollm": "refact", "codeshell": "refact", "exaone": "refact", "minerva-7b": "refact",
	"olmo": "gpt-2", "mpt": "gpt-2", "phi-2": "gpt-2", "jais": "gpt-2", "jina-v1-en": "gpt-2", "jina-v2-code": "gpt-2", "jina-v2-es": "gpt-2",
	"jina-v2-de": "gpt-2", "roberta-bpe": "gpt-2",
	"llama3": "llama-bpe", "smaug-bpe": "dbrx", "megrez": "qwen2", "cohere2moe": "tiny_aya",
	"bert-bge": "jina-v2-en",
}

// patternNamed returns the pattern of a name, or nil.
func patternNamed(name string) *pattern {
	if other, ok := twins[name]; ok {
		name = other
	}
	for i := range patterns {
		if patterns[i].name == name {
			return &patterns[i]
		}
	}
	return nil
}

// Pre returns the name under which llama.cpp knows the pre-tokenizer of a
// tokenizer.json; ok is false if the table has none like it.
func Pre(tokenizer *strictjson.Object) (name string, ok bool) {
	steps := signature(tokenizer.Object("pre_tokenizer"))
	ignoreMerges := tokenizer.Object("model").Bool("ignore_merges")
	bos := addsFirst(tokenizer.Object("post_processor"))
	for _, p := range patterns {
		if slices.Equal(p.steps, steps) && (p.ignoreMerges == nil || *p.ignoreMerges == ignoreMerges) && (p.bos == nil || *p.bos == bos) {
			return p.name, true
		}
	}
	return "", false
}

// signature writes a pre-tokenizer as a list of its steps with what of their
// settings changes the result.
func signature(p *strictjson.Object) []string {
	kind := p.String("type")
	switch kind {
	case "Sequence":
		var steps []string
		for _, v := range p.Array("pretokenizers") {
			if o, ok := v.(*strictjson.Object); ok {
				steps = append(steps, signature(o)...)
			}
		}
		return steps
	case "Split":
		text := p.Object("pattern").String("Regex")
		if p.Object("pattern").Has("String") {
			text = "literal " + p.Object("pattern").String("String")
		}
		step := "Split " + text
		switch b, inverted := p.String("behavior"), p.Bool("invert"); {
		case b == "Isolated" && !inverted || b == "Removed" && inverted: // the same for patterns that leave nothing out
		case inverted:
			step += " inverted " + strings.ToLower(b)
		default:
			step += " " + strings.ToLower(b)
		}
		return []string{step}
	case "ByteLevel":
		// An absent use_regex means true.
		if use, ok := p.Get("use_regex").(bool); use || !ok {
			kind += " regex"
		}
		return []string{kind}
	case "Digits":
		if !p.Bool("individual_digits") {
			kind += " together"
		}
		return []string{kind}
	case "Punctuation":
		return []string{kind + " " + strings.ToLower(p.String("behavior"))}
	case "":
		return nil
	}
	return []string{kind}
}

// addsFirst reports whether a post-processor puts a token before every text.
func addsFirst(p *strictjson.Object) bool {
	if p == nil {
		return false
	}
	if p.String("type") == "TemplateProcessing" {
		single := p.Array("single")
		return len(single) > 1 && specialID(single[0]) != ""
	}
	return slices.ContainsFunc(p.Array("processors"), func(v strictjson.Value) bool {
		o, _ := v.(*strictjson.Object)
		return addsFirst(o)
	})
}

// pre returns the name of the pre-tokenizer, by the options or by the table.
func (f *files) pre(o *Options) (string, error) {
	if o.Pre != "" {
		return o.Pre, nil
	}
	if name, ok := Pre(f.tokenizer); ok {
		return cmp.Or(o.Names[name], name), nil
	}
	return "", &formats.Error{Path: path.Join(f.model.Path, "tokenizer.json"),
		Err: formats.Reasonf(formats.ErrUnsupported, "its pre-tokenizer is not in the table: %s",
			strings.Join(signature(f.tokenizer.Object("pre_tokenizer")), "; ")),
		Hint: "if you know llama.cpp's name for it, say --pre NAME"}
}

package tokenizer

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// FromGGUF returns the tokenizer files of a checkpoint that has the tokenizer of
// the given key-values: tokenizer.json, or tokenizer.model for SentencePiece, and
// tokenizer_config.json with the chat template. It returns an error wrapping
// [formats.ErrUnsupported] for kinds of tokenizers that it has no files for.
//
// What GGUF does not hold is what it is in practice: byte-level tokenizers put no
// space in front, added tokens strip no spaces beside them.
func FromGGUF(md formats.Metadata) ([]formats.Asset, error) {
	g := &restorer{md: md}
	g.tokens, _ = md.Get("tokenizer.ggml.tokens").([]string)
	g.kinds, _ = md.Get("tokenizer.ggml.token_type").([]int32)
	g.scores, _ = md.Get("tokenizer.ggml.scores").([]float32)
	if g.kinds == nil {
		g.kinds = slices.Repeat([]int32{int32(normal)}, len(g.tokens))
	}
	if len(g.kinds) != len(g.tokens) || g.scores != nil && len(g.scores) != len(g.tokens) {
		return nil, formats.Reasonf(formats.ErrFormat, "tokenizer.ggml: %d tokens, %d types, %d scores", len(g.tokens), len(g.kinds), len(g.scores))
	}
	var files []formats.Asset
	var err error
	switch model := g.text("model"); model {
	case "", "none", "no_vocab":
		return nil, nil
	case "gpt2":
		files, err = g.bpe()
	case "llama":
		files, err = g.sentencePiece()
	case "bert":
		files, err = g.wordPiece()
	case "t5":
		files, err = g.unigram()
	default:
		return nil, formats.Reasonf(formats.ErrUnsupported, "the tokenizer model %q", model)
	}
	if err != nil {
		return nil, err
	}
	return append(files, formats.Asset{Name: "tokenizer_config.json", Data: strictjson.Format(g.config())}), nil
}

// A restorer holds the key-values that files are made of.
type restorer struct {
	md     formats.Metadata
	tokens []string
	kinds  []int32
	scores []float32
}

// text, flag and id return the values of tokenizer.ggml keys.
func (g *restorer) text(key string) string {
	s, _ := g.md.Get("tokenizer.ggml." + key).(string)
	return s
}

func (g *restorer) flag(key string) (value, ok bool) {
	value, ok = g.md.Get("tokenizer.ggml." + key).(bool)
	return value, ok
}

// role returns the token of a role: "bos", "unk".
func (g *restorer) role(role string) (id int, token string, ok bool) {
	name := role
	if n, ok := keyName[role]; ok {
		name = n
	}
	v, ok := g.md.Get("tokenizer.ggml." + name + "_token_id").(uint32)
	if !ok || int(v) >= len(g.tokens) {
		return 0, "", false
	}
	return int(v), g.tokens[v], true
}

// object makes a JSON object of keys and values in turn.
func object(pairs ...any) *strictjson.Object {
	o := &strictjson.Object{}
	for i := 0; i < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// added returns an added token as tokenizer files describe it.
func (g *restorer) added(id int) *strictjson.Object {
	return object("content", g.tokens[id], "single_word", false, "lstrip", false, "rstrip", false, "normalized", false,
		"special", kind(g.kinds[id]) == control)
}

// isAdded reports whether a token is matched before the text is split.
func (g *restorer) isAdded(id int) bool {
	k := kind(g.kinds[id])
	return k == control || k == userDefined
}

// config returns tokenizer_config.json.
func (g *restorer) config() *strictjson.Object {
	class := "PreTrainedTokenizerFast"
	if g.text("model") == "llama" {
		if class = "LlamaTokenizer"; strings.HasPrefix(g.architecture(), "gemma") {
			class = "GemmaTokenizer"
		}
	}
	o := object("tokenizer_class", class, "clean_up_tokenization_spaces", false)
	for _, role := range []string{"bos", "eos", "unk", "sep", "pad", "mask"} {
		if _, token, ok := g.role(role); ok {
			o.Set(role+"_token", token)
		}
	}
	if _, token, ok := g.role("bos"); ok && g.text("model") == "bert" {
		o.Set("cls_token", token)
		o.Delete("bos_token")
		o.Delete("eos_token")
	}
	for _, role := range []string{"bos", "eos"} {
		if v, ok := g.flag("add_" + role + "_token"); ok {
			o.Set("add_"+role+"_token", v)
		}
	}
	if v, ok := g.flag("add_space_prefix"); ok && class == "LlamaTokenizer" {
		o.Set("add_prefix_space", v)
	}
	decoder, size := object(), g.modelSize()
	for id := range g.tokens {
		if !g.isAdded(id) {
			continue
		}
		token := g.added(id)
		if g.text("model") == "llama" && id < size {
			token.Set("content", g.pieceText(id))
		}
		decoder.Set(decimal(id), token)
	}
	if len(decoder.Members) > 0 {
		o.Set("added_tokens_decoder", decoder)
	}
	if t := g.chatTemplate(); t != nil {
		o.Set("chat_template", t)
	}
	return o
}

func (g *restorer) architecture() string {
	s, _ := g.md.Get("general.architecture").(string)
	return s
}

// chatTemplate returns the template, or the list of the default one and others.
func (g *restorer) chatTemplate() strictjson.Value {
	text, ok := g.md.Get("tokenizer.chat_template").(string)
	names, _ := g.md.Get("tokenizer.chat_templates").([]string)
	if len(names) == 0 {
		if !ok {
			return nil
		}
		return text
	}
	var list strictjson.Array
	if ok {
		list = append(list, named("default", text))
	}
	for _, name := range names {
		t, _ := g.md.Get("tokenizer.chat_template." + name).(string)
		list = append(list, named(name, t))
	}
	return list
}

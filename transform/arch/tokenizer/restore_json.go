package tokenizer

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

func decimal(i int) string { return strconv.Itoa(i) }

// tokenizerJSON returns tokenizer.json of its parts.
func (g *restorer) tokenizerJSON(normalizer, pre, post, decoder, model strictjson.Value) []formats.Asset {
	var added strictjson.Array
	for id := range g.tokens {
		if g.isAdded(id) {
			o := object("id", strictjson.Int(id))
			o.Members = append(o.Members, g.added(id).Members...)
			added = append(added, o)
		}
	}
	o := object("version", "1.0", "truncation", nil, "padding", nil, "added_tokens", added, "normalizer", normalizer,
		"pre_tokenizer", pre, "post_processor", post, "decoder", decoder, "model", model)
	return []formats.Asset{{Name: "tokenizer.json", Data: strictjson.Format(o)}}
}

// bpe returns the file of a byte-level BPE.
func (g *restorer) bpe() ([]formats.Asset, error) {
	p := patternNamed(g.text("pre"))
	if p == nil {
		return nil, formats.Reasonf(formats.ErrUnsupported, "the pre-tokenizer %q is not in the table, so there is no tokenizer.json for it", g.text("pre"))
	}
	vocab := object()
	for id, token := range g.tokens {
		if kind(g.kinds[id]) != unused && !g.isAdded(id) {
			vocab.Members = append(vocab.Members, strictjson.Member{Key: token, Value: strictjson.Int(id)})
		}
	}
	merges, _ := g.md.Get("tokenizer.ggml.merges").([]string)
	list := make(strictjson.Array, len(merges))
	for i, m := range merges {
		list[i] = m
	}
	var normalizer strictjson.Value
	if p.normalizer != "" {
		normalizer = object("type", p.normalizer)
	}
	byteLevel := object("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", false, "use_regex", true)
	var post strictjson.Value = byteLevel
	if t := g.template(); t != nil {
		post = object("type", "Sequence", "processors", strictjson.Array{byteLevel, t})
	}
	model := object("type", "BPE", "dropout", nil, "unk_token", nil, "continuing_subword_prefix", nil, "end_of_word_suffix", nil,
		"fuse_unk", false, "byte_fallback", false, "ignore_merges", p.ignoreMerges == &yes, "vocab", vocab, "merges", list)
	return g.tokenizerJSON(normalizer, preTokenizer(p.steps), post, byteLevel, model), nil
}

// template returns what puts special tokens around a text, or nil.
func (g *restorer) template() *strictjson.Object {
	single, pair := strictjson.Array{}, strictjson.Array{}
	tokens := object()
	special := func(list *strictjson.Array, role string, part int) {
		add, _ := g.flag("add_" + role + "_token")
		id, token, ok := g.role(role)
		if !add || !ok {
			return
		}
		*list = append(*list, object("SpecialToken", object("id", token, "type_id", strictjson.Int(part))))
		tokens.Set(token, object("id", token, "ids", strictjson.Array{strictjson.Int(id)}, "tokens", strictjson.Array{token}))
	}
	sequence := func(id string, part int) *strictjson.Object {
		return object("Sequence", object("id", id, "type_id", strictjson.Int(part)))
	}
	special(&single, "bos", 0)
	single = append(single, sequence("A", 0))
	special(&single, "eos", 0)
	if len(single) == 1 {
		return nil
	}
	pair = append(pair, single...)
	if g.text("model") != "bert" {
		special(&pair, "bos", 1)
	}
	pair = append(pair, sequence("B", 1))
	special(&pair, "eos", 1)
	return object("type", "TemplateProcessing", "single", single, "pair", pair, "special_tokens", tokens)
}

// preTokenizer returns the pre-tokenizer that signature writes as these steps.
func preTokenizer(steps []string) *strictjson.Object {
	list := make(strictjson.Array, len(steps))
	for i, s := range steps {
		kind, setting, _ := strings.Cut(s, " ")
		switch kind {
		case "Split":
			list[i] = object("type", kind, "pattern", object("Regex", setting), "behavior", "Isolated", "invert", false)
		case "ByteLevel":
			list[i] = object("type", kind, "add_prefix_space", false, "trim_offsets", true, "use_regex", setting == "regex")
		case "Digits":
			list[i] = object("type", kind, "individual_digits", setting != "together")
		case "Punctuation":
			list[i] = object("type", kind, "behavior", strings.ToUpper(setting[:1])+setting[1:])
		default:
			list[i] = object("type", kind)
		}
	}
	if len(list) == 1 {
		return list[0].(*strictjson.Object)
	}
	return object("type", "Sequence", "pretokenizers", list)
}

// wordPiece undoes files.wordPiece.
func (g *restorer) wordPiece() ([]formats.Asset, error) {
	vocab := object()
	for id, token := range g.tokens {
		switch {
		case kind(g.kinds[id]) == unused && strings.HasPrefix(token, "\u2581[PAD"):
			continue
		case kind(g.kinds[id]) == control:
		case strings.HasPrefix(token, "\u2581"):
			token = strings.TrimPrefix(token, "\u2581")
		default:
			token = "##" + token
		}
		vocab.Members = append(vocab.Members, strictjson.Member{Key: token, Value: strictjson.Int(id)})
	}
	var strip strictjson.Value
	if v, ok := g.flag("normalizer.strip_accents"); ok {
		strip = v
	}
	lowercase, ok := g.flag("normalizer.lowercase")
	normalizer := object("type", "BertNormalizer", "clean_text", true, "handle_chinese_chars", true, "strip_accents", strip, "lowercase", lowercase || !ok)
	var post strictjson.Value
	if t := g.template(); t != nil {
		post = t
	}
	_, unk, _ := g.role("unk")
	model := object("type", "WordPiece", "unk_token", unk, "continuing_subword_prefix", "##", "max_input_chars_per_word", strictjson.Int(100), "vocab", vocab)
	return g.tokenizerJSON(normalizer, object("type", "BertPreTokenizer"), post, object("type", "WordPiece", "prefix", "##", "cleanup", true), model), nil
}

// unigram undoes files.unigram.
func (g *restorer) unigram() ([]formats.Asset, error) {
	var vocab strictjson.Array
	var unk strictjson.Value
	for id, token := range g.tokens {
		if kind(g.kinds[id]) == unknown {
			unk = strictjson.Int(id)
		}
		if kind(g.kinds[id]) == unused || g.scores == nil {
			continue
		}
		vocab = append(vocab, strictjson.Array{token, strictjson.Float(float64(g.scores[id]))})
	}
	var normalizer strictjson.Value
	if m, ok := g.md.Get("tokenizer.ggml.precompiled_charsmap").([]uint8); ok {
		normalizer = object("type", "Precompiled", "precompiled_charsmap", base64.StdEncoding.EncodeToString(m))
	}
	scheme := "never"
	if v, ok := g.flag("add_space_prefix"); v || !ok {
		scheme = "always"
	}
	space := func() *strictjson.Object {
		return object("type", "Metaspace", "replacement", "\u2581", "prepend_scheme", scheme, "split", true)
	}
	var post strictjson.Value
	if t := g.template(); t != nil {
		post = t
	}
	return g.tokenizerJSON(normalizer, space(), post, space(), object("type", "Unigram", "unk_id", unk, "vocab", vocab, "byte_fallback", false)), nil
}

package tokenizer

import (
	"encoding/base64"
	"path"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// A Family says which of its files a family of models takes its vocabulary from,
// where llama.cpp has a way of its own for it.
type Family int

const (
	// Any takes a SentencePiece model first, then tokenizer.json.
	Any Family = iota
	// BPE takes tokenizer.json alone.
	BPE
	// Phi takes a SentencePiece model, and added tokens from every file.
	Phi
	// WordPiece is BERT's: tokenizer.json with the beginnings of words marked.
	WordPiece
	// LlamaLike is Any with tokenizer.json's byte-fallback BPE as SentencePiece.
	LlamaLike
)

// Options say how [ToGGUF] reads a tokenizer.
type Options struct {
	Family Family
	Size   int    // of the vocabulary, by config.json; 0 if it does not say
	Pre    string // name of the pre-tokenizer, if not that of the table
	// Names are what llama.cpp calls a family's pre-tokenizers, by the table's names.
	Names map[string]string
}

// ToGGUF returns the tokenizer.* key-values of a checkpoint. config is its
// config.json. It returns an error wrapping [formats.ErrUnsupported] if the
// pre-tokenizer is not in the table and Options.Pre is empty.
func ToGGUF(m *formats.Model, config *strictjson.Object, o Options) (formats.Metadata, error) {
	f, err := readFiles(m)
	if err != nil {
		return nil, err
	}
	var kv formats.Metadata
	if o.Family == LlamaLike {
		if v, ok := f.config.Get("add_prefix_space").(bool); ok {
			kv = append(kv, formats.KeyValue{Key: "tokenizer.ggml.add_space_prefix", Value: v})
		}
	}
	own, err := f.keyValues(config, &o)
	if err != nil {
		return nil, err
	}
	for _, e := range own {
		kv = kv.With(e.Key, e.Value)
	}
	return kv, nil
}

func (f *files) keyValues(config *strictjson.Object, o *Options) (formats.Metadata, error) {
	size := o.Size
	switch {
	case f.sp != nil && o.Family != BPE && o.Family != WordPiece:
		if size == 0 {
			size = len(f.sp.pieces)
		}
		read := f.sentencePiece
		if o.Family == Phi {
			read = f.phi
		}
		v, err := read(size)
		if err != nil {
			return nil, err
		}
		return f.with(v, "llama", "default", config, size, false)
	case f.tokenizer == nil:
		return nil, &formats.Error{Path: f.model.Path, Err: formats.Reasonf(formats.ErrMismatch, "it has %v", errNoTokenizer)}
	case f.modelType() == "WordPiece":
		return f.wordPiece(config, o)
	case f.modelType() == "Unigram":
		return f.unigram(config, o)
	case f.modelType() != "BPE":
		return nil, f.unsupported("the tokenizer model %q", f.modelType())
	case o.Family == LlamaLike && f.isLlamaBPE():
		v, err := f.llamaHF()
		if err != nil {
			return nil, err
		}
		return f.with(v, "llama", "default", config, len(v.tokens), false)
	}
	pre, err := f.pre(o)
	if err != nil {
		return nil, err
	}
	v, err := f.jsonVocabulary(size)
	if err != nil {
		return nil, err
	}
	return f.with(v, "gpt2", pre, config, 0, true)
}

// with joins a vocabulary's keys and those of the special tokens.
func (f *files) with(v *vocabulary, model, pre string, config *strictjson.Object, limit int, merges bool) (formats.Metadata, error) {
	s, err := f.readSpecial(config, limit, merges)
	if err != nil {
		return nil, err
	}
	return append(v.keyValues(model, pre), s.keyValues()...), nil
}

// isLlamaBPE reports whether tokenizer.json holds a SentencePiece model written as
// BPE: bytes have tokens of their own, and the decoder puts text together from
// pieces.
func (f *files) isLlamaBPE() bool {
	return f.tokenizer.Object("model").Bool("byte_fallback") && f.tokenizer.Object("decoder").String("type") == "Sequence"
}

// wordPiece returns BERT's keys. In GGUF it is the beginnings of words that are
// marked, by SentencePiece's visible space, and not the rest of them, by ##.
func (f *files) wordPiece(config *strictjson.Object, o *Options) (formats.Metadata, error) {
	pre, err := f.pre(o)
	if err != nil {
		return nil, err
	}
	v, err := f.jsonVocabulary(o.Size)
	if err != nil {
		return nil, err
	}
	const rest = "##"
	for i, token := range v.tokens {
		switch {
		case v.kinds[i] == control:
		case len(token) >= len(rest) && token[:len(rest)] == rest:
			v.tokens[i] = token[len(rest):]
		default:
			v.tokens[i] = "\u2581" + token
		}
	}
	types, ok := config.Int("type_vocab_size")
	if !ok {
		types = 1
	}
	kv := formats.Metadata{{Key: "tokenizer.ggml.token_type_count", Value: uint32(types)}}
	own, err := f.with(v, "bert", pre, config, len(v.tokens), false)
	return append(kv, own...), err
}

// unigram returns the keys of a tokenizer.json with a Unigram model, which
// llama.cpp names after T5.
func (f *files) unigram(config *strictjson.Object, o *Options) (formats.Metadata, error) {
	model := f.tokenizer.Object("model")
	list := model.Array("vocab")
	v := padded(max(o.Size, len(list)), -10000)
	for i, e := range list {
		pair, _ := e.(strictjson.Array)
		token, ok := at(pair, 0)
		if !ok || len(pair) != 2 {
			return nil, f.errorf("tokenizer.json", "entry %d of its vocab is not a token with a score", i)
		}
		score, _ := pair[1].(strictjson.Number)
		v.set(i, token, normal, float32(score.Float()))
	}
	if id, ok := model.Int("unk_id"); ok && 0 <= id && int(id) < len(v.tokens) {
		v.kinds[id] = unknown
	}
	for _, t := range f.addedTokens() {
		if t.id < len(v.tokens) && v.kinds[t.id] != unknown {
			v.kinds[t.id] = userDefined
			if t.special {
				v.kinds[t.id] = control
			}
		}
	}
	kv := v.keyValues("t5", "default")
	put := func(key string, value any) {
		kv = append(kv, formats.KeyValue{Key: "tokenizer.ggml." + key, Value: value})
	}
	add, ok := f.config.Get("add_prefix_space").(bool)
	put("add_space_prefix", add || !ok)
	types, ok := config.Int("type_vocab_size")
	if !ok {
		types = 1
	}
	put("token_type_count", uint32(types))
	put("remove_extra_whitespaces", f.config.Bool("clean_up_tokenization_spaces"))
	if text := charsmap(f.tokenizer.Object("normalizer")); text != "" {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, f.errorf("tokenizer.json", "its precompiled_charsmap is not base64")
		}
		put("precompiled_charsmap", data)
	}
	s, err := f.readSpecial(config, len(v.tokens), false)
	if err != nil {
		return nil, err
	}
	return append(kv, s.keyValues()...), nil
}

// charsmap returns the precompiled normalization of a normalizer, or of the first
// in its sequence that has one.
func charsmap(n *strictjson.Object) string {
	if s := n.String("precompiled_charsmap"); s != "" || n == nil {
		return s
	}
	for _, v := range n.Array("normalizers") {
		if o, ok := v.(*strictjson.Object); ok {
			if s := charsmap(o); s != "" {
				return s
			}
		}
	}
	return ""
}

func (f *files) unsupported(format string, args ...any) error {
	return &formats.Error{Path: path.Join(f.model.Path, "tokenizer.json"), Err: formats.Reasonf(formats.ErrUnsupported, format, args...)}
}

package tokenizer

import (
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// A kind is what a token is, as tokenizer.ggml.token_type numbers it.
type kind int32

const (
	normal      kind = 1
	unknown     kind = 2
	control     kind = 3
	userDefined kind = 4
	unused      kind = 5
	byteToken   kind = 6
)

// A vocabulary is the list of all tokens by their numbers.
type vocabulary struct {
	tokens []string
	kinds  []kind
	scores []float32 // nil if the tokenizer has none
}

// padded returns a vocabulary of n unused tokens, which have names in llama.cpp
// all the same.
func padded(n int, score float32) *vocabulary {
	v := &vocabulary{tokens: make([]string, n), kinds: make([]kind, n), scores: make([]float32, n)}
	for i := range n {
		v.tokens[i], v.kinds[i], v.scores[i] = "[PAD"+strconv.Itoa(i)+"]", unused, score
	}
	return v
}

func (v *vocabulary) set(i int, token string, k kind, score float32) {
	v.tokens[i], v.kinds[i], v.scores[i] = token, k, score
}

// keyValues returns the vocabulary's own keys.
func (v *vocabulary) keyValues(model, pre string) formats.Metadata {
	kinds := make([]int32, len(v.kinds))
	for i, k := range v.kinds {
		kinds[i] = int32(k)
	}
	kv := formats.Metadata{
		{Key: "tokenizer.ggml.model", Value: model},
		{Key: "tokenizer.ggml.pre", Value: pre},
		{Key: "tokenizer.ggml.tokens", Value: v.tokens},
	}
	if v.scores != nil {
		kv = append(kv, formats.KeyValue{Key: "tokenizer.ggml.scores", Value: v.scores})
	}
	return append(kv, formats.KeyValue{Key: "tokenizer.ggml.token_type", Value: kinds})
}

// looksSpecial reports whether an added token that is not marked as special is one
// by its looks. Some checkpoints forget the mark.
func looksSpecial(token string) bool {
	switch token {
	case "<pad>", "<mask>", "<2mass>", "[@BOS@]":
		return true
	}
	between := func(open, shut string) bool {
		return strings.HasPrefix(token, open) && strings.HasSuffix(token, shut)
	}
	return between("<|", "|>") || between("<｜", "｜>") || between("<unused", ">")
}

// spaces writes the visible spaces of SentencePiece as spaces, as llama.cpp wants
// the text of tokens that users defined.
func spaces(token string) string { return strings.ReplaceAll(token, "\u2581", " ") }

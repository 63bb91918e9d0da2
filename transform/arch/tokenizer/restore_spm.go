package tokenizer

import (
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/loratool/loratool/formats"
)

// Further fields of sentencepiece_model.proto.
const (
	fieldVocabSize    = 4 // of the trainer
	fieldByteFallback = 35
	fieldUnkID        = 40
	fieldBosID        = 41
	fieldEosID        = 42
	fieldPadID        = 43
	fieldName         = 1 // of the normalizer
	fieldEscape       = 5

	modelBPE = 2
)

// sentencePiece returns tokenizer.model. GGUF's vocabularies of this kind are
// merged by score, which is SentencePiece's BPE; text is not normalized. Tokens
// that were added later stand behind the model's in tokenizer_config.json alone.
func (g *restorer) sentencePiece() ([]formats.Asset, error) {
	n := g.modelSize()
	var out []byte
	bytesFallback := false
	for id := range n {
		score := float32(0)
		if g.scores != nil {
			score = g.scores[id]
		}
		k := kind(g.kinds[id])
		bytesFallback = bytesFallback || k == byteToken
		p := appendString(nil, fieldPieceText, g.pieceText(id))
		p = protowire.AppendTag(p, fieldPieceScore, protowire.Fixed32Type)
		p = protowire.AppendFixed32(p, math.Float32bits(score))
		p = appendVarint(p, fieldPieceType, uint64(k))
		out = appendMessage(out, fieldPieces, p)
	}
	trainer := appendVarint(nil, fieldModelType, modelBPE)
	trainer = appendVarint(trainer, fieldVocabSize, uint64(n))
	trainer = appendVarint(trainer, fieldByteFallback, bit(bytesFallback))
	for _, r := range []struct {
		role  string
		field protowire.Number
	}{{"unk", fieldUnkID}, {"bos", fieldBosID}, {"eos", fieldEosID}, {"pad", fieldPadID}} {
		id, _, ok := g.role(r.role)
		if !ok || id >= n {
			id = g.first(r.role, n)
		}
		trainer = appendVarint(trainer, r.field, uint64(int64(id)))
	}
	prefix, ok := g.flag("add_space_prefix")
	normalizer := appendString(nil, fieldName, "identity")
	normalizer = appendVarint(normalizer, fieldDummyPrefix, bit(prefix || !ok))
	normalizer = appendVarint(normalizer, fieldExtraSpaces, 0)
	normalizer = appendVarint(normalizer, fieldEscape, 1)
	out = appendMessage(out, fieldTrainer, trainer)
	out = appendMessage(out, fieldNormalizer, normalizer)
	return []formats.Asset{{Name: "tokenizer.model", Data: out}}, nil
}

// modelSize returns how many tokens are the model's: all but those at the end that
// were added to it.
func (g *restorer) modelSize() int {
	n := len(g.tokens)
	for n > 0 && g.isLater(n-1) {
		n--
	}
	return n
}

// pieceText returns the text of a token of the model. GGUF writes those that users
// defined with the spaces that text has.
func (g *restorer) pieceText(id int) string {
	if kind(g.kinds[id]) == userDefined {
		return strings.ReplaceAll(g.tokens[id], " ", "\u2581")
	}
	return g.tokens[id]
}

// addedScore is what llama.cpp's converter gives tokens that no model scores.
const addedScore = -1000

// isLater reports whether a token was added to the model's, or fills the
// vocabulary up.
func (g *restorer) isLater(id int) bool {
	return kind(g.kinds[id]) == unused || g.isAdded(id) && g.scores != nil && g.scores[id] == addedScore
}

// first returns the number of a role that no key tells: the unknown token is that
// of its kind, the others are absent, −1.
func (g *restorer) first(role string, n int) int {
	for id := range n {
		if role == "unk" && kind(g.kinds[id]) == unknown {
			return id
		}
	}
	return -1
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

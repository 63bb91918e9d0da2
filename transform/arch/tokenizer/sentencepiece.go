package tokenizer

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/loratool/loratool/formats"
)

// A piece is an entry of a SentencePiece model.
type piece struct {
	text  string
	score float32
	kind  kind
}

// A spModel is what GGUF holds of a SentencePiece model.
type spModel struct {
	pieces     []piece
	normalizer normalizer
	unigram    bool
}

// A normalizer says how SentencePiece prepares its text.
type normalizer struct {
	charsmap               []byte
	dummyPrefix            bool
	removeExtraWhitespaces bool
}

// Fields of sentencepiece_model.proto, and its types of pieces, which are those of
// GGUF.
const (
	fieldPieces      = 1
	fieldTrainer     = 2
	fieldNormalizer  = 3
	fieldPieceText   = 1
	fieldPieceScore  = 2
	fieldPieceType   = 3
	fieldModelType   = 3 // of the trainer
	fieldCharsmap    = 2 // of the normalizer
	fieldDummyPrefix = 3
	fieldExtraSpaces = 4

	modelUnigram = 1
)

// parseSentencePiece reads a tokenizer.model.
func parseSentencePiece(path string, data []byte) (*spModel, error) {
	m := &spModel{unigram: true, normalizer: normalizer{dummyPrefix: true, removeExtraWhitespaces: true}}
	err := eachField(data, func(number protowire.Number, value uint64, bytes []byte) error {
		switch number {
		case fieldPieces:
			p := piece{kind: normal}
			if err := eachField(bytes, p.field); err != nil {
				return err
			}
			m.pieces = append(m.pieces, p)
		case fieldTrainer:
			return eachField(bytes, func(number protowire.Number, value uint64, _ []byte) error {
				if number == fieldModelType {
					m.unigram = value == modelUnigram
				}
				return nil
			})
		case fieldNormalizer:
			return eachField(bytes, m.normalizer.field)
		}
		return nil
	})
	if err == nil && len(m.pieces) == 0 {
		err = formats.Reasonf(formats.ErrFormat, "it has no pieces")
	}
	if err != nil {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "not a SentencePiece model: %v", err)}
	}
	return m, nil
}

func (p *piece) field(number protowire.Number, value uint64, bytes []byte) error {
	switch number {
	case fieldPieceText:
		p.text = string(bytes)
	case fieldPieceScore:
		p.score = math.Float32frombits(uint32(value))
	case fieldPieceType:
		p.kind = kind(value)
	}
	return nil
}

func (n *normalizer) field(number protowire.Number, value uint64, bytes []byte) error {
	switch number {
	case fieldCharsmap:
		n.charsmap = bytes
	case fieldDummyPrefix:
		n.dummyPrefix = value != 0
	case fieldExtraSpaces:
		n.removeExtraWhitespaces = value != 0
	}
	return nil
}

// eachField calls f with every field of a message: with the number of a varint or
// of a 32-bit field's bits, or with the bytes of a string or a message.
func eachField(data []byte, f func(number protowire.Number, value uint64, bytes []byte) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var value uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(data)
			value = uint64(v)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if err := f(number, value, bytes); err != nil {
			return err
		}
	}
	return nil
}

// vocabulary returns the pieces as a vocabulary of size tokens. Kinds that GGUF
// does not tell apart here, such as pieces that the trainer was given, are normal.
func (m *spModel) vocabulary(size int) *vocabulary {
	v := padded(size, -10000)
	for i, p := range m.pieces[:min(size, len(m.pieces))] {
		k := p.kind
		if k == userDefined {
			k = normal
		}
		v.set(i, p.text, k, p.score)
	}
	return v
}

package adapter

import (
	"fmt"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// checkVocabulary brings the configuration's vocab_size up to date if the
// embedding has another number of rows now, and compares it with the head's.
func (p *Plan) checkVocabulary(base *formats.Model, ix *index) error {
	e, h := ix.input, ix.head
	if e == nil {
		return nil
	}
	if h != nil && len(h.Shape) == 2 && h.Shape[0] != e.Shape[0] {
		return &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrMismatch,
			"the vocabulary would have %d rows in %s and %d in %s", e.Shape[0], e.Name, h.Shape[0], h.Name),
			Hint: "the adapter has only one of the two with its own vocabulary"}
	}
	rows := e.Shape[0]
	if rows == e.Base.Shape[0] || p.Config == nil {
		return nil
	}
	for _, o := range []*strictjson.Object{p.Config, p.Config.Object("text_config")} {
		if o.Has("vocab_size") {
			o.Set("vocab_size", strictjson.Int(rows))
			p.Changes = append(p.Changes, fmt.Sprintf("vocab_size: %d", rows))
		}
	}
	return nil
}

package tokenizer

import "github.com/loratool/loratool/formats/strictjson"

// Vocabularies in the manner of SentencePiece, which llama.cpp calls SPM, with the
// tokens that were added afterwards.

// addDeclared puts added tokens into the vocabulary, from added_tokens.json and
// from tokenizer_config.json, the latter with the last word.
func (f *files) addDeclared(v *vocabulary) error {
	if f.added != nil {
		for _, m := range f.added.Members {
			n, _ := m.Value.(strictjson.Number)
			if id, ok := n.Int(); ok && 0 <= id && int(id) < len(v.tokens) {
				v.set(int(id), m.Key, userDefined, -1000)
			}
		}
	}
	declared, err := f.declaredTokens()
	if err != nil {
		return err
	}
	for _, t := range declared {
		if t.id >= len(v.tokens) {
			continue
		}
		if t.special || looksSpecial(t.content) {
			v.set(t.id, t.content, control, -1000)
		} else {
			v.set(t.id, spaces(t.content), userDefined, -1000)
		}
	}
	return nil
}

// sentencePiece returns the vocabulary of a tokenizer.model with added tokens.
func (f *files) sentencePiece(size int) (*vocabulary, error) {
	v := f.sp.vocabulary(size)
	return v, f.addDeclared(v)
}

// phi returns the vocabulary of Phi 3, whose added tokens are taken from every
// file, and are control tokens only where a file says so.
func (f *files) phi(size int) (*vocabulary, error) {
	v := f.sp.vocabulary(size)
	if f.added != nil {
		for _, m := range f.added.Members {
			n, _ := m.Value.(strictjson.Number)
			if id, ok := n.Int(); ok && 0 <= id && int(id) < size {
				v.set(int(id), m.Key, userDefined, -1000)
			}
		}
	}
	declared, err := f.declaredTokens()
	if err != nil {
		return nil, err
	}
	for _, t := range append(declared, f.addedTokens()...) {
		if t.id >= size {
			continue
		}
		k := userDefined
		if t.special {
			k = control
		}
		v.set(t.id, t.content, k, -1000)
	}
	return v, nil
}

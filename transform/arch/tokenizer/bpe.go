package tokenizer

import (
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats/strictjson"
)

// jsonVocabulary returns the tokens of a tokenizer.json with BPE or WordPiece,
// padded to size.
func (f *files) jsonVocabulary(size int) (*vocabulary, error) {
	vocab := f.tokenizer.Object("model").Object("vocab")
	if vocab == nil {
		return nil, f.errorf("tokenizer.json", "its model has no vocab")
	}
	added := f.addedTokens()
	if size == 0 {
		size = len(vocab.Members)
		for _, t := range added {
			size = max(size, t.id+1)
		}
	}
	v := padded(size, 0)
	v.scores = nil
	for _, m := range vocab.Members {
		n, _ := m.Value.(strictjson.Number)
		id, ok := n.Int()
		if !ok || id < 0 || int(id) >= size {
			return nil, f.errorf("tokenizer.json", "the token %q has the number %v, beyond a vocabulary of %d", m.Key, m.Value, size)
		}
		v.tokens[id], v.kinds[id] = m.Key, normal
	}
	for _, t := range added {
		if t.id >= size {
			return nil, f.errorf("tokenizer.json", "the added token %q has the number %d, beyond a vocabulary of %d", t.content, t.id, size)
		}
		v.tokens[t.id], v.kinds[t.id] = t.content, control
		if !t.special && !looksSpecial(t.content) {
			v.tokens[t.id], v.kinds[t.id] = spaces(t.content), userDefined
		}
	}
	return v, nil
}

// merges returns BPE's merges, each two tokens with a space between. A space
// within a token is written as the byte-level alphabet writes it.
func (f *files) merges() ([]string, error) {
	list := f.tokenizer.Object("model").Array("merges")
	out := make([]string, 0, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case strictjson.Array:
			a, ok1 := at(v, 0)
			b, ok2 := at(v, 1)
			if len(v) != 2 || !ok1 || !ok2 {
				return nil, f.errorf("tokenizer.json", "merge %d is not a pair of tokens", i)
			}
			out = append(out, byteLevelSpaces(a)+" "+byteLevelSpaces(b))
		default:
			return nil, f.errorf("tokenizer.json", "merge %d is neither a text nor a pair of tokens", i)
		}
	}
	return out, nil
}

// mergesFile returns the merges of merges.txt, or nil if there is none.
func (f *files) mergesFile() ([]string, error) {
	data, err := f.read("merges.txt")
	if err != nil || data == nil {
		return nil, err
	}
	var out []string
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || i == 0 && strings.HasPrefix(line, "#") {
			continue
		}
		if parts := strings.Fields(line); len(parts) == 2 {
			out = append(out, parts[0]+" "+parts[1])
		}
	}
	return out, nil
}

func at(a strictjson.Array, i int) (string, bool) {
	if i >= len(a) {
		return "", false
	}
	s, ok := a[i].(string)
	return s, ok
}

// byteLevelSpaces writes spaces as the byte-level alphabet does: as the letter 256
// places further.
func byteLevelSpaces(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == ' ' {
			out[i] = ' ' + 256
		}
	}
	return string(out)
}

// llamaHF returns the vocabulary of a tokenizer.json that holds a SentencePiece
// model as BPE with byte fallback, for want of the model itself. It has no scores.
func (f *files) llamaHF() (*vocabulary, error) {
	v, err := f.jsonVocabulary(0)
	if err != nil {
		return nil, err
	}
	base := len(f.tokenizer.Object("model").Object("vocab").Members)
	special := map[int]bool{}
	added := map[int]bool{}
	for _, t := range f.addedTokens() {
		added[t.id] = true
		special[t.id] = t.special
	}
	v.scores = make([]float32, len(v.tokens))
	for i, token := range v.tokens {
		v.scores[i] = -1000
		switch {
		case isByteToken(token):
			v.kinds[i] = byteToken
		case special[i]:
			v.kinds[i] = control
		case added[i] && i >= base:
			v.kinds[i] = userDefined
		default:
			v.kinds[i] = normal
		}
	}
	return v, nil
}

// isByteToken reports whether a token stands for a single byte: <0x41>.
func isByteToken(token string) bool {
	if len(token) != 6 || token[:3] != "<0x" || token[5] != '>' {
		return false
	}
	_, err := strconv.ParseUint(token[3:5], 16, 8)
	return err == nil
}

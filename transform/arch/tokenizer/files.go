package tokenizer

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// files are what a checkpoint says of its tokenizer. Absent ones are nil.
type files struct {
	model     *formats.Model
	sp        *spModel
	tokenizer *strictjson.Object // tokenizer.json
	config    *strictjson.Object // tokenizer_config.json
	added     *strictjson.Object // added_tokens.json
}

func readFiles(m *formats.Model) (*files, error) {
	f := &files{model: m}
	for name, o := range map[string]**strictjson.Object{
		"tokenizer.json": &f.tokenizer, "tokenizer_config.json": &f.config, "added_tokens.json": &f.added,
	} {
		var err error
		if *o, err = hf.ReadObject(m, name); err != nil {
			return nil, err
		}
	}
	if data, err := f.read("tokenizer.model"); err != nil || data != nil {
		if err == nil {
			f.sp, err = parseSentencePiece(path.Join(m.Path, "tokenizer.model"), data)
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// read returns the contents of a file, or nil if there is none.
func (f *files) read(name string) ([]byte, error) {
	a := f.model.Asset(name)
	if a == nil {
		return nil, nil
	}
	return a.Read()
}

// An addedToken is a token that is matched before the text is split.
type addedToken struct {
	id      int
	content string
	special bool
	// normalized says that the text around it is normalized first, and so is it.
	normalized bool
}

// addedTokens returns those of tokenizer.json.
func (f *files) addedTokens() []addedToken {
	var out []addedToken
	for _, v := range f.tokenizer.Array("added_tokens") {
		o, _ := v.(*strictjson.Object)
		id, ok := o.Int("id")
		if !ok || id < 0 {
			continue
		}
		out = append(out, addedToken{int(id), o.String("content"), o.Bool("special"), o.Bool("normalized")})
	}
	return out
}

// declaredTokens returns those of added_tokens_decoder in tokenizer_config.json.
func (f *files) declaredTokens() ([]addedToken, error) {
	var out []addedToken
	decoder := f.config.Object("added_tokens_decoder")
	if decoder == nil {
		return nil, nil
	}
	for _, m := range decoder.Members {
		id, err := strconv.Atoi(m.Key)
		o, ok := m.Value.(*strictjson.Object)
		if err != nil || !ok || id < 0 {
			return nil, f.errorf("tokenizer_config.json", "added_tokens_decoder has the entry %q", m.Key)
		}
		out = append(out, addedToken{id, o.String("content"), o.Bool("special"), o.Bool("normalized")})
	}
	return out, nil
}

func (f *files) errorf(name, format string, args ...any) error {
	return &formats.Error{Path: path.Join(f.model.Path, name), Err: formats.Reasonf(formats.ErrFormat, format, args...)}
}

// tokenText returns the text of a token that a configuration names by its text or
// describes by an object.
func tokenText(v strictjson.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case *strictjson.Object:
		return v.String("content")
	}
	return ""
}

// errNoTokenizer reports a checkpoint that has none.
var errNoTokenizer = errors.New("neither tokenizer.model nor tokenizer.json")

// modelType returns the kind of model in tokenizer.json: BPE, Unigram, WordPiece.
func (f *files) modelType() string {
	model := f.tokenizer.Object("model")
	if t := model.String("type"); t != "" {
		return t
	}
	switch { // old files leave it out
	case model.Has("merges"):
		return "BPE"
	case strings.HasPrefix(model.String("continuing_subword_prefix"), "#"):
		return "WordPiece"
	}
	return ""
}

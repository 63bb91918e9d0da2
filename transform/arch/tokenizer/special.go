package tokenizer

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// special is what GGUF says of a tokenizer beside its vocabulary: which tokens
// begin, end and fill texts, which of them are added by themselves, the template
// of chats, and how text is normalized. Its sources contradict each other at times;
// the rules of which one wins are llama.cpp's.
type special struct {
	roles     []string // roles to look for: "bos", "eos", …
	limit     int      // tokens of this number and above are ignored; 0 for no limit
	ids       ordered[int]
	add       ordered[bool]
	templates strictjson.Value // nil, a string, or a list of named ones
	merges    []string

	lowercase, stripAccents *bool
}

// ordered is a list of values by role, in the order in which they were found.
type ordered[T any] struct {
	roles  []string
	values map[string]T
}

func (o *ordered[T]) set(role string, v T) {
	if o.values == nil {
		o.values = map[string]T{}
	}
	if _, ok := o.values[role]; !ok {
		o.roles = append(o.roles, role)
	}
	o.values[role] = v
}

func (o *ordered[T]) has(role string) bool { _, ok := o.values[role]; return ok }

// keyName is the part of a key that stands for a role. GGUF misspells one.
var keyName = map[string]string{"unk": "unknown", "sep": "seperator", "pad": "padding"}

// keyValues returns the keys, in the order in which llama.cpp writes them.
func (s *special) keyValues() formats.Metadata {
	var kv formats.Metadata
	put := func(key string, v any) { kv = append(kv, formats.KeyValue{Key: "tokenizer." + key, Value: v}) }
	if len(s.merges) > 0 {
		put("ggml.merges", s.merges)
	}
	for _, role := range s.ids.roles {
		name := role
		if n, ok := keyName[role]; ok {
			name = n
		}
		if role != "cls" { // which GGUF has no key for any more
			put("ggml."+name+"_token_id", uint32(s.ids.values[role]))
		}
	}
	for _, role := range s.add.roles {
		if role == "bos" || role == "eos" || role == "sep" {
			put("ggml.add_"+role+"_token", s.add.values[role])
		}
	}
	kv = append(kv, templateKeys(s.templates)...)
	if s.lowercase != nil {
		put("ggml.normalizer.lowercase", *s.lowercase)
	}
	if s.stripAccents != nil {
		put("ggml.normalizer.strip_accents", *s.stripAccents)
	}
	return kv
}

// setID gives a role its token, unless it has one or the number is out of range.
func (s *special) setID(role string, id int) {
	if id < 0 || s.limit > 0 && id >= s.limit || s.ids.has(role) {
		return
	}
	s.ids.set(role, id)
}

// readSpecial collects what the files say. config is config.json.
func (f *files) readSpecial(config *strictjson.Object, limit int, withMerges bool) (*special, error) {
	s := &special{roles: []string{"bos", "eos", "unk", "sep", "pad", "cls", "mask"}, limit: limit}
	if withMerges {
		var err error
		if s.merges, err = f.merges(); err != nil {
			return nil, err
		}
		if len(s.merges) == 0 {
			if s.merges, err = f.mergesFile(); err != nil {
				return nil, err
			}
		}
	}
	if n := f.tokenizer.Object("normalizer"); n != nil {
		s.normalizer(n)
	}
	if f.config != nil {
		names := s.namedTokens(f)
		if err := s.fromConfig(f, names); err != nil {
			return nil, err
		}
	}
	for _, role := range s.roles {
		id, ok := config.Int(role + "_token_id")
		if !ok {
			id, ok = config.Object("text_config").Int(role + "_token_id")
		}
		if ok {
			s.setID(role, int(id))
		}
	}
	return s, nil
}

// normalizer takes the flags that GGUF has out of tokenizer.json's normalizer.
func (s *special) normalizer(n *strictjson.Object) {
	yes := true
	switch n.String("type") {
	case "Lowercase":
		s.lowercase = &yes
	case "StripAccents":
		s.stripAccents = &yes
	case "BertNormalizer":
		if v, ok := n.Get("lowercase").(bool); ok {
			s.lowercase = &v
		}
		if v, ok := n.Get("strip_accents").(bool); ok {
			s.stripAccents = &v
		}
	case "Sequence":
		for _, v := range n.Array("normalizers") {
			if o, ok := v.(*strictjson.Object); ok {
				s.normalizer(o)
			}
		}
	}
}

// fromConfig looks the named tokens up and reads templates and flags.
func (s *special) fromConfig(f *files, names map[string]string) error {
	var err error
	if s.templates, err = f.chatTemplates(); err != nil {
		return err
	}
	added := f.addedTokens()
	for _, role := range s.roles {
		if v, ok := f.config.Get("add_" + role + "_token").(bool); ok && !s.add.has(role) {
			s.add.set(role, v)
		}
		name := names[role]
		if name == "" {
			continue
		}
		if i := slices.IndexFunc(added, func(t addedToken) bool { return t.content == name }); i >= 0 {
			s.setID(role, added[i].id)
		}
	}
	return nil
}

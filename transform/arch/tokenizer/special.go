package tokenizer

import (
	"path"
	"slices"
	"strings"

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

// templateKeys returns the keys of chat templates: one for the default, one for
// each that has a name, and the list of the names.
func templateKeys(v strictjson.Value) formats.Metadata {
	switch v := v.(type) {
	case string:
		return formats.Metadata{{Key: "tokenizer.chat_template", Value: v}}
	case strictjson.Array:
		var fallback *string
		var names []string
		var kv formats.Metadata
		for _, entry := range v {
			o, _ := entry.(*strictjson.Object)
			name, text := o.String("name"), o.String("template")
			name = strings.Map(func(r rune) rune {
				if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", r) {
					return r
				}
				return -1
			}, name)
			switch {
			case name == "" || !o.Has("template"):
			case name == "default":
				fallback = &text
			default:
				names = append(names, name)
				kv = append(kv, formats.KeyValue{Key: "tokenizer.chat_template." + name, Value: text})
			}
		}
		if len(names) > 0 {
			kv = append(kv, formats.KeyValue{Key: "tokenizer.chat_templates", Value: names})
		}
		if fallback != nil {
			kv = append(kv, formats.KeyValue{Key: "tokenizer.chat_template", Value: *fallback})
		}
		return kv
	}
	return nil
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

// namedTokens returns the texts of special tokens by role: those of
// tokenizer_config.json, completed and corrected by the post-processor of
// tokenizer.json, which is what really happens to a text.
func (s *special) namedTokens(f *files) map[string]string {
	names := map[string]string{}
	for _, role := range []string{"bos", "eos", "unk", "sep", "pad", "cls", "mask"} {
		names[role] = tokenText(f.config.Get(role + "_token"))
	}
	if f.tokenizer == nil {
		return names
	}
	if names["bos"] == "" {
		names["bos"] = names["cls"]
	}
	if names["eos"] == "" {
		names["eos"] = names["sep"]
	}
	post := f.tokenizer.Object("post_processor")
	if post == nil {
		return names
	}
	processors := post.Array("processors")
	if !post.Has("processors") {
		processors = strictjson.Array{post}
	}
	for _, v := range processors {
		p, _ := v.(*strictjson.Object)
		switch p.String("type") {
		case "ByteLevel":
			for _, role := range []string{"bos", "eos"} {
				if !s.add.has(role) {
					s.add.set(role, false)
				}
			}
		case "RobertaProcessing":
			for _, role := range []string{"bos", "eos", "sep"} {
				s.add.set(role, true)
			}
			for _, role := range []string{"cls", "sep"} {
				if names[role] == "" {
					if pair := p.Array(role); len(pair) > 0 {
						names[role], _ = pair[0].(string)
					}
				}
			}
		case "TemplateProcessing":
			s.template(p, names)
		}
	}
	return names
}

// template reads how single texts and pairs are framed by special tokens.
func (s *special) template(p *strictjson.Object, names map[string]string) {
	first, last := "", ""
	if single := p.Array("single"); len(single) > 1 {
		if first = specialID(single[0]); first != "" {
			if first != names["bos"] && first != names["cls"] {
				if names["bos"] == "" {
					names["bos"] = first
				}
				if names["cls"] == "" {
					names["cls"] = first
				}
			}
			s.add.set("bos", first == names["bos"] || first == names["cls"])
		}
		if last = specialID(single[len(single)-1]); last != "" {
			if last != names["eos"] {
				// The old end of text becomes the end of a turn, or of a message.
				for _, role := range []string{"eot", "eom"} {
					if !slices.Contains(s.roles, role) {
						s.roles = append(s.roles, role)
						names[role] = names["eos"]
						break
					}
				}
				names["eos"] = last
			}
			s.add.set("eos", true)
		}
	}
	pair := p.Array("pair")
	if len(pair) == 0 {
		return
	}
	if first != "" && specialID(pair[0]) == first {
		pair = pair[1:]
	}
	if last != "" && len(pair) > 0 && specialID(pair[len(pair)-1]) == last {
		pair = pair[:len(pair)-1]
	}
	if len(pair) < 3 || sequenceID(pair[0]) != "A" || sequenceID(pair[len(pair)-1]) != "B" {
		return
	}
	middle := pair[1 : len(pair)-1]
	isSeparator := func(v strictjson.Value) bool {
		id := specialID(v)
		return id != "" && (id == names["sep"] || id == names["eos"])
	}
	add := isSeparator(middle[0]) && last == "" || len(middle) == 2 && isSeparator(middle[1])
	s.add.set("sep", add)
	if add && names["sep"] == "" {
		names["sep"] = names["eos"]
	}
}

func specialID(v strictjson.Value) string {
	o, _ := v.(*strictjson.Object)
	return o.Object("SpecialToken").String("id")
}

func sequenceID(v strictjson.Value) string {
	o, _ := v.(*strictjson.Object)
	return o.Object("Sequence").String("id")
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

// chatTemplates returns the template of tokenizer_config.json, or else those of
// the files that it may lie in instead.
func (f *files) chatTemplates() (strictjson.Value, error) {
	if v := f.config.Get("chat_template"); v != nil || f.config.Has("chat_template") {
		return v, nil
	}
	if data, err := f.read("chat_template.jinja"); err != nil {
		return nil, err
	} else if data != nil {
		list := strictjson.Array{named("default", string(data))}
		for _, a := range f.model.Files {
			if dir, file := path.Split(a.Name); dir == "additional_chat_templates/" && path.Ext(file) == ".jinja" {
				text, err := a.Read()
				if err != nil {
					return nil, err
				}
				list = append(list, named(strings.TrimSuffix(file, ".jinja"), string(text)))
			}
		}
		if len(list) == 1 {
			return string(data), nil
		}
		return list, nil
	}
	if data, err := f.read("chat_template.json"); err != nil || data == nil {
		return nil, err
	} else if o, err := strictjson.ParseObject(data); err == nil {
		return o.Get("chat_template"), nil
	} else {
		return nil, f.errorf("chat_template.json", "%v", err)
	}
}

func named(name, template string) *strictjson.Object {
	return &strictjson.Object{Members: []strictjson.Member{{Key: "name", Value: name}, {Key: "template", Value: template}}}
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

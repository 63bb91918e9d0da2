package tokenizer

import (
	"slices"

	"github.com/loratool/loratool/formats/strictjson"
)

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

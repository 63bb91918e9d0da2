package tokenizer

import (
	"path"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

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

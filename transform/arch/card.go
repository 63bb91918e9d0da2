package arch

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loratool/loratool/formats"
)

// readCard returns the front matter of a checkpoint's model card, README.md, or
// nil if it has none that can be read: it describes the model, and a bad one is no
// reason not to convert.
func readCard(m *formats.Model) map[string]any {
	a := m.Asset("README.md")
	if a == nil {
		return nil
	}
	data, err := a.Read()
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	if lines[0] != "---" {
		return nil
	}
	var text strings.Builder
	for _, line := range lines[1:] {
		if line == "---" {
			break
		}
		if line == "- no" { // Norwegian, not false
			line = `- "no"`
		}
		text.WriteString(strings.ReplaceAll(line, "\t", "  ") + "\n")
	}
	var card map[string]any
	if yaml.Unmarshal([]byte(text.String()), &card) != nil {
		return nil
	}
	return card
}

// cardText returns the first of the keys that the card has, as text.
func cardText(card map[string]any, keys ...string) string {
	for _, key := range keys {
		if v, ok := card[key]; ok && v != nil {
			if list, ok := v.([]any); ok {
				return strings.Join(words(list), ",")
			}
			return fmt.Sprint(v)
		}
	}
	return ""
}

// cardList returns all entries under the keys, which hold one or a list each.
func cardList(card map[string]any, keys ...string) []string {
	var out []string
	for _, key := range keys {
		switch v := card[key].(type) {
		case string:
			out = append(out, v)
		case []any:
			out = append(out, words(v)...)
		}
	}
	return out
}

func words(list []any) []string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// first returns the value of the first of the keys that the card has.
func first(card map[string]any, keys ...string) (any, bool) {
	for _, key := range keys {
		if v, ok := card[key]; ok {
			return v, true
		}
	}
	return nil, false
}

// A relative is a model or a data set that the card says this one comes from.
type relative struct{ name, organization, version, repository string }

var hubURL = regexp.MustCompile(`^https?://huggingface\.co/([^/]+/[^/]+)$`)

// relatives reads a list of names or addresses on the hub.
func relatives(v any, parameters int64) []relative {
	var list []any
	switch v := v.(type) {
	case string:
		list = []any{v}
	case []any:
		list = v
	}
	var out []relative
	for _, e := range list {
		id, ok := e.(string)
		if !ok {
			continue
		}
		var r relative
		url := strings.HasPrefix(id, "http://") || strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "ssh://")
		if url {
			r.repository = id
			m := hubURL.FindStringSubmatch(id)
			if m == nil {
				out = append(out, r)
				continue
			}
			id = m[1]
		}
		n := parseName(id, parameters)
		r.name, r.organization, r.version = title(n.full), title(n.organization), n.version
		if !url && n.organization != "" {
			r.repository = "https://huggingface.co/" + n.organization + "/" + n.full
		}
		out = append(out, r)
	}
	return out
}

package arch

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A modelName is what the parts of a model's name say, such as
// Meta-Llama-3.1-8B-Instruct: words joined by hyphens, in no fixed order. The
// rules are llama.cpp's guesses, made from the names on the hub.
type modelName struct {
	full, organization, basename, finetune, version, size string
}

var (
	versionPart = regexp.MustCompile(`(?i)^(v|iter)?\d+([.]\d+)*$`)
	typePart    = regexp.MustCompile(`(?i)^(i?q\d(_\w)*|b?fp?(16|32))$`)
	sizePart    = regexp.MustCompile(`(?i)^((([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?|small|mini|medium|large|x?xl))$`)
	tunedPart   = regexp.MustCompile(`(?i)^(chat|instruct|vision|lora)$`)
	lowerWord   = regexp.MustCompile(`^(v\d+(?:\.\d+)*|\d.*)$`)
)

// A namePart is a word of a name with what it is taken for.
type namePart struct {
	text                                    string
	basename, size, finetune, version, kind bool
}

func (p *namePart) plain() bool {
	return !p.basename && !p.size && !p.finetune && !p.version && !p.kind
}

// parseName takes a name apart. parameters is the size of the model, negative if
// it is that of an adapter, 0 if it is unknown; it tells sizes from other numbers.
func parseName(id string, parameters int64) modelName {
	if strings.Contains(id, " ") {
		return modelName{full: id} // a sentence, not a name of the hub's kind
	}
	n := modelName{full: id}
	if org, rest, ok := strings.Cut(id, "/"); ok {
		n.organization, n.full = org, rest
		if strings.HasPrefix(org, ".") {
			n.organization = ""
		}
	}
	var parts []*namePart
	for _, text := range strings.Split(n.full, "-") {
		if text != "" {
			parts = append(parts, &namePart{text: text})
		}
	}
	for i, p := range parts {
		p.annotate(i > 0, parameters)
	}
	dropWordSizes(parts)
	markBasename(parts)
	n.basename = join(parts, func(p *namePart) bool { return p.basename })
	n.size = strings.Join(unique(wordsOf(parts, func(p *namePart) bool { return p.size })), "-")
	n.finetune = join(parts, func(p *namePart) bool { return p.finetune })
	n.version = join(parts, func(p *namePart) bool { return p.version && !p.basename })
	if n.size == "" && n.finetune == "" && n.version == "" {
		n.basename = "" // too little to tell one from the other
	}
	return n
}

// annotate says what a word is, if it can be told by itself.
func (p *namePart) annotate(later bool, parameters int64) {
	switch {
	case versionPart.MatchString(p.text):
		p.version = true
	case typePart.MatchString(p.text):
		p.kind, p.text = true, strings.ToUpper(p.text)
	case later && sizePart.MatchString(p.text):
		p.annotateSize(parameters)
	case later && tunedPart.MatchString(p.text):
		p.kind = parameters < 0 && strings.EqualFold(p.text, "lora")
		p.finetune = !p.kind
	}
}

// annotateSize tells sizes from context lengths by how far they are from the
// model's.
func (p *namePart) annotateSize(parameters int64) {
	s := strings.ReplaceAll(p.text, "_", ".")
	if last := s[len(s)-1]; isDigit(last) { // 7b1 means 7.1B
		s = s[:len(s)-2] + "." + string(last) + s[len(s)-2:len(s)-1]
	}
	if n := len(s); n > 1 && isDigit(s[n-2]) && strings.ContainsRune("kmbt", rune(s[n-1])) {
		s = s[:n-1] + strings.ToUpper(s[n-1:])
	}
	if v, err := strconv.ParseFloat(s[:len(s)-1], 64); err == nil && parameters != 0 {
		label := v * math.Pow(1000, float64(strings.IndexByte(" KMBT", s[len(s)-1])))
		n := float64(max(parameters, -parameters))
		if parameters < 0 && label < math.Floor(n/8) || parameters > 0 && math.Abs(label-n) > math.Floor(7*n/8) {
			p.finetune = true
			s = s[:len(s)-1] + strings.ToLower(s[len(s)-1:])
		}
	}
	p.size = !p.finetune
	p.text = s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// dropWordSizes takes words like "small" for no size where a number is there.
func dropWordSizes(parts []*namePart) {
	numbered := slices.ContainsFunc(parts, func(p *namePart) bool { return p.size && strings.ContainsFunc(p.text, unicode.IsDigit) })
	for _, p := range parts {
		if numbered && p.size && !strings.ContainsFunc(p.text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			p.size = false
		}
	}
}

// markBasename takes the words at the start for the basename, with versions among
// them but not at its end, and other unknown words for a fine-tune.
func markBasename(parts []*namePart) {
	start := true
	for _, p := range parts {
		if start && (p.plain() && unicode.IsLetter([]rune(p.text)[0]) || p.version) {
			p.basename = true
			continue
		}
		start = false
		if p.plain() {
			p.finetune = true
		}
	}
	for _, p := range slices.Backward(parts) {
		if !p.basename || !p.version {
			break
		}
		p.basename = false
	}
}

func wordsOf(parts []*namePart, want func(*namePart) bool) []string {
	var out []string
	for _, p := range parts {
		if want(p) {
			out = append(out, p.text)
		}
	}
	return out
}

func join(parts []*namePart, want func(*namePart) bool) string {
	return strings.Join(wordsOf(parts, want), "-")
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// title writes a name for people: hyphens as spaces, words in lower case with a
// capital, but for versions and what begins with a digit.
func title(name string) string {
	words := strings.Fields(strings.ReplaceAll(strings.TrimSpace(name), "-", " "))
	for i, w := range words {
		if isLower(w) && !lowerWord.MatchString(w) {
			words[i] = capitalize(w)
		}
	}
	return strings.Join(words, " ")
}

// isLower reports whether a word has letters, all of them in lower case.
func isLower(w string) bool {
	has := false
	for _, r := range w {
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			return false
		}
		has = has || unicode.IsLower(r)
	}
	return has
}

// capitalize gives every run of letters a capital, as Python's str.title does.
func capitalize(w string) string {
	out := []rune(w)
	inside := false
	for i, r := range out {
		if !inside {
			out[i] = unicode.ToTitle(r)
		}
		inside = unicode.IsLetter(r)
	}
	return string(out)
}

// sizeLabel writes a number of parameters with two digits at least: 1.2B, 8x7.0B.
func sizeLabel(n int64) string {
	scale, suffix := 1e-3, "K"
	switch v := float64(n); {
	case v > 1e12:
		scale, suffix = 1e-12, "T"
	case v > 1e9:
		scale, suffix = 1e-9, "B"
	case v > 1e6:
		scale, suffix = 1e-6, "M"
	}
	v := float64(n) * scale
	digits := len(strings.TrimLeft(strconv.Itoa(int(math.RoundToEven(v))), "0"))
	return fmt.Sprintf("%.*f%s", max(2-digits, 0), v, suffix)
}

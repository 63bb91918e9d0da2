package strictjson

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that hostile input can't exhaust the stack.
// Tokenizer files nest about ten deep.
const maxDepth = 64

// A SyntaxError says what is wrong with JSON text, and where.
type SyntaxError struct {
	Offset int // of the byte in the text
	Msg    string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("JSON: %s at byte %d", e.Msg, e.Offset) }

// Parse reads data as one JSON value, which must begin with its first byte and
// may be followed by white space only. It returns a *[SyntaxError] otherwise.
func Parse(data []byte) (Value, error) { return parse(data, false, false) }

// ParsePython is [Parse] for files that Python programs write by hand or by its
// json module: white space may come first, and NaN, Infinity and -Infinity are
// numbers.
func ParsePython(data []byte) (Value, error) { return parse(data, true, true) }

// ParseObject is [ParsePython] for a text that must be an object.
func ParseObject(data []byte) (*Object, error) {
	v, err := ParsePython(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, &SyntaxError{0, "an object was expected"}
	}
	return o, nil
}

func parse(data []byte, leadingSpace, nonFinite bool) (v Value, err error) {
	p := parser{data: data, nonFinite: nonFinite}
	defer func() {
		if e, ok := recover().(*SyntaxError); ok {
			v, err = nil, e
		}
	}()
	if leadingSpace {
		p.space()
	}
	v = p.value(0)
	p.space()
	if p.pos < len(p.data) {
		p.fail("text after the value")
	}
	return v, nil
}

type parser struct {
	data      []byte
	pos       int
	nonFinite bool
}

// fail ends the parse. Only parse recovers it.
func (p *parser) fail(format string, args ...any) {
	panic(&SyntaxError{p.pos, fmt.Sprintf(format, args...)})
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos == len(p.data) {
		return 0
	}
	return p.data[p.pos]
}

func (p *parser) expect(c byte) {
	if p.peek() != c {
		p.unexpected(fmt.Sprintf("%q", c))
	}
	p.pos++
}

func (p *parser) unexpected(wanted string) {
	if p.pos == len(p.data) {
		p.fail("the text ends where %s was expected", wanted)
	}
	p.fail("%q where %s was expected", p.data[p.pos], wanted)
}

func (p *parser) word(w string) bool {
	if len(p.data)-p.pos < len(w) || string(p.data[p.pos:p.pos+len(w)]) != w {
		return false
	}
	p.pos += len(w)
	return true
}

func (p *parser) value(depth int) Value {
	if depth == maxDepth {
		p.fail("nested more than %d deep", maxDepth)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.string()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case p.word("true"):
		return true
	case p.word("false"):
		return false
	case p.word("null"):
		return nil
	case p.nonFinite && p.word("NaN"):
		return Number("NaN")
	case p.nonFinite && p.word("Infinity"):
		return Number("Infinity")
	}
	p.unexpected("a value")
	return nil
}

func (p *parser) object(depth int) *Object {
	o := &Object{}
	p.expect('{')
	p.space()
	if p.peek() == '}' {
		p.pos++
		return o
	}
	for {
		at := p.pos
		if p.peek() != '"' {
			p.unexpected("a key")
		}
		key := p.string()
		p.space()
		p.expect(':')
		p.space()
		v := p.value(depth + 1)
		if !o.add(key, v) {
			p.pos = at
			p.fail("key %q appears twice", key)
		}
		p.space()
		if p.peek() == '}' {
			p.pos++
			return o
		}
		p.expect(',')
		p.space()
	}
}

func (p *parser) array(depth int) Array {
	a := Array{}
	p.expect('[')
	p.space()
	if p.peek() == ']' {
		p.pos++
		return a
	}
	for {
		a = append(a, p.value(depth+1))
		p.space()
		if p.peek() == ']' {
			p.pos++
			return a
		}
		p.expect(',')
		p.space()
	}
}

func (p *parser) number() Number {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
		if p.nonFinite && p.word("Infinity") {
			return Number(p.data[start:p.pos])
		}
	}
	if p.peek() == '0' {
		p.pos++
	} else {
		p.digits()
	}
	if p.peek() == '.' {
		p.pos++
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		p.digits()
	}
	return Number(p.data[start:p.pos])
}

func (p *parser) digits() {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == start {
		p.unexpected("a digit")
	}
}

func (p *parser) string() string {
	p.expect('"')
	start := p.pos
	for p.pos < len(p.data) { // the usual case: plain ASCII up to the quote
		switch c := p.data[p.pos]; {
		case c == '"':
			s := string(p.data[start:p.pos])
			p.pos++
			return s
		case c == '\\' || c >= utf8.RuneSelf:
			return p.stringFrom(start)
		case c < ' ':
			p.fail("control character %#02x in a string", c)
		}
		p.pos++
	}
	p.unexpected("a closing quote")
	return ""
}

// stringFrom reads the rest of a string that has more than plain ASCII in it.
func (p *parser) stringFrom(start int) string {
	s := append([]byte(nil), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return string(s)
		case c == '\\':
			p.pos++
			s = p.escape(s)
		case c < ' ':
			p.fail("control character %#02x in a string", c)
		case c < utf8.RuneSelf:
			s = append(s, c)
			p.pos++
		default:
			r, n := utf8.DecodeRune(p.data[p.pos:])
			if r == utf8.RuneError && n == 1 {
				p.fail("invalid UTF-8")
			}
			s = append(s, p.data[p.pos:p.pos+n]...)
			p.pos += n
		}
	}
	p.unexpected("a closing quote")
	return ""
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(s []byte) []byte {
	c := p.peek()
	if b, ok := escapes[c]; ok {
		p.pos++
		return append(s, b)
	}
	if c != 'u' {
		p.fail("bad escape")
	}
	r := p.hex4()
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(s, r)
	}
	if !p.word(`\`) || p.peek() != 'u' {
		p.fail("lone surrogate")
	}
	pair := utf16.DecodeRune(r, p.hex4())
	if pair == utf8.RuneError {
		p.fail("lone surrogate")
	}
	return utf8.AppendRune(s, pair)
}

// hex4 reads u and four hexadecimal digits.
func (p *parser) hex4() rune {
	p.expect('u')
	if len(p.data)-p.pos < 4 {
		p.fail("bad escape")
	}
	for _, c := range p.data[p.pos : p.pos+4] {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			p.fail("bad escape")
		}
	}
	u, _ := strconv.ParseUint(string(p.data[p.pos:p.pos+4]), 16, 16)
	p.pos += 4
	return rune(u)
}

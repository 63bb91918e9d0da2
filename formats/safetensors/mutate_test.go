package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Mutants are files that somebody might make to confuse a reader: a valid one of
// which one to three things are changed, in the text of the header by its
// tokens, or in its bytes, the length or the data. They are the same for the
// same number, so verdicts on them can be kept.

// mutant returns the i-th mutant.
func mutant(t testing.TB, i int) string {
	rng := rand.New(rand.NewPCG(uint64(i), 0x5afe))
	header, data := split(mutationBases(t)[rng.IntN(len(mutationBases(t)))])
	m := mutation{rng: rng, tokens: token.FindAllString(header, -1), data: data}
	for range pick(rng, 1, 1, 1, 2, 3) {
		m.change()
	}
	text := strings.Join(m.tokens, "")
	for range m.flips {
		if len(text) > 0 {
			b := []byte(text)
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			text = string(b)
		}
	}
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(text))+m.length)) + text + m.data
}

func mutationBases(t testing.TB) []string {
	return []string{
		referenceFile(t),
		file(`{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}`, "0123456789abcdefghi"),
		file(`{"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}   `, "0123456789ab"),
		file(`{"x":{"dtype":"I64","shape":[],"data_offsets":[8,16]},"y":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"z":{"dtype":"F16","shape":[0,4],"data_offsets":[16,16]}}`, "0123456789abcdef"),
		file(`{"q":{"dtype":"F4","shape":[2,4],"data_offsets":[0,4]},"s":{"dtype":"F8_E8M0","shape":[2,1],"data_offsets":[4,6]}}`, "012345"),
	}
}

// token matches a part of JSON text: a string, a number, white space, or one
// other character.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|\s+|(?s:.)`)

// upperCase matches what may be the name of a number format.
var upperCase = regexp.MustCompile(`^"[A-Z][A-Z0-9_]+"$`)

type mutation struct {
	rng    *rand.Rand
	tokens []string
	data   string
	length uint64 // added to the length of the header
	flips  int    // of bits in the text
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// change changes one thing.
func (m *mutation) change() {
	if len(m.tokens) == 0 {
		return
	}
	rng := m.rng
	i := rng.IntN(len(m.tokens))
	switch rng.IntN(24) {
	case 0, 1, 2:
		m.number()
	case 3:
		m.dtype()
	case 4:
		m.rename()
	case 5, 23:
		m.escape()
	case 6:
		m.tokens = slices.Delete(m.tokens, i, i+1)
	case 7:
		m.tokens = slices.Insert(m.tokens, i, m.tokens[i])
	case 8:
		j := rng.IntN(len(m.tokens))
		m.tokens[i], m.tokens[j] = m.tokens[j], m.tokens[i]
	case 9:
		m.tokens = slices.Insert(m.tokens, i, pick(rng, " ", "\t", "\n", "\r", " ", "\x00", "\v", "\u00a0", "\ufeff", "null", "[]", "{}", ",", "1", `""`, "//"))
	case 10, 11:
		m.entry()
	case 12:
		m.tokens = append(m.tokens, pick(rng, " ", "   ", "\n", "\x00", "{}", "}", "\t"))
	case 13:
		m.data += strings.Repeat("x", 1+rng.IntN(8))
	case 14:
		m.data = m.data[:max(0, len(m.data)-1-rng.IntN(8))]
	case 15:
		m.length += pick[uint64](rng, 1, 2, 8, 1<<32, 1<<63, ^uint64(0), ^uint64(7))
	case 16:
		m.flips++
	case 17:
		m.insert(i, pick(rng, `"extra":1,`, `"__metadata__":{},`, `"__metadata__":null,`, `"__metadata__":{"k":"v"},`,
			`"dtype":"U8",`, `"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`,
			`"big":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]},`))
	case 18, 19, 20:
		m.tokens = slices.Insert(m.tokens, i, pick(rng, " ", "\t", "\n", "\r\n"))
	case 21, 22:
		m.insert(i, pick(rng, `"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`, `"extra":null,`, `"extra":{"a":[1.5]},`))
	}
}

// insert puts text behind an opening brace, which is where a member may stand.
func (m *mutation) insert(from int, text string) {
	for i := range m.tokens {
		if at := (from + i) % len(m.tokens); m.tokens[at] == "{" {
			m.tokens = slices.Insert(m.tokens, at+1, text)
			return
		}
	}
}

// where returns the index of a random token that the condition holds for, or -1.
func (m *mutation) where(is func(string) bool) int {
	var all []int
	for i, s := range m.tokens {
		if is(s) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return -1
	}
	return pick(m.rng, all...)
}

func (m *mutation) number() {
	i := m.where(func(s string) bool { return s[0] >= '0' && s[0] <= '9' })
	if i < 0 {
		return
	}
	var n int64
	fmt.Sscan(m.tokens[i], &n)
	m.tokens[i] = pick(m.rng, "0", "1", "2", "-1", fmt.Sprint(n+1), fmt.Sprint(n-1), fmt.Sprint(2*n), fmt.Sprint(-n),
		fmt.Sprintf("%d.0", n), fmt.Sprintf("%de0", n), fmt.Sprintf("0%d", n), "-0", "1E2", "2147483648", "4294967296",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
		`"1"`, "true", "null", "[]", "1,1", "0,1", "1e400")
}

func (m *mutation) dtype() {
	i := m.where(upperCase.MatchString)
	if i < 0 {
		return
	}
	m.tokens[i] = pick(m.rng, `"F32"`, `"I32"`, `"U32"`, `"F16"`, `"BF16"`, `"U8"`, `"I8"`, `"BOOL"`, `"F64"`, `"C64"`, `"F8_E4M3"`,
		`"F8_E5M2"`, `"F4"`, `"F6_E2M3"`, `"f32"`, `"F33"`, `"Q8_0"`, `""`, `"I4"`, `"\u0046\u0033\u0032"`, "1", "null")
}

// rename gives a string the text of another one.
func (m *mutation) rename() {
	isString := func(s string) bool { return s[0] == '"' }
	if i := m.where(isString); i >= 0 {
		m.tokens[i] = m.tokens[m.where(isString)]
	}
}

// escape spells a character of a string in another way, or wrongly.
func (m *mutation) escape() {
	i := m.where(func(s string) bool { return len(s) > 2 && s[0] == '"' && s[1] != '\\' && s[1] < 0x80 })
	if i < 0 {
		return
	}
	s := m.tokens[i]
	m.tokens[i] = `"` + pick(m.rng, fmt.Sprintf(`\u%04x`, s[1]), fmt.Sprintf(`\u%04X`, s[1]), `\ud83d\ude00`, `\ud83d`, `\ude00`, `\x41`, `\`+s[1:2],
		`\/`, `\u00`, "\x01", "\xff", "\xc0\x80", "\xed\xa0\x80", "\u2028", "é", "") + s[2:]
}

// entry doubles, deletes or moves a member of the header: from a string that
// begins one to the brace that ends it.
func (m *mutation) entry() {
	var starts []int
	for i := 1; i+2 < len(m.tokens); i++ {
		if m.tokens[i][0] == '"' && m.tokens[i+1] == ":" && m.tokens[i+2] == "{" {
			starts = append(starts, i)
		}
	}
	if len(starts) == 0 {
		return
	}
	start := pick(m.rng, starts...)
	n := slices.Index(m.tokens[start:], "}") + 1
	if n == 0 {
		return
	}
	member := slices.Clone(m.tokens[start : start+n])
	switch m.rng.IntN(3) {
	case 0: // twice
		m.tokens = slices.Insert(m.tokens, start, append(member, ",")...)
	case 1: // not at all, perhaps with its comma
		if start+n < len(m.tokens) && m.tokens[start+n] == "," && m.rng.IntN(4) > 0 {
			n++
		}
		m.tokens = slices.Delete(m.tokens, start, start+n)
	case 2: // first
		if start+n < len(m.tokens) && m.tokens[start+n] == "," {
			m.tokens = slices.Delete(m.tokens, start, start+n+1)
			m.tokens = slices.Insert(m.tokens, 1, append(member, ",")...)
		}
	}
}

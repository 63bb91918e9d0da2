package strictjson

import (
	"fmt"
	"unicode/utf8"
)

// Append appends v as compact JSON: no white space, and nothing escaped but what
// must be.
func Append(dst []byte, v Value) []byte { return appendValue(dst, v, "", "") }

// Format returns v as JSON for people, as Python's json.dump(indent=2) lays it
// out, with a line feed at the end.
func Format(v Value) []byte { return append(appendValue(nil, v, "\n", "  "), '\n') }

// appendValue writes v. newline is what separates members, a line feed and the
// indentation so far, or empty for compact output.
func appendValue(dst []byte, v Value, newline, indent string) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return fmt.Append(dst, v)
	case Number:
		return append(dst, v...)
	case string:
		return AppendString(dst, v)
	case Array:
		return appendList(dst, '[', ']', len(v), newline, indent, func(dst []byte, i int, newline string) []byte {
			return appendValue(dst, v[i], newline, indent)
		})
	case *Object:
		return appendList(dst, '{', '}', len(v.Members), newline, indent, func(dst []byte, i int, newline string) []byte {
			dst = append(AppendString(dst, v.Members[i].Key), ':')
			if newline != "" {
				dst = append(dst, ' ')
			}
			return appendValue(dst, v.Members[i].Value, newline, indent)
		})
	}
	panic(fmt.Sprintf("strictjson: %T is no JSON value", v))
}

func appendList(dst []byte, open, shut byte, n int, newline, indent string, item func([]byte, int, string) []byte) []byte {
	dst = append(dst, open)
	inner := ""
	if newline != "" {
		inner = newline + indent
	}
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, inner...)
		dst = item(dst, i, inner)
	}
	if n > 0 {
		dst = append(dst, newline...)
	}
	return append(dst, shut)
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

package gguf

import (
	"fmt"
	"strconv"
	"strings"
)

// A parser reads values of one type as a person spells them.
type parser struct {
	one   func(text string) (any, error)
	array func(texts []string) (any, error)
}

// parsers are by the names of types, spelled as in Go.
var parsers = map[string]parser{
	"uint8":   unsigned[uint8](8),
	"uint16":  unsigned[uint16](16),
	"uint32":  unsigned[uint32](32),
	"uint64":  unsigned[uint64](64),
	"int8":    signed[int8](8),
	"int16":   signed[int16](16),
	"int32":   signed[int32](32),
	"int64":   signed[int64](64),
	"float32": float[float32](32),
	"float64": float[float64](64),
	"bool":    parserOf(strconv.ParseBool),
	"string":  parserOf(func(s string) (string, error) { return s, nil }),
}

func unsigned[T uint8 | uint16 | uint32 | uint64](bits int) parser {
	return parserOf(func(s string) (T, error) {
		n, err := strconv.ParseUint(s, 10, bits)
		return T(n), err
	})
}

func signed[T int8 | int16 | int32 | int64](bits int) parser {
	return parserOf(func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, bits)
		return T(n), err
	})
}

func float[T float32 | float64](bits int) parser {
	return parserOf(func(s string) (T, error) {
		f, err := strconv.ParseFloat(s, bits)
		return T(f), err
	})
}

func parserOf[T any](parse func(string) (T, error)) parser {
	one := func(text string) (T, error) {
		v, err := parse(text)
		if err != nil {
			return v, fmt.Errorf("%q is no %T", text, v)
		}
		return v, nil
	}
	return parser{
		one: func(text string) (any, error) { return one(text) },
		array: func(texts []string) (any, error) {
			vs := make([]T, len(texts))
			for i, text := range texts {
				var err error
				if vs[i], err = one(text); err != nil {
					return nil, err
				}
			}
			return vs, nil
		},
	}
}

// TypeName returns the name of a metadata value's type: "uint32", "[]string"; ""
// for arrays of arrays.
func TypeName(v any) string {
	if _, ok := v.([]any); ok {
		return ""
	}
	return fmt.Sprintf("%T", v)
}

// parseValue returns the value that text spells in the named type.
func parseValue(name, text string) (any, error) {
	element, isArray := strings.CutPrefix(name, "[]")
	p := parsers[element]
	switch {
	case !isArray:
		return p.one(text)
	case text == "":
		return p.array(nil)
	}
	return p.array(strings.Split(text, ","))
}

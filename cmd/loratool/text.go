package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/loratool/loratool/formats"
)

// plural returns one or many with n in place, or "" if n is 0.
func plural(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(one, n)
	}
	return fmt.Sprintf(many, n)
}

// join returns the elements with commas between them.
func join[T any](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

// short returns a metadata value in a few words.
func short(v any) string {
	const limit = 60
	s := fmt.Sprint(v)
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && (r.Len() > 4 || len(s) > limit) {
		return fmt.Sprintf("%d × %v", r.Len(), r.Type().Elem())
	}
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit-1]) + "…"
	}
	return s
}

// An orderedMap is metadata that becomes a JSON object in file order.
type orderedMap formats.Metadata

func (m orderedMap) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, kv := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(kv.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(kv.Value)
		if err != nil { // a number that JSON lacks, such as NaN
			value, _ = json.Marshal(fmt.Sprint(kv.Value))
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

package transform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// ParseOverrideKV reads "KEY=TYPE:VALUE" with the types that llama-quantize has
// for --override-kv, and what it makes of them: int is a uint32 of the value's
// magnitude, float a float32, bool is true or false, str a string.
func ParseOverrideKV(s string) (formats.KeyValue, error) {
	key, rest, ok := strings.Cut(s, "=")
	name, text, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || key == "" {
		return formats.KeyValue{}, fmt.Errorf("%q is not KEY=TYPE:VALUE", s)
	}
	kv := formats.KeyValue{Key: key}
	switch name {
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		if n = max(n, -n); err != nil || n > 1<<32-1 {
			return kv, fmt.Errorf("%s: %q is no integer of 32 bits", key, text)
		}
		kv.Value = uint32(n)
	case "float":
		f, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return kv, fmt.Errorf("%s: %q is no number", key, text)
		}
		kv.Value = float32(f)
	case "bool":
		if text != "true" && text != "false" {
			return kv, fmt.Errorf("%s: %q is neither true nor false", key, text)
		}
		kv.Value = text == "true"
	case "str":
		kv.Value = text
	default:
		return kv, fmt.Errorf("%s: the type is %q; it can be int, float, bool or str", key, name)
	}
	return kv, nil
}

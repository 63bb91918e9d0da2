package torch

// What the machine has on its stack is one of: nil, bool, int64, longInt,
// float64, string, byteString, tuple, *list, *dict, element, storageType,
// function, *storage, *tensor, opaque.

// A longInt is an integer of more than 64 bits, as the pickle spells it: two's
// complement, little-endian.
type longInt string

type byteString string

type tuple []any

// A list is a list of Python, or a set.
type list struct{ items []any }

// A dict keeps its entries in the order in which they came.
type dict struct {
	entries []entry
	names   map[string]struct{} // the keys that are strings
	ordered bool                // an OrderedDict, which may have attributes
}

type entry struct{ key, value any }

// set adds an entry. It reports false if the key is a string and there already.
func (d *dict) set(key, value any) bool {
	if s, ok := key.(string); ok {
		if _, ok := d.names[s]; ok {
			return false
		}
		if d.names == nil {
			d.names = make(map[string]struct{})
		}
		d.names[s] = struct{}{}
	}
	d.entries = append(d.entries, entry{key, value})
	return true
}

// get returns the value of a key, or nil.
func (d *dict) get(key string) any {
	for _, e := range d.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// An opaque value is one that has no meaning here, such as a device or a tensor
// of a kind that model files have no words for. It can be passed about and
// ignored, and is named if somebody needs it after all.
type opaque string

// kindOf returns what a value is, as messages say it.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, longInt:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case byteString:
		return "bytes"
	case tuple:
		return "tuple"
	case *list:
		return "list"
	case *dict:
		return "dict"
	case element:
		return "torch." + v.name
	case storageType:
		return "storage class"
	case function:
		return "function"
	case *storage:
		return "storage"
	case *tensor:
		return "tensor"
	case opaque:
		return string(v)
	}
	return "object"
}

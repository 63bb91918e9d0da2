package torch

// What the machine has on its stack is one of: nil, bool, int64, longInt,
// float64, string, byteString, tuple, *list, *dict, element, storageType,
// function, *storage, *tensor, opaque, foreign.

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

// An opaque value is one that has no meaning here, such as a device. It can be
// passed about and is ignored.
type opaque string

// A foreign value is a tensor of a kind that model files have no words for. It
// is no harm in a part of the checkpoint that is left out; as a part of the
// state dict it is an error.
type foreign string

// kindOf returns what a value is, as messages say it: "an int".
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, longInt:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a str"
	case byteString:
		return "a bytes object"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case element:
		return "torch." + v.name
	case storageType:
		return "a storage class"
	case function:
		return "a function"
	case *storage:
		return "a storage"
	case *tensor:
		return "a tensor"
	case opaque:
		return "a " + string(v)
	case foreign:
		return "a " + string(v)
	}
	return "an object"
}

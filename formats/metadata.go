package formats

// A KeyValue is an entry of a file's own metadata. Values of safetensors are
// strings. Values of GGUF are uint8, int8, uint16, int16, uint32, int32,
// uint64, int64, float32, float64, bool, string, or a slice of one of these
// ([]any of slices where arrays are nested).
type KeyValue struct {
	Key   string
	Value any
}

// Metadata is a list of entries in file order. Keys are unique.
type Metadata []KeyValue

// Get returns the value of a key, or nil.
func (m Metadata) Get(key string) any {
	for _, kv := range m {
		if kv.Key == key {
			return kv.Value
		}
	}
	return nil
}

// With returns a copy in which key has the value: in its old place, or at the
// end if it is new.
func (m Metadata) With(key string, value any) Metadata {
	out := make(Metadata, 0, len(m)+1)
	found := false
	for _, kv := range m {
		if kv.Key == key {
			kv.Value, found = value, true
		}
		out = append(out, kv)
	}
	if !found {
		out = append(out, KeyValue{key, value})
	}
	return out
}

// Without returns a copy that lacks the key.
func (m Metadata) Without(key string) Metadata {
	out := make(Metadata, 0, len(m))
	for _, kv := range m {
		if kv.Key != key {
			out = append(out, kv)
		}
	}
	return out
}

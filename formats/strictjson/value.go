package strictjson

import (
	"math/big"
	"slices"
	"strconv"
)

// A Value is null (nil), a bool, a [Number], a string, an [Array] or an *[Object].
type Value any

// A Number is a number in the spelling of its file.
type Number string

// An Array is a list of values.
type Array []Value

// A Member is a key of an object with its value.
type Member struct {
	Key   string
	Value Value
}

// An Object is a list of members in file order, with unique keys.
type Object struct {
	Members []Member
	index   map[string]int // only once there are many
}

// Int returns the number as an int64 if it is spelled as an integer in range.
func (n Number) Int() (i int64, ok bool) {
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// Uint returns the number as a uint64 if it is spelled as an integer in range.
func (n Number) Uint() (u uint64, ok bool) {
	u, err := strconv.ParseUint(string(n), 10, 64)
	return u, err == nil
}

// Float returns the nearest float64.
func (n Number) Float() float64 {
	f, _ := strconv.ParseFloat(string(n), 64) // the syntax is checked; out of range is ±Inf
	return f
}

// IsInteger reports whether the number is spelled without fraction and exponent.
func (n Number) IsInteger() bool {
	_, ok := new(big.Int).SetString(string(n), 10)
	return ok
}

// Float returns the number that a Go float64 is spelled as: the shortest text
// that reads back the same, with a point as Python writes it.
func Float(f float64) Number {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if (Number(s)).IsInteger() {
		s += ".0"
	}
	return Number(s)
}

// Int returns the number that an int is spelled as.
func Int[T ~int | ~int64](i T) Number { return Number(strconv.FormatInt(int64(i), 10)) }

const indexFrom = 16 // members; a scan is as fast below

// Lookup returns the value of a key; ok is false if there is none. It may be
// called on nil, which has no keys.
func (o *Object) Lookup(key string) (v Value, ok bool) {
	if o == nil {
		return nil, false
	}
	if o.index != nil {
		i, ok := o.index[key]
		if !ok {
			return nil, false
		}
		return o.Members[i].Value, true
	}
	for i := range o.Members {
		if o.Members[i].Key == key {
			return o.Members[i].Value, true
		}
	}
	return nil, false
}

// Get returns the value of a key, or nil.
func (o *Object) Get(key string) Value {
	v, _ := o.Lookup(key)
	return v
}

// Has reports whether there is such a key, even if its value is null.
func (o *Object) Has(key string) bool {
	_, ok := o.Lookup(key)
	return ok
}

// Object returns the value of a key if it is an object, or nil.
func (o *Object) Object(key string) *Object {
	v, _ := o.Get(key).(*Object)
	return v
}

// Array returns the value of a key if it is an array, or nil.
func (o *Object) Array(key string) Array {
	v, _ := o.Get(key).(Array)
	return v
}

// String returns the value of a key if it is a string, or "".
func (o *Object) String(key string) string {
	v, _ := o.Get(key).(string)
	return v
}

// Bool returns the value of a key if it is a bool, or false.
func (o *Object) Bool(key string) bool {
	v, _ := o.Get(key).(bool)
	return v
}

// Int returns the value of a key if it is an integer.
func (o *Object) Int(key string) (i int64, ok bool) {
	n, _ := o.Get(key).(Number)
	return n.Int()
}

// Float returns the value of a key if it is a number.
func (o *Object) Float(key string) (f float64, ok bool) {
	n, ok := o.Get(key).(Number)
	return n.Float(), ok
}

// Set gives the key a value: in its old place, or at the end if it is new.
func (o *Object) Set(key string, v Value) {
	for i := range o.Members {
		if o.Members[i].Key == key {
			o.Members[i].Value = v
			return
		}
	}
	o.add(key, v)
}

// Delete removes a key, if it is there.
func (o *Object) Delete(key string) {
	o.Members = slices.DeleteFunc(o.Members, func(m Member) bool { return m.Key == key })
	o.index = nil
	o.reindex()
}

// add appends a member whose key is new, and reports whether it is.
func (o *Object) add(key string, v Value) bool {
	if o.Has(key) {
		return false
	}
	o.Members = append(o.Members, Member{key, v})
	if o.index != nil {
		o.index[key] = len(o.Members) - 1
	} else {
		o.reindex()
	}
	return true
}

func (o *Object) reindex() {
	if len(o.Members) < indexFrom {
		return
	}
	o.index = make(map[string]int, 2*len(o.Members))
	for i, m := range o.Members {
		o.index[m.Key] = i
	}
}

// Clone returns a deep copy of v.
func Clone(v Value) Value {
	switch v := v.(type) {
	case Array:
		out := make(Array, len(v))
		for i := range v {
			out[i] = Clone(v[i])
		}
		return out
	case *Object:
		out := &Object{Members: make([]Member, len(v.Members))}
		for i, m := range v.Members {
			out.Members[i] = Member{m.Key, Clone(m.Value)}
		}
		out.reindex()
		return out
	}
	return v
}

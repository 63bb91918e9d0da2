package strictjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestParseKeepsOrderAndSpelling(t *testing.T) {
	text := `{"z":1.50,"a":[true,null,-0,1e5,"\u00e9\ud83d\ude00\n"],"m":{"z":{},"a":[]}}`
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"z":1.50,"a":[true,null,-0,1e5,"é😀\n"],"m":{"z":{},"a":[]}}`
	if got := string(Append(nil, v)); got != want {
		t.Errorf("Append(Parse(%s)) = %s, want %s", text, got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		msg    string
	}{
		{``, 0, "the text ends where a value was expected"},
		{` {}`, 0, "' ' where a value was expected"},
		{"\ufeff{}", 0, "where a value was expected"},
		{`{} x`, 3, "text after the value"},
		{`{"a":1,"a":2}`, 7, `key "a" appears twice`},
		{`{"a":1,"\u0061":2}`, 7, `key "a" appears twice`},
		{`{"a":1,}`, 7, "where a key was expected"},
		{`[1,]`, 3, "where a value was expected"},
		{`{"a" 1}`, 5, `where ':' was expected`},
		{`{'a':1}`, 1, "where a key was expected"},
		{`[01]`, 2, `where ',' was expected`},
		{`[1.]`, 3, "where a digit was expected"},
		{`[.5]`, 1, "where a value was expected"},
		{`[1e]`, 3, "where a digit was expected"},
		{`[+1]`, 1, "where a value was expected"},
		{`[NaN]`, 1, "where a value was expected"},
		{`[-Infinity]`, 2, "where a digit was expected"},
		{`[tru]`, 1, "where a value was expected"},
		{"\"a\nb\"", 2, "control character 0x0a in a string"},
		{"\"\xff\"", 1, "invalid UTF-8"},
		{"\"é\xc3\"", 3, "invalid UTF-8"},
		{`"\ud800"`, 7, "lone surrogate"},
		{`"\ud800\u0041"`, 13, "lone surrogate"},
		{`"\x41"`, 2, "bad escape"},
		{`"\u12g4"`, 3, "bad escape"},
		{`"abc`, 4, "the text ends where a closing quote was expected"},
		{strings.Repeat("[", 65), 64, "nested more than 64 deep"},
		{strings.Repeat(`{"a":`, 20000), 64 * 5, "nested more than 64 deep"},
	} {
		_, err := Parse([]byte(c.text))
		e, ok := err.(*SyntaxError)
		if !ok || e.Offset != c.offset || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("Parse(%.40q) = %v, want %q at byte %d", c.text, err, c.msg, c.offset)
		}
	}
}

func TestParsePython(t *testing.T) {
	v, err := ParsePython([]byte(" \n[NaN, Infinity, -Infinity]\n"))
	if want := (Array{Number("NaN"), Number("Infinity"), Number("-Infinity")}); err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("got %v, %v, want %v", v, err, want)
	}
}

func TestFormat(t *testing.T) {
	v, err := Parse([]byte(`{"a":[1,"x"],"b":{},"c":[],"d":{"e":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "a": [
    1,
    "x"
  ],
  "b": {},
  "c": [],
  "d": {
    "e": null
  }
}
`
	if got := string(Format(v)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestObject(t *testing.T) {
	o := &Object{}
	for i := range 40 { // more than indexFrom, so that both ways of looking up are used
		o.Set(strings.Repeat("k", i+1), Int(i))
		if n, ok := o.Int(strings.Repeat("k", i/2+1)); !ok || n != int64(i/2) {
			t.Fatalf("with %d keys: key %d = %d, %v", i+1, i/2, n, ok)
		}
	}
	o.Set("k", "first")
	o.Delete("kk")
	if o.Members[0].Value != "first" || o.Has("kk") || len(o.Members) != 39 {
		t.Errorf("Set or Delete went wrong: %v", o.Members[:3])
	}
	if n, ok := o.Int("kkk"); !ok || n != 2 {
		t.Errorf("after Delete, key 2 = %d, %v", n, ok)
	}
	c := Clone(o).(*Object)
	c.Set("k", "changed")
	if o.String("k") != "first" {
		t.Error("a change of a clone reached the original")
	}
}

func TestFloat(t *testing.T) {
	for f, want := range map[float64]Number{1: "1.0", 0.1: "0.1", 1e30: "1e+30", -3: "-3.0"} {
		if got := Float(f); got != want {
			t.Errorf("Float(%v) = %s, want %s", f, got, want)
		}
	}
}

// FuzzParse compares with encoding/json: what is accepted here, it accepts too
// and reads the same, and what it refuses is refused here.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,true,null,"\u00e9\ud83d\ude00"]}`, `[]`, `"x"`, ` 1`, `{"a":1,"a":2}`, `[[[[`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted %q, which is no JSON", data)
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		if got := plain(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		again, err := Parse(Append(nil, v))
		if err != nil || !reflect.DeepEqual(plain(again), plain(v)) {
			t.Fatalf("does not survive Append: %v, %v", again, err)
		}
		if _, err := Parse(bytes.TrimSpace(Format(v))); err != nil {
			t.Fatalf("does not survive Format: %v", err)
		}
	})
}

// plain converts a value to what encoding/json makes of it.
func plain(v Value) any {
	switch v := v.(type) {
	case Number:
		return json.Number(v)
	case Array:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case *Object:
		out := map[string]any{}
		for _, m := range v.Members {
			out[m.Key] = plain(m.Value)
		}
		return out
	}
	return v
}

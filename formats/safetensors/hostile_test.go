package safetensors_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// A refusal is a file that is broken, with what is said of it.
type refusal struct {
	data   string
	kind   error
	reason string
	passes string // who reads it all the same: R the reference parser (version 0.8.0), S the other implementation in Go
}

func refusals() map[string]refusal {
	one := func(shape, offsets, data string) string {
		return file(`{"a":{"dtype":"F32","shape":`+shape+`,"data_offsets":`+offsets+`}}`, data)
	}
	entry := func(name, offsets string) string {
		return `"` + name + `":{"dtype":"U8","shape":[2],"data_offsets":` + offsets + `}`
	}
	return map[string]refusal{
		"shorter than a length":   {"\x02\x00\x00\x00\x00\x00\x00", formats.ErrFormat, "not a model file", ""},
		"no header":               {file("", ""), formats.ErrFormat, "begins with zeros", ""},
		"header beyond the file":  {file("{}", "")[:9], formats.ErrTruncated, "cut off", ""},
		"header of 2^63":          {"\xff\xff\xff\xff\xff\xff\xff\x7f{}", formats.ErrFormat, "not a model file", ""},
		"header of 100000001":     {"\x01\xe1\xf5\x05\x00\x00\x00\x00{}", formats.ErrFormat, "more than the 100000000", ""},
		"leading space":           {file(` {}`, ""), formats.ErrFormat, "does not begin with {", "RS"},
		"leading tab":             {file("\t{}", ""), formats.ErrFormat, "not a model file", "RS"},
		"array":                   {file(`[]`, ""), formats.ErrFormat, "not a model file", ""},
		"byte order mark":         {file("\ufeff{}", ""), formats.ErrFormat, "not a model file", ""},
		"NUL padding":             {file("{}\x00", ""), formats.ErrFormat, "text after the value at byte 2", ""},
		"second value":            {file(`{}{}`, ""), formats.ErrFormat, "text after the value", ""},
		"cut JSON":                {file(`{"a":`, ""), formats.ErrFormat, "JSON", ""},
		"trailing comma":          {file(`{"__metadata__":{},}`, ""), formats.ErrFormat, "JSON", ""},
		"single quotes":           {file(`{'__metadata__':{}}`, ""), formats.ErrFormat, "JSON", ""},
		"comment":                 {file(`{/**/}`, ""), formats.ErrFormat, "JSON", ""},
		"invalid UTF-8":           {file("{\"__metadata__\":{\"a\":\"\xff\"}}", ""), formats.ErrFormat, "UTF-8", "S"},
		"lone surrogate":          {file(`{"__metadata__":{"a":"\ud800"}}`, ""), formats.ErrFormat, "surrogate", "S"},
		"control character":       {file("{\"__metadata__\":{\"a\":\"\x01\"}}", ""), formats.ErrFormat, "control character", ""},
		"deep nesting":            {file(`{"a":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`}`, ""), formats.ErrFormat, "nested more than", ""},
		"metadata that is a list": {file(`{"__metadata__":[]}`, ""), formats.ErrFormat, "__metadata__ is not an object", ""},
		"metadata with a number":  {file(`{"__metadata__":{"a":1}}`, ""), formats.ErrFormat, "is not a string", ""},
		"metadata with an object": {file(`{"__metadata__":{"a":{}}}`, ""), formats.ErrFormat, "is not a string", ""},
		"metadata twice":          {file(`{"__metadata__":{},"__metadata__":{}}`, ""), formats.ErrFormat, "appears twice", "S"},
		"metadata key twice":      {file(`{"__metadata__":{"a":"1","a":"2"}}`, ""), formats.ErrFormat, "appears twice", "RS"},

		"name twice, same bytes":   {file(`{`+entry("a", "[0,2]")+`,`+entry("a", "[0,2]")+`}`, "12"), formats.ErrFormat, "appears twice", "RS"},
		"name twice, other bytes":  {file(`{`+entry("a", "[0,2]")+`,`+entry("a", "[2,4]")+`}`, "1234"), formats.ErrFormat, "appears twice", ""},
		"name twice, once escaped": {file(`{`+entry("a", "[0,2]")+`,`+entry(`\u0061`, "[0,2]")+`}`, "12"), formats.ErrFormat, "appears twice", "RS"},
		"key of an entry twice":    {file(`{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, "1"), formats.ErrFormat, "appears twice", "S"},
		"two names, same bytes":    {file(`{`+entry("a", "[0,2]")+`,`+entry("b", "[0,2]")+`}`, "12"), formats.ErrFormat, "shares bytes with", ""},
		"overlap":                  {file(`{`+entry("a", "[0,2]")+`,`+entry("b", "[1,3]")+`}`, "123"), formats.ErrFormat, "shares bytes with", ""},
		"hole":                     {file(`{`+entry("a", "[0,2]")+`,`+entry("b", "[3,5]")+`}`, "12345"), formats.ErrFormat, "nobody owns the 1 bytes before", ""},
		"leading gap":              {file(`{`+entry("a", "[1,3]")+`}`, "123"), formats.ErrFormat, "nobody owns the 1 bytes before", ""},
		"bytes behind":             {file(`{`+entry("a", "[0,2]")+`}`, "123"), formats.ErrFormat, "1 bytes follow the last tensor", ""},
		"bytes without tensors":    {file(`{}`, "1"), formats.ErrFormat, "1 bytes follow the last tensor", ""},
		"truncated data":           {file(`{`+entry("a", "[0,2]")+`}`, "1"), formats.ErrTruncated, "cut off", ""},
		"empty tensor elsewhere":   {file(`{`+entry("a", "[0,2]")+`,"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`, "12"), formats.ErrFormat, "shares bytes with", ""},
		"reversed offsets":         {one(`[1]`, `[4,0]`, ""), formats.ErrFormat, "bytes of data", ""},
		"empty, offsets reversed":  {one(`[0]`, `[4,0]`, ""), formats.ErrFormat, "bytes of data", ""},
		"size that does not fit":   {one(`[2]`, `[0,4]`, "1234"), formats.ErrFormat, "it has 4 bytes of data, but F32 [2] takes 8", ""},
		"shape that wraps to 0":    {one(`[4294967296,4294967296]`, `[0,0]`, ""), formats.ErrFormat, "too large", ""},
		"shape that wraps to 4":    {one(`[4611686018427387905]`, `[0,4]`, "1234"), formats.ErrFormat, "", ""},
		"empty behind an overflow": {one(`[4294967296,4294967296,0]`, `[0,0]`, ""), formats.ErrFormat, "too large", ""},
		"dimension of 2^64":        {one(`[18446744073709551616]`, `[0,0]`, ""), formats.ErrFormat, "is not a size", ""},
		"negative dimension":       {one(`[-1]`, `[0,4]`, "1234"), formats.ErrFormat, "is not a size", ""},
		"dimension -0":             {one(`[-0]`, `[0,0]`, ""), formats.ErrFormat, "is not a size", ""},
		"dimension 1.0":            {one(`[1.0]`, `[0,4]`, "1234"), formats.ErrFormat, "is not a size", ""},
		"dimension 1e0":            {one(`[1e0]`, `[0,4]`, "1234"), formats.ErrFormat, "is not a size", ""},
		"dimension 01":             {one(`[01]`, `[0,4]`, "1234"), formats.ErrFormat, "JSON", ""},
		"dimension that is text":   {one(`["1"]`, `[0,4]`, "1234"), formats.ErrFormat, "is not a size", ""},
		"shape that is null":       {one(`null`, `[0,4]`, "1234"), formats.ErrFormat, "no shape", ""},
		"shape that is a number":   {one(`1`, `[0,4]`, "1234"), formats.ErrFormat, "no shape", ""},
		"three offsets":            {one(`[1]`, `[0,4,4]`, "1234"), formats.ErrFormat, "not two numbers", ""},
		"one offset":               {one(`[1]`, `[4]`, "1234"), formats.ErrFormat, "not two numbers", ""},
		"negative offset":          {one(`[1]`, `[-4,0]`, "1234"), formats.ErrFormat, "not two sizes", ""},
		"huge offsets":             {one(`[1]`, `[18446744073709551612,18446744073709551616]`, "1234"), formats.ErrFormat, "not two sizes", ""},
		"wrapping offsets":         {one(`[1]`, `[9223372036854775807,3]`, "1234"), formats.ErrFormat, "not two sizes", ""},
		"no offsets":               {file(`{"a":{"dtype":"F32","shape":[1]}}`, "1234"), formats.ErrFormat, "not two numbers", ""},
		"no dtype":                 {file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, "1234"), formats.ErrFormat, "unknown dtype", ""},
		"no shape":                 {file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, "1234"), formats.ErrFormat, "no shape", ""},
		"unknown dtype":            {file(`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`, "1234"), formats.ErrFormat, `unknown dtype "F33"`, ""},
		"dtype in lower case":      {file(`{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, "1234"), formats.ErrFormat, "unknown dtype", ""},
		"dtype of ggml":            {file(`{"a":{"dtype":"Q8_0","shape":[32],"data_offsets":[0,34]}}`, strings.Repeat("1", 34)), formats.ErrFormat, "unknown dtype", ""},
		"keys in other case":       {file(`{"a":{"DTYPE":"F32","Shape":[1],"Data_Offsets":[0,4]}}`, "1234"), formats.ErrFormat, "unknown dtype", ""},
		"half a byte":              {file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, "12"), formats.ErrFormat, "whole blocks", ""},
		"tensor that is a list":    {file(`{"a":[]}`, ""), formats.ErrFormat, "not an object", ""},
		"tensor that is null":      {file(`{"a":null}`, ""), formats.ErrFormat, "not an object", ""},
		"git-lfs pointer":          {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", formats.ErrFormat, "git-lfs pointer", ""},
		"HTML":                     {"<!DOCTYPE html><html></html>", formats.ErrFormat, "HTML page", ""},
		"empty file":               {"", formats.ErrTruncated, "empty", ""},
	}
}

// TestRefuses checks the reasons, and that nothing is allocated by a number
// that is only claimed. What the reference parser does is in the list of its
// verdicts, see TestVerdicts.
func TestRefuses(t *testing.T) {
	reference := readVerdicts(t).Refusals
	for name, c := range refusals() {
		t.Run(name, func(t *testing.T) {
			if got, want := reference[name] != "", strings.Contains(c.passes, "R"); got != want {
				t.Errorf("the reference parser reads it: %v, want %v", got, want)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := openBytes(c.data)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.reason) || !strings.HasPrefix(fmt.Sprint(err), "hostile.safetensors: ") {
				t.Errorf("error %v, want %q with %q", err, c.kind, c.reason)
			}
			if got, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+10*len(c.data)); got > most {
				t.Errorf("a file of %d bytes made it allocate %d", len(c.data), got)
			}
			_, err = readSecond(c.data)
			if got, want := err == nil, strings.Contains(c.passes, "S"); got != want {
				t.Errorf("the other reader says %v", err)
			}
		})
	}
}

// TestHeaderBomb has as many tensors as a header can describe.
func TestHeaderBomb(t *testing.T) {
	const n = 200_000
	var header strings.Builder
	header.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&header, `"%d":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]},`, i, i, i+1)
	}
	text := strings.TrimSuffix(header.String(), ",") + "}"
	data := file(text, strings.Repeat("x", n))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := openBytes(data)
	runtime.ReadMemStats(&after)
	if err != nil || len(m.Tensors) != n {
		t.Fatal(err)
	}
	// The header is held once, and a tensor takes what its parts take.
	if got := after.TotalAlloc - before.TotalAlloc; got > 40*uint64(len(text)) {
		t.Errorf("a header of %d bytes made it allocate %d", len(text), got)
	}
}

// tryToRead opens a file and reads it. It fails the test if an error is of no
// known kind, and if the other reader has another view of what is read.
func tryToRead(t *testing.T, data string) (opened bool) {
	t.Helper()
	m, err := openBytes(data)
	if err != nil {
		known := errors.Is(err, formats.ErrFormat) || errors.Is(err, formats.ErrTruncated)
		if _, ok := errors.AsType[*formats.Error](err); !ok || !known || len(err.Error()) > 2000+len(data) {
			t.Errorf("an error of an unknown kind: %v", err)
		}
		return false
	}
	for _, x := range m.Tensors {
		b := make([]byte, x.NumBytes())
		if err := x.ReadRows(t.Context(), b, 0, x.NumRows()); err != nil {
			t.Errorf("%q was opened and can't be read: %v", x.Name, err)
		}
	}
	return true
}

func referenceFile(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, "reference.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEveryPrefixIsAnError cuts the reference's file after every byte.
func TestEveryPrefixIsAnError(t *testing.T) {
	data := referenceFile(t)
	for n := range len(data) {
		if tryToRead(t, data[:n]) {
			t.Errorf("the first %d of %d bytes are read as a model", n, len(data))
		}
	}
}

// TestFailingReads has every read of a file fail once.
func TestFailingReads(t *testing.T) { formatstest.Sweep(t, referenceFile(t)) }

// TestEveryFlippedBit turns every bit of the length and the header.
func TestEveryFlippedBit(t *testing.T) {
	data := []byte(referenceFile(t))
	n := 8 + int(binary.LittleEndian.Uint64(data))
	for i := range n {
		for bit := range 8 {
			data[i] ^= 1 << bit
			if tryToRead(t, string(data)) {
				compareReaders(t, string(data))
			}
			data[i] ^= 1 << bit
		}
	}
}

// FuzzOpen gives any bytes to both readers: what is read here must be read
// there, and alike.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(referenceFile(f)))
	f.Add([]byte(file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}`, "12345")))
	f.Add([]byte(file(`{"__metadata__":{"a":"b"},"":{"dtype":"F16","shape":[0,2],"data_offsets":[0,0]}} `, "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if tryToRead(t, string(data)) {
			compareReaders(t, string(data))
		}
	})
}

// FuzzHeader gives any text as header to both readers.
func FuzzHeader(f *testing.F) {
	header, data := split(referenceFile(f))
	f.Add(header, data)
	f.Add(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}`, "12345")
	f.Fuzz(func(t *testing.T, header, data string) {
		if f := file(header, data); tryToRead(t, f) {
			compareReaders(t, f)
		}
	})
}

// split returns the parts of a file.
func split(file string) (header, data string) {
	n := 8 + binary.LittleEndian.Uint64([]byte(file))
	return file[8:n], file[n:]
}

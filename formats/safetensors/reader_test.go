package safetensors_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
	"github.com/loratool/loratool/formats/safetensors"
)

const testdata = "../../testdata/safetensors"

func openReference(t *testing.T) *formats.Model {
	t.Helper()
	m, err := formats.Open(filepath.Join(testdata, "reference.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestReadsWhatTheReferenceWrites compares with the digests that
// testdata/safetensors/make.py took before it wrote the file.
func TestReadsWhatTheReferenceWrites(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testdata, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Tensors map[string]struct {
			DType, SHA256 string
			Shape         []int
		}
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	m := openReference(t)
	formatstest.Check(t, m)
	if len(m.Tensors) != len(expected.Tensors) {
		t.Errorf("%d tensors, want %d", len(m.Tensors), len(expected.Tensors))
	}
	for name, w := range expected.Tensors {
		x := m.Tensor(name)
		if x == nil {
			t.Errorf("%q is missing", name)
			continue
		}
		b := make([]byte, x.NumBytes())
		if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
			t.Error(err)
		}
		sum := sha256.Sum256(b)
		if x.DType.String() != w.DType || !slices.Equal(x.Shape, w.Shape) || hex.EncodeToString(sum[:]) != w.SHA256 {
			t.Errorf("%q is %v with digest %x, want %v %v with digest %s", name, &x.Info, sum, w.DType, w.Shape, w.SHA256)
		}
	}
	want := formats.Metadata{{Key: "format", Value: "pt"}, {Key: "note", Value: "ä \" \n <&>"}}
	if !slices.Equal(m.Metadata, want) {
		t.Errorf("metadata %v, want %v", m.Metadata, want)
	}
}

// TestWritesWhatTheReferenceWrites writes the reference's file again: the same
// bytes, but for the padding of the header, which is to a multiple of 64 here
// and of 8 there.
func TestWritesWhatTheReferenceWrites(t *testing.T) {
	m := openReference(t)
	l, err := safetensors.Layout(m)
	if err != nil {
		t.Fatal(err)
	}
	got := formatstest.Bytes(t, l.Files[0])
	want, err := os.ReadFile(filepath.Join(testdata, "reference.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	gotHeader, gotData := split(string(got))
	wantHeader, wantData := split(string(want))
	if strings.TrimRight(gotHeader, " ") != strings.TrimRight(wantHeader, " ") {
		t.Errorf("header\n%s\nwant\n%s", gotHeader, wantHeader)
	}
	if gotData != wantData {
		t.Error("the data differ")
	}
}

// TestRandomModelsSurvive writes models and reads them again, with the other
// implementation too as far as it can.
func TestRandomModelsSurvive(t *testing.T) {
	for seed := range uint64(100) {
		m := formatstest.Random(rand.New(rand.NewPCG(seed, 1)), int(seed))
		l, err := safetensors.Layout(m)
		if err != nil {
			t.Fatal(err)
		}
		data := string(formatstest.Bytes(t, l.Files[0]))
		again, err := openBytes(data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		formatstest.Same(t, again, m)
		if !slices.Equal(again.Metadata, m.Metadata) {
			t.Errorf("seed %d: metadata %v, want %v", seed, again.Metadata, m.Metadata)
		}
		if seed%10 == 0 {
			formatstest.Check(t, again)
		}
		compareReaders(t, data)
		for _, x := range again.Tensors {
			if size := int64(x.DType.BlockBytes()); x.Extent().Offset%size != 0 {
				t.Errorf("seed %d: %q, %v, lies at byte %d", seed, x.Name, &x.Info, x.Extent().Offset)
			}
		}
	}
}

// TestReadsOddFiles has what the reference accepts although it is unusual.
func TestReadsOddFiles(t *testing.T) {
	for name, data := range map[string]string{
		"no tensors":              file(`{}`, ""),
		"only metadata":           file(`{"__metadata__":{"a":"b"}}`, ""),
		"null metadata":           file(`{"__metadata__":null}`, ""),
		"misaligned data":         file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}}`, "123456789"),
		"header of odd length":    file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} `, "1234"),
		"padding":                 file("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}\t\n\r  ", "1"),
		"space between":           file(`{ "a" : { "dtype" : "U8" , "shape" : [ 1 ] , "data_offsets" : [ 0 , 1 ] } }`, "1"),
		"other order of keys":     file(`{"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}`, "1"),
		"other order of tensors":  file(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "12"),
		"unknown keys":            file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":{"x":[null,true,1.5e3]}}}`, "1"),
		"scalar":                  file(`{"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}`, "12"),
		"empty tensors":           file(`{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"c":{"dtype":"F16","shape":[5,0],"data_offsets":[2,2]}}`, "12"),
		"empty name":              file(`{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"),
		"escaped name":            file(`{"\u0061\n\ud83d\ude00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"),
		"escaped key":             file(`{"a":{"d\u0074ype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"),
		"four bits an element":    file(`{"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}}`, "123"),
		"rows of three nibbles":   file(`{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}`, "123"),
		"six bits an element":     file(`{"a":{"dtype":"F6_E2M3","shape":[8],"data_offsets":[0,6]}}`, "123456"),
		"many dimensions":         file(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("1,", 99)+`1],"data_offsets":[0,1]}}`, "1"),
		"metadata named a tensor": file(`{"__metadata__":{"dtype":"U8"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := openBytes(data)
			if err != nil {
				t.Fatal(err)
			}
			formatstest.Check(t, m)
			compareReaders(t, data)
		})
	}
}

package recipe

import (
	"errors"
	"slices"
	"testing"

	"github.com/loratool/loratool/formats"
)

func TestParseOverride(t *testing.T) {
	for _, test := range []struct {
		text, name string
		dtype      formats.DType
		matches    bool
	}{
		{"ffn_down=q8_0", "blk.1.ffn_down.weight", formats.Q8_0, true},
		{"FFN_Down=Q8_0", "blk.1.ffn_down.weight", formats.Q8_0, true},
		{"^ffn=q4_k", "blk.1.ffn_down.weight", formats.Q4_K, false},
		{`\.(1|5)\.=bf16`, "blk.5.ffn_down.weight", formats.BF16, true},
		{`a=b=iq4_nl`, "a=b", formats.IQ4_NL, true},
		// Made lower-case, \S is \s, and there is no space in the name.
		{`blk\S=f16`, "blk.1", formats.F16, false},
		{`blk\D1=f16`, "blk51", formats.F16, true},
	} {
		v, err := ParseOverride(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if v.DType != test.dtype || v.pattern.MatchString(test.name) != test.matches {
			t.Errorf("%s: %v, matches %s: %v", test.text, v.DType, test.name, !test.matches)
		}
	}
	for _, bad := range []string{"", "a", "=q8_0", "a=", "a=q9", "a=I8", "a=q8_k", "(=q8_0", "(?=a)=q8_0", `(a)\1=q8_0`} {
		if _, err := ParseOverride(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParseFType(t *testing.T) {
	for name, want := range map[string]string{
		"q4_k_m": "Q4_K_M", "Q4_K": "Q4_K_M", "15": "Q4_K_M", "0": "F32", "copy": "COPY", "mxfp4_moe": "MXFP4_MOE",
	} {
		if f, ok := ParseFType(name); !ok || f.String() != want {
			t.Errorf("ParseFType(%q) = %v, %v, want %s", name, f, ok, want)
		}
	}
	for _, bad := range []string{"", "4", "33", "NVFP4", "-1", "Q4_K_X"} {
		if f, ok := ParseFType(bad); ok {
			t.Errorf("ParseFType(%q) = %v", bad, f)
		}
	}
}

func TestArchitectureOf(t *testing.T) {
	md := formats.Metadata{
		{Key: "general.architecture", Value: "x"},
		{Key: "x.block_count", Value: uint32(3)},
		{Key: "x.attention.head_count", Value: []int32{8, 4, 8}},
		{Key: "x.expert_count", Value: uint64(1 << 63)}, // nonsense
	}
	if got, want := ArchitectureOf(md, nil), (Architecture{"x", 3, 8, 8, 0}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Nothing is said: layers are counted, and the rest is that of a dense model.
	tensors := []formats.Info{{Name: "blk.6.a.weight"}, {Name: "blk.x.a"}, {Name: "b"}}
	if got, want := ArchitectureOf(nil, tensors), (Architecture{Layers: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCompare(t *testing.T) {
	names := []string{"token_embd.weight", "blk.10.a", "blk.2.b", "output.weight", "blk.2.a", "blk.x"}
	slices.SortFunc(names, Compare)
	want := []string{"blk.x", "output.weight", "token_embd.weight", "blk.2.a", "blk.2.b", "blk.10.a"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// Some formats have no other to take their place, and experts must say in which
// layer they are.
func TestChooseFails(t *testing.T) {
	q1, _ := ParseFType("Q1_0")
	tensors := []formats.Info{{Name: "a.weight", DType: formats.F16, Shape: []int{2, 96}}}
	if _, err := Choose(tensors, Architecture{}, Options{FType: q1}); !errors.Is(err, formats.ErrUnsupported) {
		t.Errorf("Q1_0 of rows of 96: %v", err)
	}
	tensors = []formats.Info{{Name: "ffn_down_exps.weight", DType: formats.F16, Shape: []int{8, 2, 256}}}
	if _, err := Choose(tensors, Architecture{Layers: 1, Experts: 8}, Options{FType: Q4_K_M}); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("experts of no layer: %v", err)
	}
}

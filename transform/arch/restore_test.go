package arch

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
)

// TestFromGGUF takes each golden to GGUF and back: every tensor must have its bytes
// again, and the restored checkpoint must convert to the same file as the first
// one did, which says that configuration and tokenizer are whole.
func TestFromGGUF(t *testing.T) {
	eachGolden(t, func(t *testing.T, g *golden) {
		m := g.open(t)
		for _, typ := range []Type{F32, sourceType(m)} {
			first, err := ToGGUF(m, Options{Type: typ, Pre: g.Pre})
			if err != nil {
				t.Fatal(err)
			}
			restored, err := FromGGUF(first, types[sourceType(m)].dtype)
			if err != nil {
				t.Fatal(err)
			}
			restored.Path = m.Path // which names the model
			checkRestored(t, m, restored)
			second, err := ToGGUF(restored, Options{Type: typ, Pre: g.Pre})
			if err != nil {
				t.Fatal(err)
			}
			want, got := describe(t, first), describe(t, second)
			normalizeRestored(&want)
			normalizeRestored(&got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("converted again (-first +second):\n%s", diff)
			}
		}
	})
}

// sourceType returns the type that keeps a checkpoint's precision.
func sourceType(m *formats.Model) Type {
	for _, t := range m.Tensors {
		for typ := F32; typ <= BF16; typ++ {
			if len(t.Shape) > 1 && types[typ].dtype == t.DType {
				return typ
			}
		}
	}
	return F32
}

// checkRestored compares the tensors with those of the original. Those that GGUF
// does not have are not expected.
func checkRestored(t *testing.T, original, restored *formats.Model) {
	t.Helper()
	c, err := readConfig(original)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ForClass(c.class())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*formats.Tensor{} // without what may stand in front
	for _, x := range restored.Tensors {
		byName[a.plainName(x.Name)] = x
	}
	count := 0
	for _, want := range original.Tensors {
		if a.isIgnored(a.plainName(want.Name)) || want.Name == "lm_head.weight" && c.get("tie_word_embeddings") == true {
			continue
		}
		count++
		got := byName[a.plainName(want.Name)]
		if got == nil {
			t.Errorf("%s is missing", want.Name)
			continue
		}
		if !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s has the shape %v, want %v", want.Name, got.Shape, want.Shape)
			continue
		}
		if got.DType != want.DType && strings.HasSuffix(want.Name, "e_score_correction_bias") {
			if !slices.Equal(floatsOf(t, got), floatsOf(t, want)) {
				t.Errorf("%s differs", want.Name)
			}
			continue
		}
		if got.DType != want.DType || sum(readAll(t, got)) != sum(readAll(t, want)) {
			t.Errorf("%s, %v, differs; want %v", want.Name, got.DType, want.DType)
		}
	}
	if len(restored.Tensors) != count {
		t.Errorf("%d tensors, want %d", len(restored.Tensors), count)
	}
}

func floatsOf(t *testing.T, x *formats.Tensor) []float32 {
	t.Helper()
	out := make([]float32, x.NumElements())
	if err := x.ReadFloats(context.Background(), out, 0, x.NumRows()); err != nil {
		t.Fatal(err)
	}
	return out
}

// normalizeRestored forgets the order of key-values and tensors, which followed a
// source that GGUF does not tell, and what comes from the model card.
func normalizeRestored(d *description) {
	d.KV = slices.DeleteFunc(d.KV, func(k describedKey) bool {
		return strings.HasPrefix(k.Key, "general.") && !strings.HasPrefix(k.Key, "general.sampling.") && k.Key != fileTypeKey && k.Key != "general.architecture"
	})
	slices.SortFunc(d.KV, func(a, b describedKey) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(d.Tensors, func(a, b describedTensor) int { return strings.Compare(a.Name, b.Name) })
}

package recipe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// mixGolden is a published model, and what llama.cpp chooses for its tensors.
type mixGolden struct {
	Hparams struct {
		Architecture string
		NLayer       int `json:"n_layer"`
		NHead        int `json:"n_head"`
		NHeadKV      int `json:"n_head_kv"`
		NExpert      int `json:"n_expert"`
	}
	Tensors     [][2]any // name, shape, innermost dimension first
	Quantizable []string // in the order of processing
	Expected    map[string]struct {
		Default string
		Other   map[string][]int // format to indices into Quantizable
	}
}

func TestChooseForPublishedModels(t *testing.T) {
	files, err := filepath.Glob("../../testdata/gguf/mix/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no models: %v", err)
	}
	cases := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var g mixGolden
		if err := json.Unmarshal(data, &g); err != nil {
			t.Fatal(err)
		}
		tensors := g.infos()
		arch := Architecture{g.Hparams.Architecture, g.Hparams.NLayer, g.Hparams.NHead, g.Hparams.NHeadKV, g.Hparams.NExpert}
		for ftype := range g.Expected {
			cases++
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+ftype, func(t *testing.T) {
				f, ok := ParseFType(ftype)
				if !ok {
					t.Fatalf("%s is unknown", ftype)
				}
				g.check(t, tensors, arch, f)
			})
		}
	}
	t.Logf("%d cases", cases)
}

// infos returns the tensors in the order of processing.
func (g *mixGolden) infos() []formats.Info {
	var out []formats.Info
	for _, x := range g.Tensors {
		info := formats.Info{Name: x[0].(string), DType: formats.Q8_1} // a format that nothing becomes
		for _, d := range x[1].([]any) {
			info.Shape = append(info.Shape, int(d.(float64)))
		}
		slices.Reverse(info.Shape)
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b formats.Info) int { return Compare(a.Name, b.Name) })
	return out
}

func (g *mixGolden) check(t *testing.T, tensors []formats.Info, arch Architecture, f FType) {
	choices, err := Choose(tensors, arch, Options{FType: f})
	if err != nil {
		t.Fatal(err)
	}
	expected := g.Expected[f.String()]
	want := map[string]string{}
	for _, name := range g.Quantizable {
		want[name] = expected.Default
	}
	for d, indices := range expected.Other {
		for _, i := range indices {
			want[g.Quantizable[i]] = d
		}
	}
	order, wrong := 0, 0
	for i, c := range choices {
		name := tensors[i].Name
		w, quantizable := want[name]
		if quantizable {
			if g.Quantizable[order] != name {
				t.Fatalf("tensor %d to quantize is %s, want %s", order, name, g.Quantizable[order])
			}
			order++
		}
		if c.Kept == quantizable || quantizable && c.DType.String() != strings.ToUpper(w) {
			if wrong++; wrong <= 5 {
				t.Errorf("%s becomes %v (kept: %v), want %s", name, c.DType, c.Kept, w)
			}
		}
	}
	if wrong > 5 {
		t.Errorf("and %d more", wrong-5)
	}
}

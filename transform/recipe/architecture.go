package recipe

import (
	"reflect"
	"regexp"
	"strconv"

	"github.com/loratool/loratool/formats"
)

// An Architecture is what the choice depends on beside the tensors.
type Architecture struct {
	Name    string // general.architecture
	Layers  int    // blocks, those for predicting further tokens too
	Heads   int    // of attention, in the first block
	HeadsKV int    // of keys and values, in the first block
	Experts int    // 0 in dense models
}

// ArchitectureOf returns what the metadata of a GGUF file and the names of its
// tensors say.
func ArchitectureOf(metadata formats.Metadata, tensors []formats.Info) Architecture {
	name, _ := metadata.Get("general.architecture").(string)
	a := Architecture{
		Name:    name,
		Layers:  number(metadata.Get(name + ".block_count")),
		Heads:   number(metadata.Get(name + ".attention.head_count")),
		HeadsKV: number(metadata.Get(name + ".attention.head_count_kv")),
		Experts: number(metadata.Get(name + ".expert_count")),
	}
	if a.HeadsKV == 0 {
		a.HeadsKV = a.Heads
	}
	if a.Layers == 0 {
		for i := range tensors {
			a.Layers = max(a.Layers, Layer(tensors[i].Name)+1)
		}
	}
	return a
}

// number returns an integer of any type that is no larger than counts of layers
// and heads are, or the first of a list of them; 0 for anything else.
func number(v any) int {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Slice && r.Len() > 0 {
		r = r.Index(0)
	}
	var n int64
	switch {
	case r.CanInt():
		n = r.Int()
	case r.CanUint():
		n = int64(min(r.Uint(), 1<<40))
	}
	if n < 0 || n > 1<<30 {
		return 0
	}
	return int(n)
}

// queriesPerKey is how many heads of queries share one of keys and values.
func (a *Architecture) queriesPerKey() int {
	if a.HeadsKV == 0 {
		return 0
	}
	return a.Heads / a.HeadsKV
}

// is70B reports whether the model has the shape of those whose attn_v is small
// beside the rest, so that a bit more costs nothing.
func (a *Architecture) is70B() bool {
	switch a.Name {
	case "llama":
		return a.Layers == 80 && a.Heads != a.HeadsKV
	case "qwen2", "deci", "olmo":
		return a.Layers == 80
	case "jais2":
		return a.Layers == 68
	}
	return false
}

var blockName = regexp.MustCompile(`^blk\.([0-9]{1,9})(\.|$)`)

// Layer returns the number of the block that a tensor belongs to, -1 for none.
func Layer(name string) int {
	m := blockName.FindStringSubmatch(name)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return n
}

// Compare orders tensors as they are chosen for and written: those of no block
// first, then by block; by name, bytewise, within each.
func Compare(a, b string) int {
	if la, lb := Layer(a), Layer(b); la != lb {
		if la < lb {
			return -1
		}
		return 1
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

package adapter

import (
	"regexp"
	"strconv"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// An index finds the base's tensors by the names that adapters call them.
type index struct {
	names   *namer
	targets []*Target          // in storage order, created ones at the end
	disk    map[string]*Target // by the name on disk
	memory  map[string]*Target // by the name in memory, where it is another
	fused   map[string]*fused  // by the name in memory of a parameter of fused experts
	embeddings
}

func newIndex(tensors []*formats.Tensor, config *strictjson.Object) *index {
	ix := &index{names: newNamer(config), disk: map[string]*Target{}, memory: map[string]*Target{}, fused: map[string]*fused{}}
	twice := map[string]bool{}
	inMemory := make([]string, len(tensors))
	for i, t := range tensors {
		target := newTarget(t)
		ix.targets = append(ix.targets, target)
		ix.disk[t.Name] = target
		inMemory[i] = ix.names.inMemory(t.Name)
		if inMemory[i] == t.Name {
			continue
		}
		twice[inMemory[i]] = ix.memory[inMemory[i]] != nil || twice[inMemory[i]]
		ix.memory[inMemory[i]] = target
	}
	for name := range twice {
		if twice[name] {
			delete(ix.memory, name)
		}
	}
	ix.fuse(inMemory)
	ix.embeddings = findEmbeddings(ix.targets, config)
	return ix
}

// param returns the base's tensor of that name, on disk or in memory, or nil.
func (ix *index) param(name string) *Target {
	if t := ix.disk[name]; t != nil {
		return t
	}
	return ix.memory[name]
}

// create adds a tensor that the base lacks.
func (ix *index) create(t *Target) {
	ix.targets = append(ix.targets, t)
	ix.disk[t.Name] = t
}

// Fused experts: transformers 5 holds the weights of all experts of a layer in
// two parameters, gate_up_proj of shape [experts, gate+up, in] and down_proj of
// shape [experts, out, in], while most files have a tensor for each expert.

// fused is such a parameter: its experts, each a list of tensors on disk that
// follow each other along the rows.
type fused struct {
	experts [][]*Target
}

var expertName = regexp.MustCompile(`^(.*\bexperts)\.(\d{1,5})\.(gate_proj|up_proj|down_proj|w1|w2|w3)\.weight$`)

// halves are the parameters in memory with the tensors of an expert that make
// them up, in order.
var halves = []struct {
	param string
	parts []string
}{
	{"gate_up_proj", []string{"gate_proj", "up_proj"}},
	{"gate_up_proj", []string{"w1", "w3"}},
	{"down_proj", []string{"down_proj"}},
	{"down_proj", []string{"w2"}},
	{"up_proj", []string{"up_proj"}}, // experts without a gate
}

// fuse finds tensors of single experts and what they are parts of in memory.
func (ix *index) fuse(inMemory []string) {
	type experts map[int]map[string]*Target
	modules := map[string]experts{}
	var order []string
	for i, name := range inMemory {
		m := expertName.FindStringSubmatch(name)
		if m == nil || !ix.targets[i].isMatrix() {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		if modules[m[1]] == nil {
			modules[m[1]] = experts{}
			order = append(order, m[1])
		}
		if modules[m[1]][n] == nil {
			modules[m[1]][n] = map[string]*Target{}
		}
		modules[m[1]][n][m[3]] = ix.targets[i]
	}
	for _, module := range order {
		for _, h := range halves {
			if f := gather(modules[module], h.parts); f != nil && ix.fused[module+"."+h.param] == nil {
				ix.fused[module+"."+h.param] = f
			}
		}
	}
}

// gather lists the parts of experts 0, 1, …, or returns nil if one is missing.
func gather(experts map[int]map[string]*Target, parts []string) *fused {
	f := &fused{}
	for n := range len(experts) {
		var list []*Target
		for _, p := range parts {
			if experts[n][p] == nil {
				return nil
			}
			list = append(list, experts[n][p])
		}
		f.experts = append(f.experts, list)
	}
	return f
}

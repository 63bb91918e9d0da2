package transform

import (
	"fmt"
	"math"
	"regexp"

	"github.com/loratool/loratool/formats"
)

// A LayerGroup is layers of one kind, such as all q_proj, taken together.
type LayerGroup struct {
	Name    string
	Modules []string
	Layers  int

	RelativeDelta             float64 // √(Σ‖Δ‖²/Σ‖base‖²)
	Energy                    float64
	RelativeError             float64 // √(Σ‖Δ − BA‖²/Σ‖Δ‖²)
	AtMost                    float64 // the largest of the layers'; 0 if one is unknown
	LowestRank, HighestRank   int
	LowestAbove, HighestAbove int       // singular values above the noise
	Curve                     []float64 // mean singular values, each layer's relative to its first
	delta2, base2, error2     float64
}

var layerNumber = regexp.MustCompile(`\.\d+(\.|$)`)

// GroupLayers puts layers together that differ in nothing but the numbers in
// their names, in the order of the first ones.
func GroupLayers(layers []*LayerReport) []*LayerGroup {
	var groups []*LayerGroup
	byName := map[string]*LayerGroup{}
	for _, l := range layers {
		name := KindOf(l.Module)
		g := byName[name]
		if g == nil {
			g = &LayerGroup{Name: name}
			byName[name] = g
			groups = append(groups, g)
		}
		g.add(l)
	}
	return groups
}

// EachLayer returns a group for every layer.
func EachLayer(layers []*LayerReport) []*LayerGroup {
	groups := make([]*LayerGroup, len(layers))
	for i, l := range layers {
		name := l.Module
		if l.Expert != nil {
			name = fmt.Sprintf("%s[%d]", name, *l.Expert)
		}
		groups[i] = &LayerGroup{Name: name}
		groups[i].add(l)
	}
	return groups
}

// KindOf returns what a module is called without what is before and in the
// place of its numbers: "self_attn.q_proj", "mlp.experts.down_proj".
func KindOf(module string) string {
	at := layerNumber.FindAllStringIndex(module, -1)
	if at == nil {
		return lastOf(module)
	}
	first := at[0]
	rest := module[first[1]:]
	if rest == "" {
		return module[:first[0]]
	}
	return layerNumber.ReplaceAllString(rest, ".*$1")
}

func (g *LayerGroup) add(l *LayerReport) {
	g.Layers++
	g.Modules = append(g.Modules, l.Module)
	delta2 := l.DeltaNorm * l.DeltaNorm
	g.delta2 += delta2
	if l.RelativeDelta > 0 {
		g.base2 += delta2 / (l.RelativeDelta * l.RelativeDelta)
		g.RelativeDelta = math.Sqrt(g.delta2 / g.base2)
	}
	g.error2 += delta2 * l.RelativeError * l.RelativeError
	g.RelativeError = math.Sqrt(g.error2 / g.delta2)
	g.Energy = 1 - g.RelativeError*g.RelativeError
	if g.Layers == 1 {
		g.LowestRank, g.LowestAbove, g.AtMost = l.Rank, l.AboveNoise, l.AtMost
	}
	g.LowestRank, g.HighestRank = min(g.LowestRank, l.Rank), max(g.HighestRank, l.Rank)
	g.LowestAbove, g.HighestAbove = min(g.LowestAbove, l.AboveNoise), max(g.HighestAbove, l.AboveNoise)
	if l.AtMost == 0 {
		g.AtMost = 0
	} else if g.AtMost > 0 {
		g.AtMost = max(g.AtMost, l.AtMost)
	}
	for i, v := range l.SingularValues {
		if i == len(g.Curve) {
			g.Curve = append(g.Curve, 0)
		}
		// The mean of those layers that have so many.
		g.Curve[i] += (v/l.SingularValues[0] - g.Curve[i]) / float64(g.Layers)
	}
}

// An ExtractPlan is what is known of an extraction before any tensor is read.
type ExtractPlan struct {
	Matrices    int
	Parameters  int64 // of the matrices
	Others      int   // tensors that are saved in full if they changed
	FactorBytes int64 // if the rank is fixed and all matrices changed
}

// PlanExtract returns the plan, or the error that the models do not fit together.
func PlanExtract(base, tuned *formats.Model, o ExtractOptions) (*ExtractPlan, error) {
	p, err := pairModels(base, tuned, &o)
	if err != nil {
		return nil, err
	}
	dtype := o.DType
	if dtype == 0 {
		dtype = factorDType(p)
	}
	plan := &ExtractPlan{Others: len(p.vectors) + len(p.whole) + len(p.added)}
	for _, l := range p.layers {
		for _, d := range l.matrices {
			plan.Matrices++
			plan.Parameters += int64(d.rows) * int64(d.cols)
			rank := int64(min(o.Rank, d.rows, d.cols))
			plan.FactorBytes += rank * int64(d.rows+d.cols) * int64(dtype.BlockBytes())
		}
	}
	return plan, nil
}

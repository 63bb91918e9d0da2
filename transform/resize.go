package transform

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/adapter"
)

// ResizeOptions say what rank a LoRA is to have: Rank at most, or the smallest
// for each module that keeps the share Energy of ‖BA‖².
type ResizeOptions struct {
	Rank    int
	Energy  float64
	Uniform bool          // one rank for all modules, the largest that any needs
	DType   formats.DType // of the factors; 0 for what they have
	TempDir string

	Options
}

// Resize changes the rank of a LoRA in PEFT's format to the best of the new rank:
// the singular value decomposition of scale·B·A, by way of QR decompositions of
// the factors in float64, without ever forming the product. In the result the scale
// is 1 for every module: alpha is the rank. What has no rank is kept as it is.
//
// Adapters that are no plain LoRA are an error wrapping [formats.ErrUnsupported].
func Resize(ctx context.Context, a *adapter.Adapter, o ResizeOptions) (*Extraction, error) {
	config, err := resizable(a)
	if err != nil {
		return nil, err
	}
	s, err := newSpool(o.TempDir)
	if err != nil {
		return nil, err
	}
	z := &resizing{adapter: a, o: &o, spool: s}
	out, err := z.run(ctx, config)
	if err != nil {
		s.Close()
		return nil, err
	}
	return out, nil
}

// resizable returns the configuration to change, or why it can't be.
func resizable(a *adapter.Adapter) (*strictjson.Object, error) {
	c := a.Config
	refuse := func(why string) error {
		return &formats.Error{Path: a.Path, Err: formats.Reasonf(formats.ErrUnsupported, "%s", why)}
	}
	switch {
	case c.Type != "LORA":
		return nil, refuse(fmt.Sprintf("its type is %s; only LoRA has a rank to change", c.Type))
	case c.DoRA:
		return nil, refuse("it is a DoRA, whose magnitudes belong to the product as it is")
	case c.KaSA:
		return nil, refuse("it is a KaSA, which has a diagonal between its factors")
	case strings.HasPrefix(c.Init, "pissa") || c.Init == "olora" || c.Init == "corda" || c.Init == "loftq" || c.Init == "lora_ga":
		return nil, refuse(fmt.Sprintf("its initialisation, %s, changes the base by the rank that it has", c.Init))
	}
	config := c.Object()
	if config == nil {
		return nil, refuse("it has no configuration")
	}
	return strictjson.Clone(config).(*strictjson.Object), nil
}

// A resizing is one being done.
type resizing struct {
	adapter *adapter.Adapter
	o       *ResizeOptions
	spool   *spool
}

func (z *resizing) run(ctx context.Context, config *strictjson.Object) (*Extraction, error) {
	pairs, rest, err := z.pairs()
	if err != nil {
		return nil, err
	}
	var total int64
	for _, p := range pairs {
		total += p.down.NumBytes() + p.up.NumBytes()
	}
	report := reporter(total, z.o.Progress)
	tensors := make([][]*formats.Tensor, len(pairs))
	layers := make([]*LayerReport, len(pairs))
	common := 0
	if z.o.Uniform && z.o.Rank == 0 {
		if common, err = z.commonRank(ctx, pairs); err != nil {
			return nil, err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(z.o.workers())
	for i, p := range pairs {
		g.Go(func() (err error) {
			if err := p.decompose(ctx, z.o, common); err != nil {
				return err
			}
			tensors[i], err = z.store(p)
			layers[i] = p.report()
			p.products = nil
			report(p.down.NumBytes()+p.up.NumBytes(), p.name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return z.finish(config, pairs, slices.Concat(append(tensors, rest)...), layers)
}

// commonRank returns the largest rank that any module needs.
func (z *resizing) commonRank(ctx context.Context, pairs []*loraPair) (int, error) {
	most := 0
	for _, p := range pairs {
		if err := p.decompose(ctx, z.o, 0); err != nil {
			return 0, err
		}
		most = max(most, p.rank)
		p.products = nil
	}
	return most, nil
}

// pairs finds the factors, and what else the adapter has: a bias as a difference
// takes up its scale.
func (z *resizing) pairs() (pairs []*loraPair, rest []*formats.Tensor, err error) {
	a := z.adapter
	for _, t := range a.Weights.Tensors {
		var up string
		switch {
		case strings.HasSuffix(t.Name, ".lora_A.weight"):
			up = strings.TrimSuffix(t.Name, "A.weight") + "B.weight"
		case strings.HasSuffix(t.Name, ".lora_embedding_A"):
			up = strings.TrimSuffix(t.Name, "A") + "B"
		case strings.HasSuffix(t.Name, ".lora_B.weight") || strings.HasSuffix(t.Name, ".lora_embedding_B"):
			continue
		case strings.HasSuffix(t.Name, ".lora_B.bias"):
			scaled, err := z.scaledBias(t)
			if err != nil {
				return nil, nil, err
			}
			rest = append(rest, scaled)
			continue
		case strings.Contains(t.Name, ".lora_"):
			return nil, nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "what it is for can't be resized"))
		default:
			rest = append(rest, t)
			continue
		}
		u := a.Weights.Tensor(up)
		if u == nil {
			return nil, nil, t.Error(formats.Reasonf(formats.ErrFormat, "%s is missing", up))
		}
		p := &loraPair{down: t, up: u, experts: 1}
		if err := z.name(p); err != nil {
			return nil, nil, err
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, nil, &formats.Error{Path: a.Path, Err: formats.Reasonf(formats.ErrFormat, "it has no factors")}
	}
	return pairs, rest, nil
}

// name finds out which module or parameter the factors are of, and checks that
// they fit together.
func (z *resizing) name(p *loraPair) error {
	c := z.adapter.Config
	key := adapter.ParseKey(p.down.Name)
	p.name = key.Module
	var parameters []string
	for _, name := range c.TargetParameters {
		if module := moduleOf(name); key.Module == module || strings.HasSuffix(key.Module, "."+module) {
			parameters = append(parameters, key.Module+"."+lastOf(name))
		}
	}
	if len(parameters) > 0 {
		slices.SortFunc(parameters, parameterOrder)
		if key.Wrappers >= len(parameters) {
			return p.down.Error(formats.Reasonf(formats.ErrMismatch, "target_parameters names %d parameters of %s, and this one lies deeper", len(parameters), key.Module))
		}
		p.name = parameters[len(parameters)-1-key.Wrappers]
	}
	p.scale = c.ScaleOf(p.name)
	down, up := p.down.Shape, p.up.Shape
	if len(down) < 2 || len(up) < 2 {
		return p.down.Error(formats.Reasonf(formats.ErrFormat, "factors must have two dimensions at least"))
	}
	if len(parameters) > 0 {
		rank := c.RankOf(p.name)
		if rank < 1 || down[0]%rank != 0 {
			return p.down.Error(formats.Reasonf(formats.ErrMismatch, "%d rows are no multiple of the rank %d", down[0], rank))
		}
		p.experts = down[0] / rank
	}
	if down[0] == 0 || up[1] != down[0] {
		return p.down.Error(formats.Reasonf(formats.ErrMismatch, "shape %v does not fit that of %s, %v", down, p.up.Name, up))
	}
	if p.up.NumElements() != up[0]*up[1] {
		return p.up.Error(formats.Reasonf(formats.ErrUnsupported, "it is no plain matrix: %v", up))
	}
	return nil
}

// scaledBias returns the bias times its module's scale, which the result has no
// longer.
func (z *resizing) scaledBias(t *formats.Tensor) (*formats.Tensor, error) {
	x := make([]float32, t.NumElements())
	if err := t.ReadFloats(context.Background(), x, 0, t.NumRows()); err != nil {
		return nil, t.Error(err)
	}
	scale := float32(z.adapter.Config.ScaleOf(adapter.ParseKey(t.Name).Module))
	for i := range x {
		x[i] *= scale
	}
	e := extraction{spool: z.spool}
	return e.asFloat32(t.Name, x)
}

// finish plans the resized adapter's folder.
func (z *resizing) finish(config *strictjson.Object, pairs []*loraPair, tensors []*formats.Tensor, layers []*LayerReport) (*Extraction, error) {
	a := &adapterTensors{}
	r := &ExtractReport{Base: z.adapter.Config.Base, Finetuned: z.adapter.Path, Layers: layers, Saved: []SavedTensor{}, Unchanged: []string{}, Left: []string{}}
	var norm2, error2 float64
	for _, p := range pairs {
		a.ranks = append(a.ranks, moduleRank{p.name, p.rank})
		norm2, error2 = norm2+p.norm2, error2+p.error2
		r.Parameters += int64(p.experts*p.rank) * int64(p.down.NumElements()/p.down.Shape[0]+p.up.Shape[0])
	}
	r.DeltaNorm = math.Sqrt(norm2)
	if norm2 > 0 {
		r.RelativeError = math.Sqrt(error2 / norm2)
	}
	r.Energy = 1 - r.RelativeError*r.RelativeError
	rank := commonRank(a.ranks)
	ranks, alphas := &strictjson.Object{}, &strictjson.Object{}
	for _, m := range a.ranks {
		if m.rank != rank {
			ranks.Set(m.name, strictjson.Int(m.rank))
			alphas.Set(m.name, strictjson.Int(m.rank))
		}
	}
	config.Set("r", strictjson.Int(rank))
	config.Set("lora_alpha", strictjson.Int(rank))
	config.Set("rank_pattern", ranks)
	config.Set("alpha_pattern", alphas)
	config.Set("use_rslora", false)
	if config.Has("init_lora_weights") {
		config.Set("init_lora_weights", true)
	}
	if z.o.Rank > 0 {
		r.Ranks = fmt.Sprintf("rank %d", z.o.Rank)
	} else {
		r.Ranks = fmt.Sprintf("energy %g", z.o.Energy)
	}
	weights, err := safetensors.FileLayout("adapter_model.safetensors", tensors, formats.Metadata{{Key: "format", Value: "pt"}})
	if err != nil {
		return nil, err
	}
	for _, p := range weights.Tensors {
		r.Bytes += p.Tensor.NumBytes()
		if strings.Contains(p.Tensor.Name, ".lora_") {
			r.DType = p.Tensor.DType.String()
		}
	}
	l := &formats.Layout{Format: "safetensors", Folder: true, Files: []formats.LayoutFile{weights}, Inputs: z.adapter.Weights.Inputs}
	for _, f := range hf.WithAsset(z.adapter.Files, adapter.ConfigName, strictjson.Format(config)) {
		data, err := f.Read()
		if err != nil {
			return nil, err
		}
		l.AddAsset(formats.Asset{Name: f.Name, Data: data}, int64(len(data)))
	}
	return &Extraction{Layout: l, Report: r, spool: z.spool}, nil
}

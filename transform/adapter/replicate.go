package adapter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// layerName splits the name of a layer's tensor into what comes before the number
// of the layer, the number, and the rest.
var layerName = regexp.MustCompile(`^((?:model\.|bert\.|roberta\.|transformer\.|language_model\.|decoder\.|encoder\.)*(?:layers|layer|h))\.(\d{1,5})\.(.+)$`)

// replicate returns the base's tensors, with the layers repeated that the
// adapters' layer_replication says: such an adapter was trained on a model in
// which layers were used several times, with factors of their own each, and its
// keys count the layers of that model. In the output every use of a layer is a
// layer of its own.
func (p *Plan) replicate(base *formats.Model, adapters []Weighted) ([]*formats.Tensor, error) {
	var ranges [][2]int
	for i, a := range adapters {
		r := a.Config.LayerReplication
		if i > 0 && !slices.Equal(r, ranges) {
			return nil, &formats.Error{Path: a.Path, Err: formats.Reasonf(formats.ErrMismatch, "its layer_replication differs from that of %s", adapters[0].Path)}
		}
		ranges = r
	}
	if len(ranges) == 0 {
		return base.Tensors, nil
	}
	prefix, count := mainLayers(base.Tensors)
	var uses []int // by layer of the output: the base's layer
	for _, r := range ranges {
		if r[1] > count {
			return nil, &formats.Error{Path: adapters[0].Path, Err: formats.Reasonf(formats.ErrMismatch, "layer_replication has the layers [%d, %d), but the base has %d", r[0], r[1], count)}
		}
		for i := r[0]; i < r[1]; i++ {
			uses = append(uses, i)
		}
		if len(uses) > 1<<16 {
			return nil, &formats.Error{Path: adapters[0].Path, Err: formats.Reasonf(formats.ErrFormat, "layer_replication makes more than %d layers", 1<<16)}
		}
	}
	var tensors []*formats.Tensor
	layers := map[int][]*formats.Tensor{}
	for _, t := range base.Tensors {
		if m := layerName.FindStringSubmatch(t.Name); m != nil && m[1] == prefix {
			n, _ := strconv.Atoi(m[2])
			layers[n] = append(layers[n], t)
		} else {
			tensors = append(tensors, t)
		}
	}
	for i, use := range uses {
		for _, t := range layers[use] {
			info := t.Info
			info.Name = fmt.Sprintf("%s.%d.%s", prefix, i, layerName.FindStringSubmatch(t.Name)[3])
			tensors = append(tensors, &formats.Tensor{Info: info, Rows: t.Rows})
		}
	}
	p.renumber(uses, count)
	return tensors, nil
}

// mainLayers returns what comes before the numbers of the model's layers, and how
// many there are: those that have most tensors, if several lists look alike.
func mainLayers(tensors []*formats.Tensor) (prefix string, count int) {
	sizes, counts := map[string]int{}, map[string]int{}
	for _, t := range tensors {
		if m := layerName.FindStringSubmatch(t.Name); m != nil {
			n, _ := strconv.Atoi(m[2])
			sizes[m[1]]++
			counts[m[1]] = max(counts[m[1]], n+1)
			if sizes[m[1]] > sizes[prefix] || sizes[m[1]] == sizes[prefix] && m[1] < prefix {
				prefix = m[1]
			}
		}
	}
	return prefix, counts[prefix]
}

// renumber brings the configuration up to date: the number of layers, and lists
// that have an item for each.
func (p *Plan) renumber(uses []int, count int) {
	for _, o := range []*strictjson.Object{p.Config, p.Config.Object("text_config")} {
		if o == nil {
			continue
		}
		for _, key := range []string{"num_hidden_layers", "n_layer", "num_layers"} {
			if o.Has(key) {
				o.Set(key, strictjson.Int(len(uses)))
				p.Changes = append(p.Changes, fmt.Sprintf("%s: %d", key, len(uses)))
			}
		}
		for i, m := range o.Members {
			a, ok := m.Value.(strictjson.Array)
			if !ok || len(a) != count || m.Key == "architectures" {
				continue
			}
			if m.Key != "layer_types" && m.Key != "mlp_layer_types" && m.Key != "no_rope_layers" {
				continue
			}
			list := make(strictjson.Array, len(uses))
			for j, use := range uses {
				list[j] = a[use]
			}
			o.Members[i].Value = list
		}
	}
}

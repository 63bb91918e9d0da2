package arch

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// general collects the general.* key-values: what the model is called, where it
// comes from, and how its makers sample it.
type general struct {
	texts     map[string]string // by key without "general."
	parents   []relative
	hasParent bool
	datasets  []relative
	hasData   bool
	tags      []string
	languages []string
}

// cardKeys are the model card's keys for a text, in the order in which they count.
var cardKeys = []struct {
	key  string
	card []string
}{
	{"name", []string{"name", "model_name"}},
	{"author", []string{"author", "model_author", "model_creator"}},
	{"version", []string{"version", "model_version"}},
	{"organization", []string{"organization", "model_organization"}},
	{"description", []string{"description", "model_description"}},
	{"finetune", []string{"finetune", "model_finetune"}},
	{"basename", []string{"basename", "model_basename", "model_type"}},
	{"size_label", []string{"size_label", "model_size_label"}},
	{"source.url", []string{"url", "model_url"}},
	{"source.doi", []string{"doi", "model_doi"}},
	{"source.uuid", []string{"uuid", "model_uuid"}},
	{"source.repo_url", []string{"repo_url", "model_repo_url"}},
	{"license", []string{"license"}},
	{"license.name", []string{"license_name"}},
	{"license.link", []string{"license_link"}},
}

// generalKeys returns the general.* key-values of a checkpoint. tensors are those
// of the output, whose parameters the size is told by. What override has counts
// more than all else.
func generalKeys(c *Config, tensors []*formats.Tensor, override *strictjson.Object) (formats.Metadata, error) {
	count := countParameters(tensors)
	g := &general{texts: map[string]string{}}
	if card := readCard(c.model); card != nil {
		g.readCard(card, count.total)
	}
	if name, _ := c.root.Get("_name_or_path").(string); name != "" && strings.Count(name, "/") <= 1 {
		g.readName(name, count.total)
	}
	if dir, err := filepath.Abs(c.model.Path); err == nil {
		g.readName(filepath.Base(dir), count.total)
	}
	if g.texts["size_label"] == "" && count.total > 0 {
		g.texts["size_label"] = count.label()
	}
	recommended, err := hf.ReadObject(c.model, "generation_config.json")
	if err != nil {
		recommended = nil // one that can't be read is taken for none
	}
	kv := samplingKeys(recommended)
	if err := g.override(override, &kv); err != nil {
		return nil, err
	}
	return append(kv, g.keyValues()...), nil
}

// override puts what a user says in place of what was found.
func (g *general) override(o *strictjson.Object, recommended *formats.Metadata) error {
	if o == nil {
		return nil
	}
	for _, m := range o.Members {
		key, ok := strings.CutPrefix(m.Key, "general.")
		text, isText := m.Value.(string)
		list, isList := m.Value.(strictjson.Array)
		switch name, isSampling := strings.CutPrefix(key, "sampling."); {
		case ok && isText && slices.Contains(textOrder, key):
			g.texts[key] = text
		case ok && isList && (key == "tags" || key == "languages"):
			all, err := texts(list)
			if err != nil {
				return formats.Reasonf(formats.ErrFormat, "%s: %v", m.Key, err)
			}
			if key == "tags" {
				g.tags = all
			} else {
				g.languages = all
			}
		case ok && isSampling:
			i := slices.IndexFunc(samplings, func(s sampling) bool { return s.key == name })
			n, isNumber := m.Value.(strictjson.Number)
			if i < 0 || !isNumber {
				return formats.Reasonf(formats.ErrFormat, "%s can't be %s", m.Key, strictjson.Append(nil, m.Value))
			}
			kv := samplings[i].keyValue(n)
			*recommended = recommended.With(kv.Key, kv.Value)
		default:
			return formats.Reasonf(formats.ErrUnsupported, "%s can't be set to %s", m.Key, strictjson.Append(nil, m.Value))
		}
	}
	return nil
}

// texts returns the strings of a list.
func texts(list strictjson.Array) ([]string, error) {
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, formats.Reasonf(formats.ErrFormat, "element %d is no text", i)
		}
		out[i] = s
	}
	return out, nil
}

func (g *general) readCard(card map[string]any, parameters int64) {
	for _, k := range cardKeys {
		if s := cardText(card, k.card...); s != "" {
			g.texts[k.key] = s
		}
	}
	if v, ok := first(card, "base_model", "base_models", "base_model_sources"); ok {
		g.parents, g.hasParent = relatives(v, parameters), true
	}
	if v, ok := first(card, "datasets", "dataset", "dataset_sources"); ok {
		g.datasets, g.hasData = relatives(v, parameters), true
	}
	g.tags = cardList(card, "tags", "pipeline_tag")
	g.languages = cardList(card, "languages", "language")
}

// readName fills in what is not known yet from a name.
func (g *general) readName(id string, parameters int64) {
	n := parseName(id, parameters)
	for _, e := range []struct{ key, value string }{
		{"name", title(n.full)}, {"organization", title(n.organization)}, {"basename", n.basename},
		{"finetune", n.finetune}, {"version", n.version}, {"size_label", n.size},
	} {
		if g.texts[e.key] == "" && e.value != "" {
			g.texts[e.key] = e.value
		}
	}
}

// textOrder is the order of the texts among the key-values.
var textOrder = []string{"name", "author", "version", "organization", "finetune", "basename", "description", "quantized_by",
	"size_label", "license", "license.name", "license.link", "url", "doi", "uuid", "repo_url", "source.url", "source.doi", "source.uuid", "source.repo_url"}

func (g *general) keyValues() formats.Metadata {
	var kv formats.Metadata
	put := func(key string, v any) { kv = append(kv, formats.KeyValue{Key: "general." + key, Value: v}) }
	for _, key := range textOrder {
		if s := g.texts[key]; s != "" {
			put(key, s)
		}
	}
	list := func(key string, all []relative) {
		put(key+".count", uint32(len(all)))
		for i, r := range all {
			for _, e := range []struct{ name, value string }{
				{"name", r.name}, {"version", r.version}, {"organization", r.organization}, {"repo_url", r.repository},
			} {
				if e.value != "" {
					put(fmt.Sprintf("%s.%d.%s", key, i, e.name), e.value)
				}
			}
		}
	}
	if g.hasParent {
		list("base_model", g.parents)
	}
	if g.hasData {
		list("dataset", g.datasets)
	}
	if len(g.tags) > 0 {
		put("tags", g.tags)
	}
	if len(g.languages) > 0 {
		put("languages", g.languages)
	}
	return kv
}

// A sampling is a parameter of sampling: its key without "general.sampling.", and
// what generation_config.json calls it.
type sampling struct {
	key   string
	names []string
	whole bool // an integer
}

var samplings = []sampling{
	{"top_k", []string{"top_k"}, true}, {"top_p", []string{"top_p"}, false}, {"min_p", []string{"min_p"}, false},
	{"xtc_probability", []string{"xtc_probability"}, false}, {"xtc_threshold", []string{"xtc_threshold"}, false},
	{"temp", []string{"temperature"}, false}, {"penalty_last_n", []string{"penalty_last_n"}, true},
	{"penalty_repeat", []string{"penalty_repeat", "repetition_penalty"}, false}, {"mirostat", []string{"mirostat"}, true},
	{"mirostat_tau", []string{"mirostat_tau"}, false}, {"mirostat_eta", []string{"mirostat_eta"}, false},
}

// keyValue returns the parameter as a key-value.
func (s *sampling) keyValue(n strictjson.Number) formats.KeyValue {
	kv := formats.KeyValue{Key: "general.sampling." + s.key, Value: float32(n.Float())}
	if s.whole {
		kv.Value = int32(n.Float())
	}
	return kv
}

// samplingKeys returns what generation_config.json recommends.
func samplingKeys(o *strictjson.Object) formats.Metadata {
	var kv formats.Metadata
	for _, s := range samplings {
		for _, name := range s.names {
			if n, ok := o.Get(name).(strictjson.Number); ok {
				kv = append(kv, s.keyValue(n))
				break
			}
		}
	}
	return kv
}

// parameters counts the numbers of a model: all of them, those outside experts,
// and those of one expert.
type parameters struct {
	total, shared, expert int64
	experts               int
}

func countParameters(tensors []*formats.Tensor) parameters {
	var p parameters
	sum, stacks := 0, 0
	for _, t := range tensors {
		n := int64(t.NumElements())
		p.total += n
		// A stack of matrices has its experts in front, a stack of biases too.
		d := len(t.Shape) - 3
		if strings.Contains(t.Name, ".bias") {
			d = len(t.Shape) - 2
		}
		if strings.Contains(t.Name, "_exps.") && d >= 0 && len(t.Shape) >= 3 && t.Shape[d] > 0 {
			p.expert += n / int64(t.Shape[d])
			sum += t.Shape[d]
			stacks++
		} else {
			p.shared += n
		}
	}
	if stacks > 0 {
		p.experts = sum / stacks
	}
	return p
}

func (p parameters) label() string {
	if p.experts > 0 {
		return fmt.Sprintf("%dx%s", p.experts, sizeLabel(p.shared+p.expert))
	}
	return sizeLabel(p.total)
}

package transform

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/formats/strictjson"
)

// finish plans the adapter's folder.
func (x *extraction) finish(ctx context.Context) (*Extraction, error) {
	a, err := x.tensors(ctx)
	if err != nil {
		return nil, err
	}
	config, err := x.config(a)
	if err != nil {
		return nil, err
	}
	report := x.report(a)
	m := &formats.Model{Format: "safetensors", Stem: "adapter_model", Tensors: a.tensors,
		Metadata: formats.Metadata{{Key: "format", Value: "pt"}}}
	weights, err := safetensors.FileLayout("adapter_model.safetensors", m.Tensors, m.Metadata)
	if err != nil {
		return nil, err
	}
	l := &formats.Layout{Format: "safetensors", Folder: true, Files: []formats.LayoutFile{weights},
		Inputs: slices.Concat(x.base.Inputs, x.tuned.Inputs)}
	addFile := func(name string, data []byte) {
		l.AddAsset(formats.Asset{Name: name, Data: data}, int64(len(data)))
	}
	addFile("adapter_config.json", strictjson.Format(config))
	addFile("README.md", card(report, config))
	if x.resized {
		if err := x.addTokenizer(addFile); err != nil {
			return nil, err
		}
	}
	return &Extraction{Layout: l, Report: report, spool: x.spool}, nil
}

// addTokenizer adds the fine-tuned model's tokenizer, which belongs to its
// vocabulary.
func (x *extraction) addTokenizer(add func(name string, data []byte)) error {
	for _, f := range x.tuned.Files {
		switch f.Name {
		case "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
			"vocab.json", "merges.txt", "vocab.txt", "chat_template.jinja":
			data, err := f.Read()
			if err != nil {
				return err
			}
			add(f.Name, data)
		}
	}
	return nil
}

// config returns adapter_config.json, with the keys in PEFT's order.
func (x *extraction) config(a *adapterTensors) (*strictjson.Object, error) {
	rank := commonRank(a.ranks)
	ranks, alphas := &strictjson.Object{}, &strictjson.Object{}
	for _, r := range a.ranks {
		if r.rank != rank {
			ranks.Set(r.name, strictjson.Int(r.rank))
			alphas.Set(r.name, strictjson.Int(r.rank)) // alpha/r is 1
		}
	}
	bias := "none"
	if a.fullBias {
		bias = "lora_only"
	}
	task, err := x.taskType()
	if err != nil {
		return nil, err
	}
	conv1D := slices.ContainsFunc(x.layers, func(l *layer) bool { return l.kind == conv1DLayer })
	return &strictjson.Object{Members: []strictjson.Member{
		{Key: "alpha_pattern", Value: alphas},
		{Key: "auto_mapping", Value: nil},
		{Key: "base_model_name_or_path", Value: cmp.Or(x.o.BaseName, x.base.Path)},
		{Key: "bias", Value: bias},
		{Key: "ensure_weight_tying", Value: a.tied},
		{Key: "fan_in_fan_out", Value: conv1D},
		{Key: "inference_mode", Value: true},
		{Key: "init_lora_weights", Value: true},
		{Key: "lora_alpha", Value: strictjson.Int(rank)},
		{Key: "lora_bias", Value: a.loraBias},
		{Key: "lora_dropout", Value: strictjson.Float(0)},
		{Key: "modules_to_save", Value: namesOrNull(a.whole)},
		{Key: "peft_type", Value: "LORA"},
		{Key: "r", Value: strictjson.Int(rank)},
		{Key: "rank_pattern", Value: ranks},
		{Key: "target_modules", Value: nameList(x.shorten(a.modules))},
		{Key: "target_parameters", Value: namesOrNull(a.parameters)},
		{Key: "task_type", Value: task},
		{Key: "use_dora", Value: false},
		{Key: "use_rslora", Value: false},
	}}, nil
}

// commonRank returns the most frequent rank, the larger of two.
func commonRank(ranks []moduleRank) int {
	count := map[int]int{}
	best := 0
	for _, r := range ranks {
		count[r.rank]++
	}
	for rank, n := range count {
		if n > count[best] || n == count[best] && rank > best {
			best = rank
		}
	}
	return best
}

func nameList(names []string) strictjson.Array {
	list := make(strictjson.Array, len(names))
	for i, n := range names {
		list[i] = n
	}
	return list
}

func namesOrNull(names []string) strictjson.Value {
	if len(names) == 0 {
		return nil
	}
	return nameList(names)
}

// shorten returns the target modules as PEFT's users write them: by the last part
// of their names, where all modules of that name are meant.
func (x *extraction) shorten(modules []string) (names []string) {
	meant := map[string]bool{}
	for _, m := range modules {
		meant[m] = true
	}
	others := map[string]bool{} // last parts of modules that are not meant
	for _, t := range x.base.Tensors {
		parts := strings.Split(t.Name, ".")
		for i := 1; i < len(parts); i++ {
			if !meant[strings.Join(parts[:i], ".")] {
				others[parts[i-1]] = true
			}
		}
	}
	for _, m := range modules {
		name := m
		if last := lastOf(m); !others[last] {
			name = last
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// taskType returns PEFT's name of what the model does, or nil if it has none.
func (x *extraction) taskType() (strictjson.Value, error) {
	config, err := hf.Config(x.tuned)
	if err != nil {
		return nil, err
	}
	for _, a := range config.Array("architectures") {
		name, _ := a.(string)
		for _, t := range []struct{ suffix, task string }{
			{"ForCausalLM", "CAUSAL_LM"}, {"LMHeadModel", "CAUSAL_LM"}, {"ForSequenceClassification", "SEQ_CLS"},
			{"ForTokenClassification", "TOKEN_CLS"}, {"ForQuestionAnswering", "QUESTION_ANS"},
		} {
			if strings.HasSuffix(name, t.suffix) {
				return t.task, nil
			}
		}
	}
	return nil, nil
}

package arch

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// generationConfig returns generation_config.json from what the key-values
// recommend, or none.
func generationConfig(m *formats.Model) []formats.Asset {
	g := &ggufKeys{model: m}
	o := &strictjson.Object{}
	for _, s := range samplings {
		g.copy(o, s.names[len(s.names)-1], "general.sampling."+s.key)
	}
	if len(o.Members) == 0 {
		return nil
	}
	return []formats.Asset{{Name: "generation_config.json", Data: strictjson.Format(o)}}
}

// poolings are how embedders make one vector of all, by number of pooling_type.
var poolings = map[int]string{1: "pooling_mode_mean_tokens", 2: "pooling_mode_cls_token", 3: "pooling_mode_lasttoken"}

// poolingFiles returns the files by which sentence-transformers knows how to pool,
// or none if the model does not.
func (a *Architecture) poolingFiles(m *formats.Model) []formats.Asset {
	g := &ggufKeys{a.Name, m}
	kind, _ := g.int(".pooling_type")
	if poolings[kind] == "" {
		return nil
	}
	config := &strictjson.Object{}
	g.copy(config, "word_embedding_dimension", ".embedding_length")
	for i := 1; i <= len(poolings); i++ {
		config.Set(poolings[i], i == kind)
	}
	module := func(i int, path, kind string) *strictjson.Object {
		return &strictjson.Object{Members: []strictjson.Member{{Key: "idx", Value: strictjson.Int(i)}, {Key: "name", Value: string(rune('0' + i))},
			{Key: "path", Value: path}, {Key: "type", Value: "sentence_transformers.models." + kind}}}
	}
	const folder = "1_Pooling"
	return []formats.Asset{
		{Name: "modules.json", Data: strictjson.Format(strictjson.Array{module(0, "", "Transformer"), module(1, folder, "Pooling")})},
		{Name: folder + "/config.json", Data: strictjson.Format(config)},
	}
}

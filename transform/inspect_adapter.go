package transform

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// An AdapterSummary says what kind of adapter a model is.
type AdapterSummary struct {
	Type    string    `json:"type"`             // peft_type of adapter_config.json, or what the names of tensors tell
	Base    string    `json:"base,omitempty"`   // the model that it was trained on, if it says so
	Ranks   []int     `json:"ranks,omitempty"`  // distinct ones, ascending
	Alphas  []float64 `json:"alphas,omitempty"` // distinct ones, ascending
	Modules int       `json:"modules"`          // how many have a pair of factors
	Targets []string  `json:"targets,omitempty"`
	Notes   []string  `json:"notes,omitempty"` // DoRA, rsLoRA and the like
}

// downFactor is a tensor whose first dimension is the rank, in the spelling of
// PEFT, kohya, diffusers and GGUF.
var downFactor = regexp.MustCompile(`^(.+?)\.(?:lora_A|lora_down|lora\.down|lora_a|lora_embedding_A)(?:\.[^.]+)??(?:\.weight)?$`)

// adapterTraces are parts of tensor names that give away other adapters.
var adapterTraces = []struct{ part, kind string }{
	{".hada_w1_a", "LOHA"}, {".lokr_w", "LOKR"}, {".oft_", "OFT"}, {".boft_", "BOFT"}, {".ia3_l", "IA3"}, {".vera_lambda_", "VERA"},
}

// summarizeAdapter returns nil if the model is no adapter.
func summarizeAdapter(ctx context.Context, m *formats.Model) (*AdapterSummary, error) {
	config, err := hf.ReadObject(m, "adapter_config.json")
	if err != nil {
		return nil, err
	}
	a := &AdapterSummary{Type: config.String("peft_type"), Base: config.String("base_model_name_or_path")}
	for _, t := range m.Tensors {
		if f := downFactor.FindStringSubmatch(t.Name); f != nil && len(t.Shape) > 1 {
			a.Type = cmp.Or(a.Type, "LORA")
			a.Modules++
			a.Ranks = append(a.Ranks, rankOf(t, config))
			a.Targets = append(a.Targets, target(f[1]))
		}
		for _, trace := range adapterTraces {
			if strings.Contains(t.Name, trace.part) {
				a.Type = cmp.Or(a.Type, trace.kind)
			}
		}
		if err := a.addAlpha(ctx, t); err != nil {
			return nil, err
		}
	}
	if a.Type == "" {
		return nil, nil
	}
	a.readConfig(config)
	if s, ok := m.Metadata.Get("ss_base_model_version").(string); ok {
		a.Base = cmp.Or(a.Base, s)
	}
	if f, ok := m.Metadata.Get("adapter.lora.alpha").(float32); ok {
		a.Alphas = append(a.Alphas, float64(f))
	}
	a.Ranks, a.Alphas, a.Targets = distinct(a.Ranks), distinct(a.Alphas), distinct(a.Targets)
	return a, nil
}

// rankOf returns the rank of a down factor. Those of fused experts are stacked
// on top of each other, so that only the config knows.
func rankOf(t *formats.Tensor, config *strictjson.Object) int {
	r, ok := config.Int("r")
	if ok && r > 0 && len(config.Array("target_parameters")) > 0 && strings.Contains(t.Name, "experts") && t.Shape[0]%int(r) == 0 {
		return int(r)
	}
	return t.Shape[0]
}

// addAlpha reads the alpha of a module where a tensor holds it, as kohya's do.
func (a *AdapterSummary) addAlpha(ctx context.Context, t *formats.Tensor) error {
	if !strings.HasSuffix(t.Name, ".alpha") || t.NumElements() != 1 || formats.Decoder(t.DType) == nil {
		return nil
	}
	var alpha [1]float32
	if err := t.ReadFloats(ctx, alpha[:], 0, 1); err != nil {
		return t.Error(err)
	}
	if isFinite(float64(alpha[0])) {
		a.Alphas = append(a.Alphas, float64(alpha[0]))
	}
	return nil
}

func (a *AdapterSummary) readConfig(config *strictjson.Object) {
	if alpha, ok := config.Float("lora_alpha"); ok {
		a.Alphas = append(a.Alphas, alpha)
	}
	if p := config.Object("alpha_pattern"); p != nil {
		for _, m := range p.Members {
			if alpha, ok := p.Float(m.Key); ok {
				a.Alphas = append(a.Alphas, alpha)
			}
		}
	}
	for _, n := range []struct{ key, note string }{{"use_dora", "DoRA"}, {"use_rslora", "rsLoRA"}, {"lora_bias", "biases of the up factors"}} {
		if config.Bool(n.key) {
			a.Notes = append(a.Notes, n.note)
		}
	}
	if b := config.String("bias"); b != "" && b != "none" {
		a.Notes = append(a.Notes, "biases ("+b+")")
	}
	if init := config.String("init_lora_weights"); init != "" {
		a.Notes = append(a.Notes, "init "+init)
	}
	for _, key := range []string{"modules_to_save", "target_parameters", "trainable_token_indices"} {
		if len(config.Array(key)) > 0 || config.Object(key) != nil {
			a.Notes = append(a.Notes, key)
		}
	}
}

// target returns what kind of module one is: the last word of its name that is
// no number, or for names without dots their prefix (lora_unet, lora_te).
func target(module string) string {
	module = strings.TrimSuffix(module, ".weight") // GGUF names the tensor
	parts := strings.Split(module, ".")
	if len(parts) == 1 {
		words := strings.SplitN(module, "_", 3)
		return strings.Join(words[:min(2, len(words))], "_")
	}
	for i := len(parts) - 1; i > 0; i-- {
		if strings.Trim(parts[i], "0123456789") != "" && parts[i] != "base_layer" {
			return parts[i]
		}
	}
	return parts[0]
}

func distinct[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

package adapter

import (
	"slices"
	"strings"
)

// A Key is the name of an adapter's tensor, taken apart:
//
//	base_model.model. MODULE [.base_layer …] . PART [. NAME] [. PARAM]
//
// MODULE is the path of the adapted module in the model that was trained. Each
// base_layer right before PART is a wrapper around it: adapters on several
// parameters of one module nest. PART is what the tensor is (lora_A,
// lora_magnitude_vector, …) and empty for a plain parameter, which replaces the
// base's. NAME is the name of the adapter ("default"), which most writers strip.
type Key struct {
	Module   string // without prefix and wrappers
	Wrappers int
	Part     string
	Name     string // what comes after Part and may be the adapter's name
	Param    string // "weight", "bias" or empty; of a plain parameter its whole name below Module
	Saved    bool   // a plain parameter that is the adapter's copy of the base's: X.base_layer.weight
}

// parts are the segments that begin what belongs to the adapter. Those that end
// in _ stand for all segments that begin so.
var parts = []string{"lora_", "modules_to_save", "original_module", "token_adapter", "trainable_tokens_", "ia3_", "hada_", "lokr_", "vera_",
	"oft_", "boft_", "hra_", "c3a_", "shira_", "miss_", "ln_tuning_"}

// trainingParts are what some variants of LoRA have beside their factors: numbers
// that only training used.
var trainingParts = []string{"lora_monteclora_sampler", "lora_velora_embed"}

// inserted are segments that wrappers of the training leave in paths.
var inserted = []string{"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}

// ParseKey takes a tensor's name apart. Every string has a reading; whether there
// is such a module is for the base to say.
func ParseKey(name string) Key {
	segments := stripPrefixes(strings.Split(name, "."))
	at := len(segments)
	for i, s := range segments {
		if isPart(s) {
			at = i
			break
		}
	}
	if at == len(segments) {
		return plainKey(segments)
	}
	k := Key{Part: segments[at]}
	k.Module, k.Wrappers = modulePath(segments[:at])
	rest := segments[at+1:]
	switch {
	case slices.Contains(trainingParts, k.Part):
		k.Param = strings.Join(rest, ".")
		return k
	case k.Part == "modules_to_save" || k.Part == "original_module" || k.Part == "ln_tuning_layers":
		k.Param = strings.Join(rest, ".")
		return k
	case k.Part == "token_adapter" && len(rest) > 0 && rest[0] == "base_layer":
		return Key{Module: k.Module, Param: strings.Join(rest[1:], "."), Saved: true}
	case k.Part == "token_adapter" && len(rest) > 0:
		k.Part, rest = rest[0], rest[1:]
	}
	if n := len(rest); n > 0 && (rest[n-1] == "weight" || rest[n-1] == "bias") {
		k.Param, rest = rest[n-1], rest[:n-1]
	}
	k.Name = strings.Join(rest, ".")
	return k
}

func isPart(segment string) bool {
	for _, p := range parts {
		if segment == p || strings.HasSuffix(p, "_") && strings.HasPrefix(segment, p) {
			return true
		}
	}
	return false
}

// plainKey reads the name of a plain parameter: its last segment is the
// parameter, the others its module.
func plainKey(segments []string) Key {
	last := len(segments) - 1
	saved := last > 0 && segments[last-1] == "base_layer"
	module, _ := modulePath(segments[:last])
	return Key{Module: module, Param: segments[last], Saved: saved}
}

// modulePath joins segments without the wrappers, and counts those at the end.
func modulePath(segments []string) (path string, wrappers int) {
	for wrappers < len(segments) && segments[len(segments)-1-wrappers] == "base_layer" {
		wrappers++
	}
	kept := make([]string, 0, len(segments))
	for _, s := range segments {
		if s != "base_layer" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "."), wrappers
}

// stripPrefixes removes what wrappers put before and into the path of a module:
// PEFT's base_model.model, distributed training's module, torch.compile's
// _orig_mod.
func stripPrefixes(segments []string) []string {
	kept := make([]string, 0, len(segments))
	for _, s := range segments {
		skip := false
		for _, i := range inserted {
			skip = skip || s == i
		}
		if !skip {
			kept = append(kept, s)
		}
	}
	for len(kept) > 2 {
		switch {
		case kept[0] == "base_model" && kept[1] == "model":
			kept = kept[2:]
		case kept[0] == "module":
			kept = kept[1:]
		default:
			if kept[0] == "base_model" {
				return kept[1:]
			}
			return kept
		}
	}
	if len(kept) == 2 && kept[0] == "base_model" {
		return kept[1:] // base_model.vera_A
	}
	return kept
}

package adapter

import (
	"fmt"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

const runtimeOnly = "it works on the activations at run time, so there are no weights that it could be merged into"

// notMergeable are the types of adapters (peft_type) that are refused, with the
// reason.
var notMergeable = map[string]string{
	"PROMPT_TUNING":           "it learns prompt embeddings, so there are no weights that it could be merged into",
	"MULTITASK_PROMPT_TUNING": "it learns prompt embeddings, so there are no weights that it could be merged into",
	"P_TUNING":                "it learns prompt embeddings, so there are no weights that it could be merged into",
	"PREFIX_TUNING":           "it learns keys and values of the attention, so there are no weights that it could be merged into",
	"CPT":                     "it learns prompt embeddings, so there are no weights that it could be merged into",
	"CARTRIDGE":               "it learns keys and values of the attention, so there are no weights that it could be merged into",
	"ADAPTION_PROMPT":         runtimeOnly,
	"POLY":                    "it mixes its factors by task at run time",
	"XLORA":                   "it chooses and mixes adapters for every token at run time",
	"LILY":                    "it chooses factors for every token at run time",
	"SHADOW":                  runtimeOnly,

	"FOURIERFT":   "the positions of its frequencies come from PyTorch's random generator and are not in the file",
	"WAVEFT":      "the positions of its coefficients come from PyTorch's random generator and are not in the file",
	"RANDLORA":    "it is not implemented",
	"PVERA":       "it is not implemented",
	"ADAMSS":      "it is not implemented",
	"BEFT":        "it is not implemented",
	"FROD":        "it is not implemented",
	"GLORA":       "it is not implemented",
	"VBLORA":      "it is not implemented",
	"UNILORA":     "it is not implemented",
	"ROAD":        "it is not implemented",
	"HIRA":        "it is not implemented",
	"OSF":         "it is not implemented",
	"DELORA":      "it is not implemented",
	"GRALORA":     "it is not implemented",
	"TINYLORA":    "it is not implemented",
	"PSOFT":       "it is not implemented",
	"PEANUT":      "it is not implemented",
	"SUPERTUNING": "it is not implemented",
	"DEFT":        "it is not implemented",
}

// checkType returns an error unless adapters of the type can be merged.
func checkType(peftType string) error {
	if _, ok := tuners[peftType]; ok {
		return nil
	}
	if reason, ok := notMergeable[peftType]; ok {
		return formats.Reasonf(formats.ErrUnsupported, "an adapter of type %s can't be merged: %s", peftType, reason)
	}
	return formats.Reasonf(formats.ErrUnsupported, "peft_type %q is unknown", peftType)
}

// refusals are settings of a LoRA that make merging impossible, by key, with the
// reason. A value counts as set unless it is null, false or empty.
var refusals = []struct{ key, reason string }{
	{"alora_invocation_tokens", "an activated LoRA (alora) is in effect only after its invocation tokens, so merging would change what the base does before them"},
	{"arrow_config", "an Arrow router chooses adapters for every token at run time"},
	{"use_qalora", "the factors of QA-LoRA (qalora) act on inputs that are pooled in the groups of a quantized base"},
}

// harmless are keys of adapter_config.json that say nothing about the numbers of
// a merge, of any type of adapter, or that are read elsewhere in this package.
var harmless = []string{
	"auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "task_type", "peft_type", "peft_version",
	"target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "modules_to_save", "fan_in_fan_out", "bias",
}

// loraKeys are those of LoRA: read elsewhere, refused by refusals, or without
// effect on a merge (dropout, what only training or an initialisation used).
var loraKeys = []string{
	"r", "lora_alpha", "use_rslora", "use_dora", "lora_bias", "rank_pattern", "alpha_pattern", "init_lora_weights",
	"trainable_token_indices", "layer_replication", "target_parameters", "ensure_weight_tying", "kasa_config",
	"lora_dropout", "megatron_config", "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
	"velora_config", "monteclora_config", "runtime_config", "qalora_group_size",
	"alora_invocation_tokens", "arrow_config", "use_qalora", "use_bdlora",
}

// checkKeys returns an error if the configuration has a key with a value other
// than null, false or empty that is not known to be without effect or handled.
func checkKeys(o *strictjson.Object, known ...string) error {
	for _, m := range o.Members {
		if !isSet(m.Value) || slices.Contains(harmless, m.Key) || slices.Contains(known, m.Key) {
			continue
		}
		return formats.Reasonf(formats.ErrUnsupported, "the setting %q is unknown, and it has a value (%s): what it changes can't be told",
			m.Key, preview(m.Value))
	}
	return nil
}

// isSet reports whether a value is other than null, false, and empty.
func isSet(v strictjson.Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case strictjson.Array:
		return len(v) > 0
	case *strictjson.Object:
		return len(v.Members) > 0
	}
	return true
}

func preview(v strictjson.Value) string {
	text := strictjson.Append(nil, v)
	if len(text) > 60 {
		return fmt.Sprintf("%s …", text[:60])
	}
	return string(text)
}

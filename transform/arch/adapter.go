package arch

import (
	"path/filepath"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// A GGUF adapter is a LoRA: for each tensor NAME of the base two more, NAME.lora_a of
// shape [rank, in] and NAME.lora_b of shape [out, rank], in GGUF's row order, and one
// alpha for all. llama.cpp multiplies each product by alpha/rank.

// mergeInstead is the way out for what a GGUF adapter can't hold.
const mergeInstead = "merge it into the base instead: loratool merge BASE --lora ADAPTER -o OUT.gguf"

// AdapterToGGUF returns a LoRA of the PEFT library as a GGUF adapter for the base,
// which is a checkpoint or GGUF, or nothing but a checkpoint's config.json. The rows
// of B are put into GGUF's order, and where a module's scale is not alpha/rank, as
// with rank-stabilized adapters and alpha_pattern, B is multiplied by what makes it
// so. typ is F32, which Auto means here, F16 or BF16.
//
// It returns an error wrapping [formats.ErrUnsupported] for what a GGUF adapter
// can't hold, and [formats.ErrMismatch] if the adapter does not fit the base.
func AdapterToGGUF(ad *adapter.Adapter, base *formats.Model, typ Type) (*formats.Model, error) {
	a, c, err := configured(base)
	if err != nil {
		return nil, err
	}
	fail := func(err error) error { return inFile(ad.Weights.Path, err) }
	if err := checkPlainLoRA(ad.Config); err != nil {
		return nil, &formats.Error{Path: ad.Path, Err: err, Hint: mergeInstead}
	}
	if typ == Auto {
		typ = F32
	}
	pairs, err := pairFactors(ad)
	if err != nil {
		return nil, fail(err)
	}
	out := &formats.Model{Path: ad.Path, Format: "gguf", Inputs: ad.Weights.Inputs, Metadata: adapterKeys(a, ad)}
	stacks := newFactorStacks()
	for _, p := range pairs {
		if err := a.placeFactors(c, base, ad, p, out, stacks); err != nil {
			return nil, fail(err)
		}
	}
	if err := stacks.finish(out); err != nil {
		return nil, fail(err)
	}
	for i, t := range out.Tensors {
		if out.Tensors[i], err = encode(t, types[typ].dtype); err != nil {
			return nil, fail(err)
		}
	}
	return out, nil
}

// ChangesTiedHead reports whether a GGUF adapter is for an embedding that is the
// base's head, too. llama.cpp multiplies by a head as by any matrix, for which the
// factors of an embedding are the other way round, and stops.
func ChangesTiedHead(m, base *formats.Model) (bool, error) {
	_, c, err := configured(base)
	if err != nil {
		return false, err
	}
	return m.Tensor("token_embd.weight"+factorA) != nil && c.get("tie_word_embeddings") == true, nil
}

// adapterKeys returns the key-values.
func adapterKeys(a *Architecture, ad *adapter.Adapter) formats.Metadata {
	kv := formats.Metadata{
		{Key: "general.architecture", Value: a.Name}, {Key: "general.type", Value: "adapter"}, {Key: "adapter.type", Value: "lora"},
	}
	g := &general{texts: map[string]string{}}
	dir := ad.Path
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	var parameters int64
	for _, t := range ad.Weights.Tensors {
		parameters += int64(t.NumElements())
	}
	g.readName(filepath.Base(dir), -parameters)
	delete(g.texts, "size_label")
	kv = append(kv, g.keyValues()...)
	return append(kv, formats.KeyValue{Key: "adapter.lora.alpha", Value: float32(ad.Config.Alpha)},
		formats.KeyValue{Key: quantizationVersionKey, Value: uint32(quantizationVersion)})
}

// IsAdapter reports whether a GGUF model is an adapter.
func IsAdapter(m *formats.Model) bool {
	return m.Format == "gguf" && m.Metadata.Get("general.type") == "adapter"
}

// suffixes of an adapter's tensors.
const (
	factorA = ".lora_a"
	factorB = ".lora_b"
)

func baseName(name string) (base string, ok bool) {
	for _, s := range []string{factorA, factorB} {
		if base, ok = strings.CutSuffix(name, s); ok {
			return base, true
		}
	}
	return name, false
}

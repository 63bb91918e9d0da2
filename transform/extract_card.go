package transform

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/loratool/loratool/formats/strictjson"
)

// card returns the README.md of an extracted adapter: what it is, how near it
// comes, and what a user must know to load it.
func card(r *ExtractReport, config *strictjson.Object) []byte {
	var b bytes.Buffer
	base := config.String("base_model_name_or_path")
	front := &strictjson.Object{Members: []strictjson.Member{
		{Key: "base_model", Value: base}, {Key: "library_name", Value: "peft"}, {Key: "tags", Value: strictjson.Array{"lora", "loratool"}},
	}}
	// JSON is YAML, with all names quoted as they must be.
	fmt.Fprintf(&b, "---\n%s---\n\n# LoRA extracted from a fine-tuned model\n\n", strictjson.Format(front))
	fmt.Fprintf(&b, "The difference between `%s` and its base `%s`, as a PEFT adapter (ranks: %s; factors in %s).\n\n",
		r.Finetuned, base, r.Ranks, r.DType)
	factored := 0
	lowest, highest := 0, 0
	for _, l := range r.Layers {
		if l.Rank == 0 {
			continue
		}
		if factored == 0 || l.Rank < lowest {
			lowest = l.Rank
		}
		highest = max(highest, l.Rank)
		factored++
	}
	fmt.Fprintf(&b, "| | |\n| --- | --- |\n")
	fmt.Fprintf(&b, "| matrices | %d of %d that changed |\n", factored, len(r.Layers))
	fmt.Fprintf(&b, "| ranks | %d to %d |\n", lowest, highest)
	fmt.Fprintf(&b, "| energy kept | %.2f %% of ‖Δ‖² |\n", 100*r.Energy)
	fmt.Fprintf(&b, "| relative error | %.4g |\n", r.RelativeError)
	fmt.Fprintf(&b, "| parameters | %d |\n\n", r.Parameters)
	b.WriteString("The errors are those of the weights in this folder, ‖Δ − BA‖/‖Δ‖ in the Frobenius norm.\n\n")
	if len(r.Saved) > 0 {
		fmt.Fprintf(&b, "Besides, the adapter has %d tensors of the fine-tuned model as they are, such as norms.\n", len(r.Saved))
		for _, s := range r.Saved {
			if strings.HasPrefix(s.Why, "not in the base") {
				fmt.Fprintf(&b, "\n`%s` has shape %v, which is not that of the base: before loading the adapter, resize the base's\n"+
					"vocabulary (`model.resize_token_embeddings(%d)`).\n", strings.TrimPrefix(s.Name, keyPrefix), s.Shape, s.Shape[0])
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"+
		"base = AutoModelForCausalLM.from_pretrained(%q)\nmodel = PeftModel.from_pretrained(base, \"this folder\")\n```\n", base)
	return b.Bytes()
}

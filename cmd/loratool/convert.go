package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/shrink"
)

var convertCommand = &command{
	name:    "convert",
	form:    "MODEL -o OUT",
	summary: "turn a Hugging Face checkpoint into GGUF, quantized if wanted, or GGUF into a checkpoint",
	about: `OUT.gguf is the file that llama.cpp's converter writes, with the same names, number formats and
		metadata, for ` + architectureNames() + `.

		--type is a number format (auto, f32, f16, bf16, q8_0) or a recipe of quantize, such as Q4_K_M: then
		the result is that of two commands, convert to auto and quantize, without the file in between.

		How text is split before it becomes tokens is told from the structure of tokenizer.json. Where that
		is unknown, --pre says it. A model whose class is unknown, but whose family is not, takes its
		description and its tokenizer from another file of the family: --template.

		MODEL.gguf becomes a checkpoint folder: weights, in the precision of the file or as --type says,
		config.json, tokenizer, chat template.

		An adapter of PEFT becomes a GGUF adapter for llama.cpp's --lora, and such a file an adapter of PEFT.
		What a GGUF adapter can't hold (DoRA, modules trained as a whole) is refused: merge has no such limits.`,
	examples: []example{
		{"to GGUF, in the checkpoint's own precision", "loratool convert ./model -o model.gguf"},
		{"quantized, in one go", "loratool convert org/model -o model-Q4_K_M.gguf --type Q4_K_M"},
		{"back to a checkpoint", "loratool convert model.gguf -o ./model"},
		{"an adapter for llama.cpp's --lora", "loratool convert ./my-adapter -o my-adapter.gguf --base ./model"},
		{"a fine-tune with a class of its own", "loratool convert ./tune -o tune.gguf --template base.gguf"},
	},
	flags: flagList(
		typeFlag(),
		preFlag(),
		&cli.StringFlag{Name: "metadata", Usage: "`FILE`: JSON with general.* keys to be written in place of those found"},
		&cli.StringFlag{Name: "template", Usage: "`FILE.gguf` of the same family to take description and tokenizer from"},
		&cli.StringFlag{Name: "base", Usage: "`MODEL` that an adapter is for: a checkpoint, of which config.json is enough, or GGUF; without it, the one that it was trained on, if that is at hand"},
		recipeFlags(), outputFlags(),
		shardFlag(""), workFlags(),
	),
	operands: [2]int{1, 1},
	run:      runConvert,
}

func runConvert(c *call) error {
	m, err := hf.Open(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	switch {
	case isAdapter(m):
		return c.adapterToGGUF()
	case arch.IsAdapter(m):
		return c.adapterFromGGUF(m)
	case m.Format == "gguf" && c.wantsGGUF():
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it is GGUF already"),
			Hint: "loratool quantize changes the number formats of a GGUF model"}
	case m.Format == "gguf":
		return c.writeCheckpoint(m)
	case !c.wantsGGUF():
		return usagef("-o "+c.ggufOutput()+" makes GGUF of it; loratool cast changes the number format of a checkpoint",
			"-o %s is no GGUF file", c.String("output"))
	}
	// The experts of gpt-oss become GGUF's MXFP4 as they are.
	if method, err := shrink.Method(m); err != nil || method != "mxfp4" {
		plain, _, err := c.decode(m)
		if err != nil {
			return err
		}
		m = shrink.Round(plain)
	}
	return c.writeGGUF(m, nil, nil)
}

// writeCheckpoint converts a GGUF model to a checkpoint.
func (c *call) writeCheckpoint(m *formats.Model) error {
	dtype, ok := map[string]formats.DType{"auto": formats.Invalid, "f32": formats.F32, "f16": formats.F16, "bf16": formats.BF16}[strings.ToLower(c.String("type"))]
	if !ok {
		return usagef("a checkpoint's --type is auto, f32, f16 or bf16", "--type can't be %q", c.String("type"))
	}
	out, err := arch.FromGGUF(m, dtype)
	if err != nil {
		return err
	}
	l, err := c.layout(out)
	if err != nil {
		return err
	}
	c.infof("%s, %s", plural(len(out.Tensors), "%d tensor", "%d tensors"), formatSize(out.NumBytes()))
	return c.write(l, convertReport(out), nil)
}

// wantsGGUF reports whether the output is to be GGUF: a file of that extension, or
// a folder of shards whose name ends so.
func (c *call) wantsGGUF() bool { return strings.EqualFold(filepath.Ext(c.String("output")), ".gguf") }

// ggufOutput returns what the output would be called as GGUF, for hints.
func (c *call) ggufOutput() string {
	out := filepath.Clean(c.String("output"))
	return strings.TrimSuffix(out, ".safetensors") + ".gguf"
}

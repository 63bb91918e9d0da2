package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
)

var convertCommand = &command{
	name:    "convert",
	form:    "MODEL -o OUT",
	summary: "turn a Hugging Face checkpoint into GGUF, quantized if wanted",
	about: `OUT.gguf is the file that llama.cpp's converter writes, with the same names, number formats and
		metadata, for ` + architectureNames() + `.

		--type is a number format (auto, f32, f16, bf16, q8_0) or a recipe of quantize, such as Q4_K_M: then
		the result is that of two commands, convert to auto and quantize, without the file in between.

		How text is split before it becomes tokens is told from the structure of tokenizer.json. Where that
		is unknown, --pre says it. A model whose class is unknown, but whose family is not, takes its
		description and its tokenizer from another file of the family: --template.`,
	examples: []example{
		{"to GGUF, in the checkpoint's own precision", "loratool convert ./model -o model.gguf"},
		{"quantized, in one go", "loratool convert org/model -o model-Q4_K_M.gguf --type Q4_K_M"},
		{"a fine-tune with a class of its own", "loratool convert ./tune -o tune.gguf --template base.gguf"},
	},
	flags: flagList(
		typeFlag(),
		&cli.StringFlag{Name: "pre", Usage: "`NAME` of the pre-tokenizer, as llama.cpp calls it, if the table does not know it"},
		&cli.StringFlag{Name: "metadata", Usage: "`FILE`: JSON with general.* keys to be written in place of those found"},
		&cli.StringFlag{Name: "template", Usage: "`FILE.gguf` of the same family to take description and tokenizer from"},
		recipeFlags(), outputFlags(),
		&cli.StringFlag{Category: groupOutput, Name: "max-shard-size", Usage: "`SIZE` of a file at most; OUT is a folder of shards then"},
		workFlags(),
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
	case m.Format == "gguf":
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it is GGUF already"),
			Hint: "loratool quantize changes the number formats of a GGUF model"}
	case !c.wantsGGUF():
		return usagef("convert writes GGUF: -o "+filepath.Base(c.String("output"))+".gguf; loratool cast changes the number format of a checkpoint",
			"-o %s is no GGUF file", c.String("output"))
	}
	return c.writeGGUF(m, nil, nil)
}

// wantsGGUF reports whether the output is to be GGUF: a file of that extension, or
// a folder of shards whose name ends so.
func (c *call) wantsGGUF() bool { return strings.EqualFold(filepath.Ext(c.String("output")), ".gguf") }

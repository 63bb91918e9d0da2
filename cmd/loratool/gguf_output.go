package main

import (
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/recipe"
	"github.com/loratool/loratool/transform/shrink"
)

// typeFlag is for commands that make GGUF of checkpoints.
func typeFlag() cli.Flag {
	return &cli.StringFlag{Name: "type", Value: "auto", Usage: "`TYPE` of the GGUF file: auto (BF16 or F16), f32, f16, bf16, q8_0, or a recipe such as Q4_K_M"}
}

// preFlag is for the same.
func preFlag() cli.Flag {
	return &cli.StringFlag{Name: "pre", Usage: "`NAME` of the pre-tokenizer, as llama.cpp calls it, if the table does not know it"}
}

// A ggufType is what --type says: what the converter aims at, and what is done on
// top of it.
type ggufType struct {
	convert  arch.Type
	quantize bool
	recipe   recipe.FType
}

func (c *call) ggufType() (t ggufType, err error) {
	name := c.String("type")
	if t.convert, err = arch.ParseType(name); err == nil {
		return t, nil
	}
	if s, ok := shrink.ParseType(name); ok {
		return t, usagef("-o FOLDER; loaders of it need a config.json beside the weights", "%s is a type of checkpoints, and -o %s is GGUF", s.Type, c.String("output"))
	}
	var ok bool
	if t.recipe, ok = recipe.ParseFType(name); !ok || t.recipe == recipe.Copy {
		return t, noType(name, "auto")
	}
	t.quantize = true
	return t, nil
}

func architectureNames() string {
	names := arch.Names()
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// writeGGUF converts a checkpoint to GGUF, quantizes it if --type says so, and
// writes it. The report, if there is one, is of what was done before; rows prints
// the plan of that.
func (c *call) writeGGUF(m *formats.Model, report any, rows func()) error {
	t, err := c.ggufType()
	if err != nil {
		return err
	}
	o := arch.Options{Type: t.convert, Pre: c.String("pre")}
	if o.Override, err = readJSON(c.String("metadata")); err != nil {
		return err
	}
	if path := c.String("template"); path != "" {
		if o.Template, err = c.openGGUF(path); err != nil {
			return err
		}
		defer o.Template.Close()
	}
	out, err := arch.ToGGUF(m, o)
	if err != nil {
		return err
	}
	if report == nil {
		report = convertReport(out)
	}
	c.infof("%s as %s, %s", plural(len(out.Tensors), "%d tensor", "%d tensors"), out.Metadata.Get("general.architecture"), formatSize(out.NumBytes()))
	if t.quantize {
		return c.writeQuantized(out, t.recipe, report, rows)
	}
	l, err := c.layoutGGUF(out, nil)
	if err != nil {
		return err
	}
	return c.write(l, report, rows)
}

// writeQuantized quantizes a GGUF model and writes it.
func (c *call) writeQuantized(m *formats.Model, f recipe.FType, report any, rows func()) error {
	var o transform.QuantizeOptions
	o.Recipe.FType = f
	close, err := c.quantizeOptions(&o)
	if err != nil {
		return err
	}
	defer close()
	out, made, err := transform.Quantize(m, o)
	if err != nil {
		return err
	}
	c.explainQuantize(made, &o)
	l, err := c.layoutGGUF(out, nil)
	if err != nil {
		return err
	}
	return c.write(l, joinReports(report, made), func() {
		if rows != nil {
			rows()
		}
		c.planQuantize(made)
	})
}

// quantizeOptions reads the flags of the recipe into o, and opens the importance
// matrix, which close closes.
func (c *call) quantizeOptions(o *transform.QuantizeOptions) (close func(), err error) {
	if err := c.recipe(o); err != nil {
		return nil, err
	}
	o.Imatrix, close, err = c.openImatrix()
	return close, err
}

// openImatrix opens what --imatrix names, if it does, with the entries that the
// flags leave. close closes it.
func (c *call) openImatrix() (m *imatrix.Matrix, close func(), err error) {
	path := c.String("imatrix")
	if path == "" {
		return nil, func() {}, nil
	}
	whole, err := imatrix.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return c.filtered(whole), func() { whole.Close() }, nil
}

// layoutGGUF plans a GGUF output: a file, or a folder of shards if --max-shard-size
// is given, or shards says in which of them each tensor goes.
func (c *call) layoutGGUF(m *formats.Model, shards []int) (*formats.Layout, error) {
	o := gguf.LayoutOptions{Shards: shards}
	if c.IsSet("max-shard-size") { // what is the default for checkpoints is none for GGUF
		if c.Bool("keep-split") {
			return nil, usagef(c.cmd.see(), "--max-shard-size and --keep-split are two ways to split")
		}
		var err error
		if o.MaxShardSize, err = c.shardSize(); err != nil {
			return nil, err
		}
	}
	m.Stem = c.outputStem()
	return gguf.Layout(m, o)
}

// explainQuantize tells what becomes of each tensor, and warns of what a person
// would not expect.
func (c *call) explainQuantize(r *transform.QuantizeReport, o *transform.QuantizeOptions) {
	c.infof("quantized to %s, %.4g bits per weight", formatSize(r.Bytes()), r.BitsPerWeight())
	for _, t := range r.Tensors {
		c.detailf("%s: %v becomes %v", t.Name, t.From, t.DType)
	}
	if n := r.Fallbacks(); n > 0 {
		c.warnf("the rows of %s do not fill blocks of the format that the recipe has for them, and got another",
			plural(n, "%d tensor", "%d tensors"))
	}
	for _, v := range o.Recipe.Overrides {
		if !slices.ContainsFunc(r.Tensors, func(t *transform.QuantizedTensor) bool { return v.Matches(t.Name) }) {
			c.warnf("--tensor-type %v matches no tensor", v)
		}
	}
}

// convertReport says what each tensor has become.
func convertReport(m *formats.Model) any {
	return map[string]any{"architecture": m.Metadata.Get("general.architecture"), "tensors": infos(m)}
}

// joinReports puts the report of what came first and that of quantization
// together.
func joinReports(first any, quantize *transform.QuantizeReport) any {
	return struct {
		Convert  any                       `json:"before"`
		Quantize *transform.QuantizeReport `json:"quantize"`
	}{first, quantize}
}

// readJSON returns the object in a file, or nil if there is no path.
func readJSON(path string) (*strictjson.Object, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "%v", err)}
	}
	return o, nil
}

// ordered returns the model with its tensors in the order in which a checkpoint
// folder of it has them. What is converted from it then is what would be converted
// from the folder.
func ordered(m *formats.Model) (*formats.Model, error) {
	l, err := hf.Layout(m, hf.LayoutOptions{})
	if err != nil {
		return nil, err
	}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
	for _, f := range l.Files {
		for _, p := range f.Tensors {
			out.Tensors = append(out.Tensors, p.Tensor)
		}
	}
	return out, nil
}

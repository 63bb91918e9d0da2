package main

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
)

// adapterToGGUF converts an adapter of PEFT to a GGUF adapter.
func (c *call) adapterToGGUF() error {
	if !c.wantsGGUF() {
		return usagef("-o "+c.ggufOutput()+" makes a GGUF adapter of it", "-o %s is no GGUF file", c.String("output"))
	}
	typ, err := arch.ParseType(c.String("type"))
	if err != nil || typ == arch.Q8_0 {
		return usagef("a GGUF adapter's --type is f32, f16 or bf16; auto is f32", "--type can't be %q", c.String("type"))
	}
	a, err := adapter.Open(c.operand(0))
	if err != nil {
		return err
	}
	defer a.Close()
	base, err := c.openBase(a.Config.Base)
	if err != nil {
		return err
	}
	defer base.Close()
	out, err := arch.AdapterToGGUF(a, base, typ)
	if err != nil {
		return err
	}
	switch tied, err := arch.ChangesTiedHead(out, base); {
	case err != nil:
		return err
	case tied:
		c.warnf("it changes an embedding that is the base's head, too, at which llama.cpp stops; merged into the base it works")
	}
	l, err := c.layoutGGUF(out, nil)
	if err != nil {
		return err
	}
	c.infof("%s for %s", plural(len(out.Tensors)/2, "%d tensor", "%d tensors"), out.Metadata.Get("general.architecture"))
	return c.write(l, convertReport(out), nil)
}

// adapterFromGGUF converts a GGUF adapter to one of PEFT.
func (c *call) adapterFromGGUF(m *formats.Model) error {
	if c.wantsGGUF() {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it is a GGUF adapter already")}
	}
	base, err := c.openBase("")
	if err != nil {
		return err
	}
	defer base.Close()
	out, err := arch.AdapterFromGGUF(m, base)
	if err != nil {
		return err
	}
	l, err := c.layout(out)
	if err != nil {
		return err
	}
	return c.write(l, convertReport(out), nil)
}

// openBase opens the base that --base names, or the one that the adapter was trained
// on if it is at hand.
func (c *call) openBase(trainedOn string) (*formats.Model, error) {
	ref := c.String("base")
	const hint = "--base names the model that the adapter is for: a checkpoint, of which config.json is enough, or a GGUF file"
	if ref == "" {
		if trainedOn == "" {
			return nil, usagef(hint, "--base is missing: row orders and names depend on the base")
		}
		base, err := hf.OpenConfig(trainedOn)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &formats.Error{Path: c.operand(0), Err: err, Hint: hint}
		}
		return base, err
	}
	return hf.OpenConfig(ref)
}

// isAdapter reports whether a model is an adapter of PEFT.
func isAdapter(m *formats.Model) bool {
	return m.Asset(adapter.ConfigName) != nil || strings.HasPrefix(m.Stem, "adapter_model")
}

package main

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/shrink"
)

// openModel opens a model whose weights are to be read as numbers. Those of a
// quantized checkpoint are decoded as they are read, which is said.
func (c *call) openModel(ref string) (*formats.Model, error) {
	m, _, err := c.openSource(ref)
	return m, err
}

// openSource is openModel that also returns how the checkpoint is quantized, nil if
// it is not.
func (c *call) openSource(ref string) (*formats.Model, *shrink.Source, error) {
	m, err := hf.Open(ref)
	if err != nil {
		return nil, nil, err
	}
	return c.decode(m)
}

// decode is openSource of an open model, which it closes if it fails.
func (c *call) decode(m *formats.Model) (*formats.Model, *shrink.Source, error) {
	plain, source, err := shrink.Dequantize(m)
	if err != nil {
		m.Close()
		return nil, nil, err
	}
	if source != nil {
		c.infof("%s is quantized (%s): its %s, and loaders round them to %v", m.Path, source.Scheme,
			plural(source.Count, "%d matrix is decoded", "%d matrices are decoded"), source.DType)
	}
	return plain, source, nil
}

// openCheckpoint is openModel that sees a GGUF model as the checkpoint that it was
// converted from.
func (c *call) openCheckpoint(ref string) (*formats.Model, error) {
	m, err := c.openModel(ref)
	if err != nil || m.Format != "gguf" {
		return m, err
	}
	v, err := arch.NewView(m)
	if err != nil {
		m.Close()
		return nil, err
	}
	return v.Model, nil
}

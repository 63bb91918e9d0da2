package main

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
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
	plain, source, err := c.decode(m)
	if err != nil {
		m.Close()
	}
	return plain, source, err
}

// decode is openSource of an open model.
func (c *call) decode(m *formats.Model) (*formats.Model, *shrink.Source, error) {
	plain, source, err := shrink.Dequantize(m)
	if err != nil {
		return nil, nil, err
	}
	c.explainDecoding(m, source)
	return plain, source, nil
}

// explainDecoding says that the weights of a quantized checkpoint are decoded.
func (c *call) explainDecoding(m *formats.Model, source *shrink.Source) {
	if source != nil {
		c.infof("%s is quantized (%s): its %s, and loaders round them to %v", m.Path, source.Scheme,
			plural(source.Count, "%d matrix is decoded", "%d matrices are decoded"), source.DType)
	}
}

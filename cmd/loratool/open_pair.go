package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/shrink"
)

// A pair is the two models of a command that compares them.
type pair struct {
	a, b  *formats.Model
	mixed bool // one is GGUF and the other a checkpoint
}

// openPair opens the models that the first two operands name, as they are.
func (c *call) openPair() (*pair, error) {
	a, err := hf.Open(c.operand(0))
	if err != nil {
		return nil, err
	}
	b, err := hf.Open(c.operand(1))
	if err != nil {
		a.Close()
		return nil, err
	}
	return &pair{a, b, (a.Format == "gguf") != (b.Format == "gguf")}, nil
}

func (p *pair) Close() {
	p.a.Close()
	p.b.Close()
}

// inputs returns the files of both.
func (p *pair) inputs() []*formats.File { return slices.Concat(p.a.Inputs, p.b.Inputs) }

// openCheckpoints is openPair for commands that know checkpoints only: quantized
// ones are decoded, and a GGUF model is seen as what it was converted from.
func (c *call) openCheckpoints() (*pair, error) {
	p, err := c.openPair()
	if err != nil {
		return nil, err
	}
	for _, m := range []**formats.Model{&p.a, &p.b} {
		if err = noAdapter(*m); err == nil {
			err = c.makeCheckpoint(m)
		}
		if err != nil {
			p.Close()
			return nil, p.explain(err)
		}
	}
	return p, nil
}

// noAdapter returns an error if m is an adapter, which changes a model and is none.
func noAdapter(m *formats.Model) error {
	if (!isAdapter(m) || m.Asset("config.json") != nil) && !arch.IsAdapter(m) {
		return nil
	}
	return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrMismatch, "it is an adapter, not a model"),
		Hint: "loratool merge makes a model of it and its base"}
}

// makeCheckpoint replaces a model by its weights as they are computed with.
func (c *call) makeCheckpoint(m **formats.Model) error {
	plain, _, err := c.decode(*m)
	if err != nil {
		return err
	}
	*m = plain
	return viewGGUF(m)
}

// openComparable is openPair for diff, which compares anything: what can't be
// decoded is compared as it is stored, which is said.
func (c *call) openComparable() (*pair, error) {
	p, err := c.openPair()
	if err != nil {
		return nil, err
	}
	if err := c.makeComparable(p); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (c *call) makeComparable(p *pair) error {
	a, sourceA, err := shrink.Dequantize(p.a)
	var b *formats.Model
	var sourceB *shrink.Source
	if err == nil {
		b, sourceB, err = shrink.Dequantize(p.b)
	}
	switch {
	case errors.Is(err, formats.ErrUnsupported):
		c.warnf("%v: the tensors of both are compared as they are stored, not as the weights that they stand for", err)
		return nil
	case err != nil:
		return err
	}
	c.explainDecoding(p.a, sourceA)
	c.explainDecoding(p.b, sourceB)
	p.a, p.b = a, b
	if !p.mixed {
		return nil
	}
	switch err := cmp.Or(viewGGUF(&p.a), viewGGUF(&p.b)); {
	case errors.Is(err, formats.ErrUnsupported):
		c.warnf("one of the two is GGUF and the other a checkpoint, and their names are compared as they are: %v", err)
	case err != nil:
		return err
	default:
		c.infof("one of the two is GGUF, and compared as the checkpoint that it was converted from")
	}
	return nil
}

// viewGGUF replaces a GGUF model by the checkpoint that it was converted from.
func viewGGUF(m **formats.Model) error {
	if (*m).Format != "gguf" {
		return nil
	}
	v, err := arch.NewView(*m)
	if err != nil {
		return err
	}
	*m = v.Model
	return nil
}

// explain adds to an error about a pair that one of the two is GGUF, where that can
// be the reason.
func (p *pair) explain(err error) error {
	if !p.mixed || !errors.Is(err, formats.ErrMismatch) && !errors.Is(err, formats.ErrUnsupported) {
		return err
	}
	return &formats.Error{Err: fmt.Errorf("one of the two is GGUF and the other a checkpoint, and they can't be brought together: %w", err),
		Hint: "loratool convert makes one of the kind of the other; or take the checkpoint that the GGUF file was made of"}
}

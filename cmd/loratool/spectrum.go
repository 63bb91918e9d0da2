package main

import (
	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
)

var spectrumCommand = &command{
	name:    "spectrum",
	form:    "BASE FINETUNED",
	summary: "show how low the rank of a fine-tune is: singular values, noise, suggested ranks",
	about: `Finds the largest singular values of finetuned − base for every matrix and prints by kinds of modules how
		they fall, how many stand out of the noise that storing the weights in 16 bits made, and which ranks
		keep 80, 90, 95 and 99 percent of the squared norm. Below, what one rank for all would keep. It writes
		no adapter. With -v every layer has a line.

		A report that ends in .html is a page with plots, any other is JSON.`,
	examples: []example{
		{"which rank shall it be?", "loratool spectrum ./base ./finetuned"},
		{"the attention only, with plots", "loratool spectrum ./base ./finetuned --include self_attn --report spectrum.html"},
	},
	flags: flagList(
		&cli.IntFlag{Name: "rank", Value: transform.DefaultSpectrumRank, Usage: "`N`: how many singular values of each matrix to find"},
		pairFlags(), reportFlag("what was found about each layer"), workFlags(), jsonFlag(),
	),
	operands: [2]int{2, 2},
	run:      runSpectrum,
}

func runSpectrum(c *call) error {
	o := transform.ExtractOptions{Rank: c.Int("rank"), LeftShare: 0.5}
	if o.Rank < 1 {
		return usagef("", "--rank must be at least 1")
	}
	if err := c.pairOptions(&o); err != nil {
		return err
	}
	p, err := c.openCheckpoints()
	if err != nil {
		return err
	}
	defer p.Close()
	place := &formats.Layout{Folder: true, Inputs: p.inputs()}
	if err := c.checkReport(place); err != nil {
		return err
	}
	var r *transform.SpectrumReport
	err = c.watched(func(w transform.Options) error {
		o.Options = w
		r, err = transform.Spectrum(c.ctx, p.a, p.b, o)
		return err
	})
	if err != nil {
		return p.explain(err)
	}
	if err := c.writeReport(place, r); err != nil {
		return err
	}
	if c.Bool("json") {
		return c.printJSON(r)
	}
	c.showSpectrum(r)
	return nil
}

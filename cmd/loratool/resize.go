package main

import (
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

var resizeCommand = &command{
	name:    "resize",
	form:    "ADAPTER -o OUT --rank N | --energy E",
	summary: "change the rank of a LoRA, with the smallest error there can be",
	about: `Replaces each pair of factors by the best of the new rank, by QR decompositions of the factors, without
		forming their product: exact, and a matter of seconds. The scale becomes 1 for all modules (alpha is the
		rank), whatever alpha, patterns and rsLoRA made of it before. Saved modules and biases stay.`,
	examples: []example{
		{"halve a LoRA of rank 32", "loratool resize ./adapter -o ./smaller --rank 16"},
		{"as little as keeps 90 percent", "loratool resize ./adapter -o ./smaller --energy 0.9"},
	},
	flags: flagList(
		&cli.IntFlag{Name: "rank", Usage: "`N`: the rank of every module, if it has so much"},
		&cli.Float64Flag{Name: "energy", Usage: "`SHARE` of each module's squared norm to keep, such as 0.9"},
		&cli.BoolFlag{Name: "uniform", Usage: "one rank for all modules, for programs that know no rank_pattern"},
		dtypeFlag("`FORMAT` of the factors: bf16, f16 or f32; otherwise what they have", ""),
		outputFlags(), workFlags(),
	),
	operands: [2]int{1, 1},
	run:      runResize,
}

func runResize(c *call) error {
	o := transform.ResizeOptions{Rank: c.Int("rank"), Energy: c.Float64("energy"), DType: c.dtype(), Uniform: c.Bool("uniform")}
	switch {
	case c.IsSet("rank") == c.IsSet("energy"):
		return usagef(c.cmd.see(), "say --rank or --energy")
	case c.IsSet("rank") && o.Rank < 1:
		return usagef("", "--rank must be at least 1")
	case c.IsSet("energy") && !(o.Energy > 0 && o.Energy <= 1):
		return usagef("--energy is a share, above 0 and at most 1", "--energy can't be %v", o.Energy)
	}
	a, err := adapter.Open(c.operand(0))
	if err != nil {
		return err
	}
	defer a.Close()
	if err := c.checkOutputs(&formats.Layout{Folder: true, Inputs: a.Weights.Inputs}); err != nil {
		return err
	}
	o.TempDir = filepath.Dir(filepath.Clean(c.String("output")))
	start := time.Now()
	var x *transform.Extraction
	err = c.watched(func(w transform.Options) error {
		o.Options = w
		x, err = transform.Resize(c.ctx, a, o)
		return err
	})
	if err != nil {
		return err
	}
	defer x.Close()
	if c.Bool("dry-run") {
		return c.write(x.Layout, x.Report, func() {})
	}
	if err := transform.Write(c.ctx, x.Layout, c.String("output"), c.options()); err != nil {
		return err
	}
	c.infof("%s of the squared norm kept, relative error %.4g; %d modules, %d parameters", percentage(x.Report.Energy), x.Report.RelativeError,
		len(x.Report.Layers), x.Report.Parameters)
	for _, l := range x.Report.Layers {
		c.detailf("%s: rank %d, relative error %.4g", l.Module, l.Rank, l.RelativeError)
	}
	return c.finish(x.Layout, x.Report, start, nil)
}

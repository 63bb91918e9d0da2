package main

import (
	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/transform"
)

var verifyCommand = &command{
	name:    "verify",
	form:    "MODEL [MODEL …]",
	summary: "check model files: structure, NaN and infinities, digests",
	about: `Checks that headers, sizes and offsets fit, that nothing is missing, overlapping or left over, and
		that an index agrees with its shards; looks for NaN and infinities in every tensor; and where a
		SHA256SUMS lies beside the weights, compares the files that it lists with their digests.

		Prints a line for each problem, with file, tensor and place. The exit code is 0 if there is none
		and 6 if there is one.`,
	examples: []example{
		{"is the download whole and sane?", "loratool verify ./Llama-3.2-1B"},
		{"record the digests, and check them later", "loratool verify ./merged --sums > SHA256SUMS; mv SHA256SUMS ./merged; loratool verify ./merged"},
	},
	flags: flagList(
		&cli.BoolFlag{Name: "sums", Usage: "print the digests of all files of a folder, as sha256sum does, instead"},
		workFlags(), jsonFlag(),
	),
	operands: [2]int{1, 1 << 20},
	run:      runVerify,
}

func runVerify(c *call) error {
	if c.Bool("sums") {
		return c.printSums()
	}
	results := []*transform.Verification{}
	problems := 0
	for _, ref := range c.Args().Slice() {
		var v *transform.Verification
		err := c.watched(func(o transform.Options) (err error) {
			v, err = transform.Verify(c.ctx, ref, o)
			return err
		})
		if err != nil {
			return err
		}
		results = append(results, v)
		problems += len(v.Problems)
		if !c.Bool("json") {
			c.printVerification(v)
		}
	}
	if c.Bool("json") {
		if err := c.printJSON(results); err != nil {
			return err
		}
	}
	if problems > 0 {
		return errDiffer
	}
	return nil
}

func (c *call) printVerification(v *transform.Verification) {
	for i := range v.Problems {
		c.printf("%s\n", v.Problems[i].String())
	}
	if len(v.Problems) == 0 {
		c.printf("%s: good: %s%s\n", v.Path, plural(v.Tensors, "%d tensor", "%d tensors"), plural(len(v.Digests), ", %d digest", ", %d digests"))
	}
}

func (c *call) printSums() error {
	var sums []transform.Digest
	for _, dir := range c.Args().Slice() {
		err := c.watched(func(o transform.Options) error {
			list, err := transform.SumFolder(c.ctx, dir, o)
			sums = append(sums, list...)
			return err
		})
		if err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return c.printJSON(sums)
	}
	for _, s := range sums {
		c.printf("%s\n", s)
	}
	return nil
}

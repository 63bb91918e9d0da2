package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
)

var diffCommand = &command{
	name:    "diff",
	form:    "A B",
	summary: "compare two models tensor by tensor, and measure how far apart they are",
	about: `Prints a line for each tensor that one of the two lacks or that differs in shape, number format or
		bytes. Of those with the same shape it gives max |a−b|, the greatest difference of two numbers,
		and the relative error, ‖a−b‖ / ‖a‖ in the Frobenius norm. The models may be of different formats
		and number formats; a GGUF model is compared with a checkpoint as what it was converted from. What is
		quantized is decoded, or, if the method is unknown, compared as it is stored.

		The exit code is 0 if all tensors are equal byte by byte and 6 if not. With -v equal tensors have
		a line, too.`,
	examples: []example{
		{"what did the merge change?", "loratool diff ./base ./merged"},
		{"how much does half precision cost?", "loratool diff ./model ./model-f16 --json"},
	},
	flags:    flagList(workFlags(), jsonFlag()),
	operands: [2]int{2, 2},
	run:      runDiff,
}

func runDiff(c *call) error {
	p, err := c.openComparable()
	if err != nil {
		return err
	}
	defer p.Close()
	var diffs []*transform.TensorDiff
	err = c.watched(func(o transform.Options) error {
		diffs, err = transform.Diff(c.ctx, p.a, p.b, o)
		return err
	})
	if err != nil {
		return err
	}
	equal := 0
	for _, d := range diffs {
		if d.Equal {
			equal++
		}
	}
	if c.Bool("json") {
		err = c.printDiffJSON(diffs, equal)
	} else {
		c.printDiffs(diffs, equal)
	}
	if err == nil && equal < len(diffs) {
		return errDiffer
	}
	return err
}

func (c *call) printDiffJSON(diffs []*transform.TensorDiff, equal int) error {
	type line struct {
		*transform.TensorDiff
		RelativeError *float64 `json:"relative_error"` // null if it is infinite
	}
	lines := make([]line, len(diffs))
	for i, d := range diffs {
		lines[i].TensorDiff = d
		if r := d.RelativeError(); !math.IsInf(r, 0) && !math.IsNaN(r) {
			lines[i].RelativeError = &r
		}
	}
	return c.printJSON(map[string]any{"equal": equal == len(diffs), "equal_tensors": equal, "tensors": lines})
}

func (c *call) printDiffs(diffs []*transform.TensorDiff, equal int) {
	width := 0
	for _, d := range diffs {
		if !d.Equal || c.verbose {
			width = max(width, len(d.Name))
		}
	}
	for _, d := range diffs {
		if !d.Equal || c.verbose {
			c.printf("%-*s  %s\n", width, d.Name, describeDiff(d))
		}
	}
	same := 0
	for _, d := range diffs {
		if d.Same() && !d.Equal {
			same++
		}
	}
	c.printf("%d of %d tensors are equal%s\n", equal, len(diffs), plural(same, ", and %d more in its numbers", ", and %d more in their numbers"))
}

// describeDiff says in a line how a tensor differs.
func describeDiff(d *transform.TensorDiff) string {
	switch {
	case d.B == nil:
		return "only in A: " + d.A.String()
	case d.A == nil:
		return "only in B: " + d.B.String()
	case d.Equal:
		return "equal"
	}
	s := ""
	if d.A.DType != d.B.DType || !sameShape(d.A, d.B) {
		s = d.A.String() + " | " + d.B.String() + "  "
	}
	switch {
	case !sameShape(d.A, d.B):
		return s + "different shapes"
	case !d.Compared:
		return s + "different bytes"
	case d.Same():
		return s + "equal numbers"
	}
	s += fmt.Sprintf("max |a−b| %-10.4g relative error %.4g", d.MaxAbs, d.RelativeError())
	if d.NonFinite > 0 {
		s += fmt.Sprintf(", without %d NaN or infinite", d.NonFinite)
	}
	return s
}

func sameShape(a, b *formats.Info) bool { return slices.Equal(a.Shape, b.Shape) }

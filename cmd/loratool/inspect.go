package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
)

var inspectCommand = &command{
	name:    "inspect",
	form:    "MODEL",
	summary: "say what a model, an adapter or a file is: format, dtypes, shapes, size, metadata",
	about: `Reads headers only, so that it takes no time whatever the size. Tensors that differ by a layer's
		number alone share a line, with a star in its place; --tensors lists each.

		MODEL is a folder, a file of any known format, or org/name[@revision] in the local Hugging Face
		cache.`,
	examples: []example{
		{"a checkpoint folder", "loratool inspect ./Llama-3.2-1B"},
		{"an adapter: its rank, alpha and targets", "loratool inspect ./my-adapter"},
		{"the largest tensors, by program", "loratool inspect model.gguf --json | jq '.tensor_list[].name'"},
	},
	flags: flagList(
		&cli.BoolFlag{Name: "tensors", Usage: "list every tensor"},
		jsonFlag(),
	),
	operands: [2]int{1, 1},
	run:      runInspect,
}

func runInspect(c *call) error {
	m, err := hf.Open(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	s, err := transform.Inspect(c.ctx, m)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return c.printJSON(struct {
			*transform.Summary
			Metadata   orderedMap      `json:"metadata"`
			TensorList []*formats.Info `json:"tensor_list"`
		}{s, orderedMap(m.Metadata), infos(m)})
	}
	c.printSummary(s)
	for i, kv := range m.Metadata {
		c.row(i, "metadata", "%s = %s", kv.Key, short(kv.Value))
	}
	c.printf("\n")
	c.printTensors(m, c.Bool("tensors") || c.verbose)
	return nil
}

func infos(m *formats.Model) []*formats.Info {
	list := make([]*formats.Info, len(m.Tensors))
	for i, t := range m.Tensors {
		list[i] = &t.Info
	}
	return list
}

// row prints a line of the summary; only the first of several with one name has
// the name in front.
func (c *call) row(i int, name, format string, args ...any) {
	if i > 0 {
		name = ""
	}
	c.printf("  %-13s %s\n", name, fmt.Sprintf(format, args...))
}

func (c *call) printSummary(s *transform.Summary) {
	c.printf("%s\n", c.heading(s.Path))
	c.row(0, "format", "%s%s", s.Format, plural(len(s.Files), ", %d file", ", %d files"))
	if s.Architecture != "" {
		c.row(0, "architecture", "%s%s", s.Architecture, plural(int(s.Layers), ", %d layer", ", %d layers"))
	}
	switch {
	case s.Scheme != "":
		c.row(0, "quantization", "%s", s.Scheme)
	case s.Quantization != "":
		c.row(0, "quantization", "%s, which can't be decoded: tensors are shown as they are stored", s.Quantization)
	}
	if a := s.Adapter; a != nil {
		c.row(0, "adapter", "%s%s", a.Type, plural(a.Modules, ", %d module", ", %d modules"))
		if a.Base != "" {
			c.row(0, "base", "%s", a.Base)
		}
		if len(a.Ranks) > 0 {
			c.row(0, "rank", "%s", join(a.Ranks))
		}
		if len(a.Alphas) > 0 {
			c.row(0, "alpha", "%s", join(a.Alphas))
		}
		if len(a.Targets) > 0 {
			c.row(0, "targets", "%s", join(a.Targets))
		}
		if len(a.Notes) > 0 {
			c.row(0, "with", "%s", join(a.Notes))
		}
	}
	if s.Quantization != "" && s.Weights == 0 && s.Format == "safetensors" { // several weights are packed into a number
		c.row(0, "size", "%s of tensors, %s numbers as they are stored", formatSize(s.Bytes), formatCount(s.Parameters))
	} else {
		c.row(0, "parameters", "%s", formatCount(cmp.Or(s.Weights, s.Parameters)))
		c.row(0, "size", "%s of tensors, %.4g bits per weight", formatSize(s.Bytes), s.BitsPerWeight())
	}
	for i, d := range s.DTypes {
		c.row(i, "dtypes", "%-8v %s, %s", d.DType, plural(d.Tensors, "%d tensor", "%d tensors"), formatSize(d.Bytes))
	}
	if len(s.Assets) > 0 {
		c.row(0, "beside it", "%s", wrap(join(s.Assets), lineWidth-16, strings.Repeat(" ", 16)))
	}
}

// layerNumber is a number that stands alone in a name.
var layerNumber = regexp.MustCompile(`(^|[._/])\d+([._/]|$)`)

// printTensors prints a table of tensors; unless all are asked for, those of the
// same shape and format that differ by a number share a line.
func (c *call) printTensors(m *formats.Model, all bool) {
	type line struct {
		name, first, info string
		count             int
	}
	var lines []*line
	width := 0
	for _, t := range m.Tensors {
		name, info := t.Name, t.Info.String()
		if !all {
			name = layerNumber.ReplaceAllString(layerNumber.ReplaceAllString(name, "$1*$2"), "$1*$2")
		}
		i := -1
		if !all {
			i = slices.IndexFunc(lines, func(l *line) bool { return l.name == name && l.info == info })
		}
		if i < 0 {
			i, lines = len(lines), append(lines, &line{name: name, first: t.Name, info: info})
			width = max(width, len(t.Name))
		}
		lines[i].count++
	}
	for _, l := range lines {
		times := ""
		if l.count == 1 {
			l.name = l.first
		} else {
			times = fmt.Sprintf("%d×", l.count)
		}
		c.printf("  %-*s %5s %s\n", width, l.name, times, l.info)
	}
}

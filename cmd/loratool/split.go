package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
)

var splitCommand = &command{
	name:    "split",
	form:    "MODEL.gguf -o FOLDER",
	summary: "divide a GGUF model into shards that llama.cpp loads as one",
	about: `The files are called after FOLDER, with -00001-of-00003 and so on. MODEL may be split already, and
		is divided anew then. A tensor that is larger than a shard may be has one of its own.`,
	examples: []example{
		{"shards of two gigabytes", "loratool split model.gguf -o model-split --max-shard-size 2GB"},
	},
	flags: flagList(
		shardFlag(""),
		&cli.IntFlag{Category: groupOutput, Name: "max-shard-tensors", Usage: "`N` tensors in a file at most"},
		outputFlags(), workFlags(),
	),
	operands: [2]int{1, 1},
	run:      runSplit,
}

var joinCommand = &command{
	name:    "join",
	form:    "SHARD.gguf -o OUT.gguf",
	summary: "put the shards of a GGUF model together in one file",
	about: `SHARD is any one of them; the others lie beside it. The result is the file as it would be if it had
		never been split.`,
	examples: []example{
		{"one file of three", "loratool join model-00001-of-00003.gguf -o model.gguf"},
	},
	flags:    flagList(outputFlags(), workFlags()),
	operands: [2]int{1, 1},
	run:      func(c *call) error { return c.regroup(gguf.LayoutOptions{}) },
}

func runSplit(c *call) error {
	size, err := c.shardSize()
	if err != nil {
		return err
	}
	o := gguf.LayoutOptions{MaxShardSize: size, MaxShardTensors: c.Int("max-shard-tensors")}
	if o.MaxShardSize == 0 && o.MaxShardTensors <= 0 {
		return usagef(c.cmd.see(), "--max-shard-size or --max-shard-tensors must say how large shards may be")
	}
	return c.regroup(o)
}

// regroup writes a model's tensors as they are, in other files.
func (c *call) regroup(o gguf.LayoutOptions) error {
	m, err := c.openGGUF(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	m.Stem = c.outputStem()
	l, err := gguf.Layout(m, o)
	if err != nil {
		return err
	}
	return c.write(l, regroupReport(l), nil)
}

// outputStem returns what shards are called, before their numbers.
func (c *call) outputStem() string {
	return strings.TrimSuffix(filepath.Base(filepath.Clean(c.String("output"))), ".gguf")
}

// regroupReport says which tensors are in which file.
func regroupReport(l *formats.Layout) any {
	type file struct {
		Name    string   `json:"name"`
		Bytes   int64    `json:"bytes"`
		Tensors []string `json:"tensors"`
	}
	files := make([]file, len(l.Files))
	for i, f := range l.Files {
		files[i] = file{f.Name, f.Size, []string{}}
		for _, p := range f.Tensors {
			files[i].Tensors = append(files[i].Tensors, p.Tensor.Name)
		}
	}
	return map[string]any{"files": files}
}

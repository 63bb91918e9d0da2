package main

import (
	"cmp"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
)

var metadataCommand = &command{
	name:    "metadata",
	form:    "FILE.gguf",
	summary: "show and change the key-value pairs of a GGUF file, without rewriting its tensors",
	about: `Without flags, prints every key with its type and value; long ones are cut, except with --json.

		With --set and --remove it changes the file in its place, if the new header fits where the old one
		is, which it does as long as it is no longer, and often if it is. The old header is kept beside the
		file meanwhile, so that a crash at any moment is undone by the next edit. If the header does not
		fit, the file is written anew, as it is with -o.

		A value takes the type of the one that it replaces. A new one is a string, unless its type is
		written before it: --set "key=uint32:5". Elements of lists have commas between them.`,
	examples: []example{
		{"what is in it?", "loratool metadata model.gguf"},
		{"correct the context length", "loratool metadata model.gguf --set llama.context_length=8192"},
		{"another file, without the chat template", "loratool metadata model.gguf --remove tokenizer.chat_template -o plain.gguf"},
	},
	flags: flagList(
		&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE`, or KEY=TYPE:VALUE; may be repeated"},
		&cli.StringSliceFlag{Name: "remove", Usage: "`KEY`; may be repeated"},
		placeFlags(), workFlags(), jsonFlag(),
	),
	operands: [2]int{1, 1},
	inPlace:  true,
	run:      runMetadata,
}

func runMetadata(c *call) error {
	path := c.operand(0)
	if len(c.StringSlice("set"))+len(c.StringSlice("remove")) == 0 {
		return c.printMetadata(path)
	}
	if c.String("output") == "" && !c.Bool("dry-run") {
		switch ok, err := gguf.EditInPlace(path, c.edit); {
		case err != nil:
			return cmp.Or(notGGUF(path), err)
		case ok:
			c.infof("changed in place")
			c.printf("%s\n", path)
			return nil
		}
		c.infof("the new header does not fit in the place of the old one: the file is written anew")
	}
	m, err := openShard(path)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Metadata, err = c.edit(m.Metadata); err != nil {
		return err
	}
	l, err := gguf.Layout(m, gguf.LayoutOptions{})
	if err != nil {
		return err
	}
	if c.String("output") == "" {
		return c.replace(l, path)
	}
	return c.write(l, nil, nil)
}

// replace writes the layout in the place of the file that it is made from. The
// old file stays until the new one is whole.
func (c *call) replace(l *formats.Layout, path string) error {
	if c.Bool("dry-run") {
		return c.printPlan(l, path, nil)
	}
	l.Inputs = nil // that the output is the input is what is wanted here
	err := c.watched(func(o transform.Options) error {
		o.Force = true
		return transform.Write(c.ctx, l, path, o)
	})
	if err == nil {
		c.printf("%s\n", path)
	}
	return err
}

// openShard opens a file as it is, whether or not it is a shard.
func openShard(path string) (*formats.Model, error) {
	f, err := formats.OpenFile(path)
	if err != nil {
		return nil, cmp.Or(notGGUF(path), err)
	}
	m, err := gguf.OpenShard(f)
	if err != nil {
		f.Close()
		return nil, cmp.Or(notGGUF(path), err)
	}
	return m, nil
}

// notGGUF returns an error with what to do instead if path is a model, but no GGUF
// file.
func notGGUF(path string) error {
	m, err := hf.Open(path)
	if err != nil {
		return nil
	}
	defer m.Close()
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil
	case m.Format == "gguf" && info.IsDir():
		return usagef("name one of its files, such as "+m.Inputs[0].Path, "%s is a folder, and metadata is for one GGUF file at a time", path)
	case m.Format != "gguf":
		return &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrUnsupported, "it is %s, and metadata is for GGUF files", m.Format),
			Hint: "loratool inspect shows what is in it; loratool convert makes GGUF of a checkpoint"}
	}
	return nil
}

// edit returns metadata as --remove and --set change it.
func (c *call) edit(m formats.Metadata) (formats.Metadata, error) {
	for _, key := range c.StringSlice("remove") {
		if m.Get(key) == nil {
			return nil, usagef("loratool metadata FILE lists the keys", "--remove: there is no key %q", key)
		}
		m = m.Without(key)
	}
	for _, assignment := range c.StringSlice("set") {
		var err error
		if m, err = gguf.Set(m, assignment); err != nil {
			return nil, usagef(c.cmd.see(), "--set: %v", err)
		}
	}
	return m, nil
}

func (c *call) printMetadata(path string) error {
	m, err := openShard(path)
	if err != nil {
		return err
	}
	defer m.Close()
	if c.Bool("json") {
		return c.printJSON(orderedMap(m.Metadata))
	}
	width := 0
	for _, kv := range m.Metadata {
		width = max(width, len(kv.Key))
	}
	width = min(width, 50)
	for _, kv := range m.Metadata {
		name := gguf.TypeName(kv.Value)
		c.printf("%-*s  %-10s %s\n", width, kv.Key, name, short(kv.Value))
	}
	return nil
}

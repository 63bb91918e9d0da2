package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The model is a really trained one: a Qwen2 with 2 layers, 427 thousand
// parameters and a vocabulary of 1024, trained on Python source for the most
// part; adapter and biases have been trained on the texts of licences then. See
// testdata/README.md.
//
//go:embed demo
var demoFiles embed.FS

var demoCommand = &command{
	name:    "demo",
	form:    "[DIR]",
	summary: "show everything at work on a tiny trained model, explained as it goes",
	about: `Takes a few seconds and needs nothing: a tiny language model and two adapters are part of the
		program. Each step is a command line that you can type yourself. With DIR, the files stay there for
		you to try more; otherwise they are removed in the end.`,
	examples: []example{
		{"watch", "loratool demo"},
		{"watch, and keep the files", "loratool demo ./loratool-demo"},
	},
	flags:    flagList(),
	operands: [2]int{0, 1},
	run:      runDemo,
}

func runDemo(c *call) error {
	dir := c.operand(0)
	if dir == "" {
		temp, err := os.MkdirTemp("", "loratool-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	if err := unpackDemo(dir); err != nil {
		return err
	}
	home, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	defer os.Chdir(home) // or a temporary folder could not be removed everywhere
	for _, step := range demoSteps {
		if err := c.runStep(step); err != nil {
			return err
		}
	}
	c.say(`That is all. "loratool help" lists the commands, "loratool help merge" tells more about one. The merged folder loads as it is: AutoModelForCausalLM.from_pretrained("merged").`)
	if c.operand(0) != "" {
		c.say("The files are in " + dir + ".")
	}
	return nil
}

// unpackDemo writes the embedded files into dir, which must be empty or new.
func unpackDemo(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return usagef("name a folder that is empty or does not exist", "%s is not empty", dir)
	}
	files, err := fs.Sub(demoFiles, "demo")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}

// runStep explains and runs one command line.
func (c *call) runStep(step demoStep) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if step.says != "" {
		c.say(step.says)
	}
	if step.before != nil {
		if err := step.before(c); err != nil {
			return err
		}
	}
	c.printf("\n%s\n", c.heading("$ "+step.line))
	inner := newUI(c.stdout, c.stdout)
	err := runApp(c.ctx, inner, strings.Fields(step.line))
	if code := exitCode(err); code != step.code {
		return fmt.Errorf("%s: %w", step.line, errors.Join(err, fmt.Errorf("exit code %d, not %d", code, step.code)))
	}
	if step.after != nil {
		return step.after(c)
	}
	return nil
}

func (c *call) say(text string) {
	c.printf("\n%s\n", wrap(text, lineWidth, ""))
}

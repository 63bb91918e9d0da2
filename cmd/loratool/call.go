package main

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// A call is a command being run: its flags and operands, and what all commands
// are given.
type call struct {
	*cli.Context
	*ui
	ctx     context.Context
	cmd     *command
	memory  int64 // bytes
	workers int
}

// operand returns the i-th operand, or "".
func (c *call) operand(i int) string { return c.Args().Get(i) }

// start checks the command line as a whole and runs the command.
func (cmd *command) start(ctx *cli.Context, ui *ui) error {
	c := &call{Context: ctx, ui: ui, ctx: ctx.Context, cmd: cmd}
	if err := c.checkChoices(); err != nil {
		return err
	}
	c.terminalFlags()
	if err := c.workFlags(); err != nil {
		return err
	}
	switch n := c.NArg(); {
	case n < cmd.operands[0]:
		return usagef("the form is: "+cmd.usage(), "%s is missing", strings.Fields(cmd.form)[n])
	case n > cmd.operands[1]:
		return usagef("the form is: "+cmd.usage(), "%s has no use for %q", cmd.name, c.operand(cmd.operands[1]))
	}
	if findFlag(cmd.flags, "output") != nil && c.String("output") == "" && !cmd.inPlace {
		return usagef("the form is: "+cmd.usage(), "-o OUT is missing: where shall the result go?")
	}
	if err := c.checkPlaces(); err != nil {
		return err
	}
	return cmd.run(c)
}

// checkChoices returns an error if a flag has another value than it may have.
func (c *call) checkChoices() error {
	for _, f := range c.cmd.flags {
		list := c.cmd.choicesOf(f.Names()[0])
		value := c.String(f.Names()[0])
		if list != nil && value != "" && !slices.Contains(list, strings.ToLower(value)) {
			return usagef(flagName(f)+" is one of "+join(list), "%s can't be %q", flagName(f), value)
		}
	}
	return nil
}

// terminalFlags obeys the flags that every command has.
func (c *call) terminalFlags() {
	c.quiet, c.verbose = c.Bool("quiet"), c.Bool("verbose")
	c.colour = c.String("color")
	if mode := c.String("progress"); mode != "" {
		c.progressMode = mode
	}
}

// workFlags obeys --memory and --threads, where the command has them.
func (c *call) workFlags() error {
	if findFlag(c.cmd.flags, "memory") == nil {
		return nil
	}
	var err error
	if c.memory, err = parseSize(c.String("memory"), binaryUnits); err != nil {
		return usagef(c.cmd.see(), "--memory (or LORATOOL_MEMORY): %v", err)
	}
	const least = 16 << 20
	if c.memory < least {
		return usagef("a row of a large model and its working copies need room", "--memory %s is less than the %s that anything takes",
			formatMemory(c.memory), formatMemory(least))
	}
	if c.workers = c.Int("threads"); c.workers < 0 || c.workers > 4096 {
		return usagef(c.cmd.see(), "--threads can't be %d", c.workers)
	}
	if c.workers == 0 {
		c.workers = runtime.GOMAXPROCS(0)
	}
	runtime.GOMAXPROCS(min(c.workers, runtime.GOMAXPROCS(0)))
	limitMemory(c.memory)
	return nil
}

package main

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/kernels"
)

// commands is the table of everything loratool does, in the order of its help.
// It is filled by init because commands may run others.
var commands []*command

func init() {
	commands = []*command{
		mergeCommand,
		convertCommand,
		extractCommand,
		spectrumCommand,
		resizeCommand,
		inspectCommand,
		diffCommand,
		verifyCommand,
		castCommand,
		quantizeCommand,
		metadataCommand,
		splitCommand,
		joinCommand,
		demoCommand,
		completionCommand,
		versionCommand,
	}
}

// A command is one word of the command line.
type command struct {
	name     string
	form     string    // what follows the name: "A B", "MODEL -o OUT"
	summary  string    // one sentence for the table of commands
	about    string    // paragraphs of the help text, each one line
	examples []example // that work as they stand, but for the names of files
	flags    []cli.Flag
	choices  map[string][]string // values of flags that have a fixed set of them, in lower case
	operands [2]int              // how many it takes: at least, at most
	inPlace  bool                // without -o it changes its operand
	run      func(c *call) error
}

// usage returns the form of the whole command line.
func (cmd *command) usage() string {
	return strings.TrimSuffix("loratool "+cmd.name+" "+cmd.form, " ")
}

// An example is a command line and what it does.
type example struct{ does, line string }

// runApp finds the command that args ask for and runs it.
func runApp(ctx context.Context, ui *ui, args []string) error {
	if err := useImplementations(os.Getenv("LORATOOL_CPU")); err != nil {
		return err
	}
	if len(args) < 2 {
		ui.stdout = ui.stderr
		ui.help()
		return usagef("loratool demo shows it at work", "what shall be done?")
	}
	word, rest := args[1], args[2:]
	switch {
	case (word == "-h" || word == "--help" || word == "help") && len(rest) == 0:
		ui.help()
		return nil
	case word == "-h" || word == "--help" || word == "help":
		word, rest = rest[0], []string{"--help"}
	case word == "complete":
		ui.complete(rest[min(1, len(rest)):]) // after "--"
		return nil
	case word == "--version" || word == "-V":
		word = "version"
	case strings.HasPrefix(word, "-"):
		return usagef("flags come after the command: loratool inspect "+word+" …", "the first word must be a command, not %s", word)
	}
	cmd := findCommand(word)
	if cmd == nil {
		return unknownCommand(word)
	}
	flags, help, err := cmd.flagsFirst(rest)
	if err != nil {
		return err
	}
	if help {
		ui.commandHelp(cmd)
		return nil
	}
	return cmd.app(ui).RunContext(ctx, append([]string{"loratool", cmd.name}, flags...))
}

// app returns the command as one of cli, which parses flags and reads the
// environment. Everything that cli would print is printed here instead.
func (cmd *command) app(ui *ui) *cli.App {
	return &cli.App{
		Name:                      "loratool",
		HideHelp:                  true,
		HideHelpCommand:           true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true, // a comma is a character of file names
		Writer:                    ui.stderr,
		ErrWriter:                 ui.stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // or it calls os.Exit
		Commands: []*cli.Command{{
			Name:            cmd.name,
			Flags:           cmd.flags,
			HideHelp:        true,
			HideHelpCommand: true,
			OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return cmd.valueError(err) },
			Action:          func(c *cli.Context) error { return cmd.start(c, ui) },
		}},
	}
}

// choices are the values of shared flags that have a fixed set of them.
var choices = map[string][]string{
	"color":    {"auto", "always", "never"},
	"dtype":    {"bf16", "f16", "f32"},
	"progress": {"auto", "bar", "plain", "json", "none"},
}

// choicesOf returns the values that a flag may have, or nil if any will do.
func (cmd *command) choicesOf(flag string) []string {
	if list := cmd.choices[flag]; list != nil {
		return list
	}
	return choices[flag]
}

func findCommand(name string) *command {
	i := slices.IndexFunc(commands, func(c *command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return commands[i]
}

func unknownCommand(word string) error {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	hint := "loratool help lists the commands"
	if name := closest(word, names); name != "" {
		hint = "did you mean loratool " + name + "?"
	}
	return usagef(hint, "there is no command %q", word)
}

// useImplementations restricts the kernels to a list of instruction sets such
// as "avx2", or to the generic code, if the environment says so. The results
// are the same.
func useImplementations(list string) error {
	if list == "" {
		return nil
	}
	var names []string
	for _, name := range strings.Split(list, ",") {
		if name = strings.TrimSpace(name); name != "generic" {
			names = append(names, name)
		}
	}
	if err := kernels.Use(names...); err != nil {
		return usagef("", "the environment variable LORATOOL_CPU can't be %q: %s", list, strings.TrimPrefix(err.Error(), "kernels: "))
	}
	return nil
}

package main

import (
	"embed"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The scripts ask the program itself what can come next, with the hidden
// command "loratool complete": one answer a line, "word<TAB>what it is". File
// names are left to the shell.

//go:embed completion
var completionScripts embed.FS

var completionCommand = &command{
	name:    "completion",
	form:    "bash|zsh|fish",
	summary: "print a script that completes loratool's commands and flags",
	about: `Prints a script for the shell. It completes commands, flags, the values of flags that have a
		fixed set of them, and file names.`,
	examples: []example{
		{"bash: now, or in ~/.bashrc", "source <(loratool completion bash)"},
		{"zsh: now, or in ~/.zshrc after compinit", "source <(loratool completion zsh)"},
		{"fish: for good", "loratool completion fish > ~/.config/fish/completions/loratool.fish"},
	},
	flags:    flagList(),
	operands: [2]int{1, 1},
	run: func(c *call) error {
		script, err := completionScripts.ReadFile("completion/loratool." + c.operand(0))
		if err != nil {
			return usagef("there is bash, zsh and fish", "no completion for %q", c.operand(0))
		}
		_, err = c.stdout.Write(script)
		return err
	},
}

// complete prints what can come next after words, the words of a command line
// after "loratool", of which the last is incomplete.
func (u *ui) complete(words []string) {
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	offer := func(word, what string) {
		if strings.HasPrefix(word, last) {
			u.printf("%s\t%s\n", word, what)
		}
	}
	if len(words) < 2 || words[0] == "help" {
		for _, c := range commands {
			offer(c.name, c.summary)
		}
		return
	}
	cmd := findCommand(words[0])
	if cmd == nil {
		return
	}
	previous := findFlag(cmd.flags, strings.TrimLeft(words[len(words)-2], "-"))
	switch {
	case strings.HasPrefix(words[len(words)-2], "-") && takesValue(previous):
		for _, v := range cmd.choicesOf(previous.Names()[0]) {
			offer(v, "")
		}
	case cmd == completionCommand && !strings.HasPrefix(last, "-"):
		for _, shell := range []string{"bash", "zsh", "fish"} {
			offer(shell, "")
		}
	case strings.HasPrefix(last, "-"):
		for _, f := range cmd.flags {
			offer(flagName(f), firstClause(f))
		}
	}
}

// firstClause returns the beginning of a flag's usage text, for one line.
func firstClause(f cli.Flag) string {
	usage := strings.ReplaceAll(f.(cli.DocGenerationFlag).GetUsage(), "`", "")
	if i := slices.IndexFunc([]byte(usage), func(b byte) bool { return b == ';' || b == '(' }); i > 0 {
		usage = usage[:i]
	}
	return strings.TrimSpace(usage)
}

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// lineWidth is where help text is wrapped.
const lineWidth = 88

const mainAbout = `loratool turns model files into other model files. It reads them piece by piece, so
that a model may be far larger than the memory, and writes each result under a temporary
name until it is whole. MODEL, BASE and ADAPTER are a folder, a file, or
org/name[@revision] in the local Hugging Face cache.`

// help prints the help of the program as a whole.
func (u *ui) help() {
	u.printf("%s\n\n%s\n", u.heading("loratool COMMAND …"), mainAbout)
	u.printf("\n%s\n", u.heading("Commands"))
	for _, c := range commands {
		u.helpRow(12, c.name, c.summary)
	}
	u.printf("\n  loratool help COMMAND, or loratool COMMAND --help, tells more about each.\n")
	u.printf("\n%s\n", u.heading("To begin with"))
	u.printf("  loratool demo\n  loratool inspect ./model\n  loratool merge ./model --lora ./adapter -o ./merged\n")
	u.printf("\n%s\n", u.heading("Environment"))
	for _, e := range [][2]string{
		{"LORATOOL_MEMORY", "default of --memory"},
		{"LORATOOL_THREADS", "default of --threads"},
		{"LORATOOL_CPU", "instruction sets to use: generic, avx2, avx512, neon; the results are the same"},
		{"NO_COLOR", "if set, no colours"},
		{"HF_HUB_CACHE, HF_HOME", "where the Hugging Face cache is"},
	} {
		u.helpRow(22, e[0], e[1])
	}
	u.printf("\n%s\n", u.heading("Exit codes"))
	for _, e := range exitCodes {
		u.printf("  %3d  %s\n", e.code, e.means)
	}
}

// helpRow prints a word, in a column of that width, and what it means.
func (u *ui) helpRow(width int, word, means string) {
	indent := strings.Repeat(" ", width+3)
	u.printf("  %-*s %s\n", width, word, wrap(means, lineWidth-len(indent), indent))
}

var exitCodes = []struct {
	code  int
	means string
}{
	{exitOK, "done"},
	{exitFailure, "failure of a kind not named below"},
	{exitUsage, "the command line is wrong"},
	{exitInput, "an input is corrupt, or inputs do not fit together"},
	{exitUnsupported, "an input is valid and needs something that can't be done"},
	{exitNotFound, "an input does not exist"},
	{exitDiffer, "verify or diff found a difference"},
	{exitTemporary, "the disk is full: try again when there is room"},
	{exitInterrupted, "interrupted; nothing was left behind"},
}

// commandHelp prints the help of one command.
func (u *ui) commandHelp(c *command) {
	u.printf("%s: %s\n\n  %s\n", u.heading("loratool "+c.name), c.summary, c.usage())
	for _, paragraph := range strings.Split(strings.TrimSpace(c.about), "\n\n") {
		if paragraph != "" {
			u.printf("\n%s\n", wrap(strings.Join(strings.Fields(paragraph), " "), lineWidth, ""))
		}
	}
	if len(c.examples) > 0 {
		u.printf("\n%s\n", u.heading("Examples"))
	}
	for _, e := range c.examples {
		u.printf("  # %s\n  %s\n", e.does, e.line)
	}
	var groups []string
	for _, f := range c.flags {
		if g := group(f); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		title := "Flags"
		if g != "" {
			title = g
		}
		u.printf("\n%s\n", u.heading(title))
		for _, f := range c.flags {
			if group(f) == g {
				writeFlag(u.stdout, f.(cli.DocGenerationFlag))
			}
		}
	}
}

func (u *ui) heading(s string) string { return u.paint(u.stdout, bold, s) }

func group(f cli.Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}

// writeFlag prints a flag's names, value, meaning and default. The value's name
// is what the usage text has in backquotes.
func writeFlag(w io.Writer, f cli.DocGenerationFlag) {
	usage := f.GetUsage()
	value := ""
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		name, after, _ := strings.Cut(rest, "`")
		value = " " + name
		if short, ok := strings.CutPrefix(after, ": "); ok && before == "" {
			usage = short
		} else {
			usage = before + name + after
		}
	}
	names := slices.Clone(f.Names())
	slices.SortFunc(names, func(a, b string) int { return len(a) - len(b) })
	left := ""
	for _, n := range names {
		if len(n) == 1 {
			left += "-" + n + ", "
		} else {
			left += "--" + n + ", "
		}
	}
	left = strings.TrimSuffix(left, ", ") + value
	// A number that is 0 if it is not given means that nothing is asked for.
	if d := f.GetDefaultText(); f.TakesValue() && d != "" && d != `""` && d != "0" {
		usage += " (default: " + strings.Trim(d, `"`) + ")"
	}
	if env := f.GetEnvVars(); len(env) > 0 {
		usage += " [" + strings.Join(env, ", ") + "]"
	}
	const indent = 26
	if utf8.RuneCountInString(left) > indent-4 {
		fmt.Fprintf(w, "  %s\n%*s%s\n", left, indent, "", wrap(usage, lineWidth-indent, strings.Repeat(" ", indent)))
		return
	}
	fmt.Fprintf(w, "  %-*s%s\n", indent-2, left, wrap(usage, lineWidth-indent, strings.Repeat(" ", indent)))
}

// wrap breaks s into lines of at most width characters, each but the first
// beginning with indent.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every example of the help texts must be a command line that is understood.
func TestExamples(t *testing.T) {
	separators := regexp.MustCompile(` *(?:\||;|&&|>|<\() *|\)$`)
	for _, c := range commands {
		for _, e := range c.examples {
			found := false
			for _, part := range separators.Split(e.line, -1) {
				words := shellWords(part)
				if len(words) < 2 || words[0] != "loratool" {
					continue
				}
				found = true
				checkLine(t, words[1:], part)
			}
			if !found {
				t.Errorf("%s: the example %q does not run loratool", c.name, e.line)
			}
		}
	}
}

// checkLine parses a command line as far as that goes without files.
func checkLine(t *testing.T, words []string, line string) {
	t.Helper()
	cmd := findCommand(words[0])
	if cmd == nil {
		t.Errorf("%s: there is no such command", line)
		return
	}
	args, _, err := cmd.flagsFirst(words[1:])
	if err != nil {
		t.Errorf("%s: %v", line, err)
		return
	}
	set := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range cmd.flags {
		if err := f.Apply(set); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Parse(args); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	if n := set.NArg(); n < cmd.operands[0] || n > cmd.operands[1] {
		t.Errorf("%s: %d operands", line, n)
	}
	for name, values := range cmd.choices {
		if f := set.Lookup(name); f != nil && f.Value.String() != "" && !strings.Contains(" "+strings.Join(values, " ")+" ", " "+strings.ToLower(f.Value.String())+" ") {
			t.Errorf("%s: --%s can't be %q", line, name, f.Value)
		}
	}
}

// shellWords splits a line at spaces outside quotes.
func shellWords(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^ '"])+`).FindAllString(line, -1) {
		words = append(words, strings.NewReplacer(`'`, "", `"`, "").Replace(m))
	}
	return words
}

// Every command and flag that the README names exists.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (`.*)$").FindAllStringSubmatch(string(data), -1)
	found := map[string]bool{}
	for _, row := range rows {
		cells := strings.Split(row[1], " | ")
		for _, code := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cells[0], -1) {
			words := strings.Fields(code[1])
			cmd := findCommand(words[0])
			if cmd == nil {
				continue // a table of something else
			}
			found[cmd.name] = true
			for _, flag := range regexp.MustCompile(`--?[a-z][a-z-]*`).FindAllString(strings.Join(words[1:], " "), -1) {
				if findFlag(cmd.flags, strings.TrimLeft(flag, "-")) == nil {
					t.Errorf("%s: %s has no flag %s", code[1], cmd.name, flag)
				}
			}
		}
	}
	for _, cmd := range commands {
		if !found[cmd.name] && cmd != completionCommand && cmd != versionCommand {
			t.Errorf("the table has no %s", cmd.name)
		}
	}
}

// Help fits into the width that it is wrapped to, but for examples, which are
// not broken.
func TestHelpWidth(t *testing.T) {
	for _, c := range commands {
		var b bytes.Buffer
		newUI(&b, &b).commandHelp(c)
		for _, line := range strings.Split(b.String(), "\n") {
			if utf8.RuneCountInString(line) > lineWidth && !strings.Contains(line, "loratool "+c.name) && !strings.HasPrefix(line, "  #") {
				t.Errorf("%s: line of %d characters: %s", c.name, utf8.RuneCountInString(line), line)
			}
		}
	}
	var b bytes.Buffer
	newUI(&b, &b).help()
	for _, line := range strings.Split(b.String(), "\n") {
		if utf8.RuneCountInString(line) > lineWidth {
			t.Errorf("line of %d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"a b", "a b"},
		{"aaaa bbbb cccc", "aaaa bbbb\n  cccc"},
		{"überlänge ab", "überlänge\n  ab"},
		{"toolongforaline x", "toolongforaline\n  x"},
	} {
		if got := wrap(test.text, 9, "  "); got != test.want {
			t.Errorf("wrap(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

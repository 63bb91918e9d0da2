package main

// This file is the terminal. Its rules:
//
//   - Standard output is the result and nothing else: a path, a table, or with
//     --json one JSON document. A program can read it.
//   - Standard error is everything else. Messages are a line each, begin with
//     "loratool:", and have no capital initial and no period at the end.
//   - An error is one line "loratool: error: …", with the file, tensor and byte
//     where there are such, and, where a person can act, a line "loratool: hint: …".
//   - -q leaves errors and warnings, -v adds a line per tensor.
//   - Colour and redrawn lines are for terminals only, and nothing is told by
//     colour alone. NO_COLOR, TERM=dumb and --color never turn them off.

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

type ui struct {
	stdout, stderr io.Writer

	quiet, verbose bool
	colour         string // auto, always, never
	progressMode   string // auto, bar, plain, json, none

	mu    sync.Mutex // one line at a time on stderr
	above io.Writer  // what to write lines to while a bar is drawn below them, or nil
}

func newUI(stdout, stderr io.Writer) *ui {
	return &ui{stdout: stdout, stderr: stderr, colour: "auto", progressMode: "auto"}
}

// printf writes a part of the result.
func (u *ui) printf(format string, args ...any) { fmt.Fprintf(u.stdout, format, args...) }

// printJSON writes the result as one JSON document.
func (u *ui) printJSON(v any) error {
	e := json.NewEncoder(u.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// infof tells a person what is going on.
func (u *ui) infof(format string, args ...any) {
	if !u.quiet {
		u.message("message", fmt.Sprintf(format, args...))
	}
}

// detailf tells what only -v asks for.
func (u *ui) detailf(format string, args ...any) {
	if u.verbose && !u.quiet {
		u.message("message", fmt.Sprintf(format, args...))
	}
}

// warnf tells what a person should look at, though the result stands.
func (u *ui) warnf(format string, args ...any) {
	u.message("warning", fmt.Sprintf(format, args...))
}

// warnEach warns of each of many things, or without -v of the first few and how
// many more there are: what is wrong with one tensor is often wrong with a
// thousand, and a thousand lines would hide every other warning. The report has
// to have them all.
func (u *ui) warnEach(lines []string) {
	const few = 5
	shown := len(lines)
	if !u.verbose && shown > few+1 {
		shown = few
	}
	for _, line := range lines[:shown] {
		u.warnf("%s", line)
	}
	if more := len(lines) - shown; more > 0 {
		u.warnf("and %d more like this; -v lists them, and --report FILE keeps them", more)
	}
}

// message prints a line for a person, or an event where a program reads.
func (u *ui) message(kind, text string) {
	switch {
	case u.progressMode == "json":
		u.event(map[string]any{"type": kind, "text": text})
	case kind == "warning":
		u.line("loratool: " + u.paint(u.stderr, yellow, "warning:") + " " + text)
	default:
		u.line("loratool: " + text)
	}
}

func (u *ui) line(s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.above != nil {
		io.WriteString(u.above, s+"\n")
		return
	}
	io.WriteString(u.stderr, s+"\n")
}

const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	cyan   = "\x1b[1;36m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// paint returns s in a colour, if w is a place for colours.
func (u *ui) paint(w io.Writer, colour, s string) string {
	if !u.coloured(w) {
		return s
	}
	return colour + s + reset
}

func (u *ui) coloured(w io.Writer) bool {
	switch u.colour {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && capable(w)
}

// capable reports whether w is a terminal that can do more than append text.
func capable(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

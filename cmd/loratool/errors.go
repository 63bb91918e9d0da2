package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/loratool/loratool/formats"
)

// report prints err, if it is one, and returns the exit code for it.
func (u *ui) report(err error) int {
	code := exitCode(err)
	if err == nil || code == exitDiffer {
		return code
	}
	text, hint := err.Error(), hintFor(err)
	if code == exitInterrupted {
		text = "interrupted"
	}
	if u.progressMode == "json" {
		u.event(map[string]any{"type": "error", "code": code, "message": text, "hint": hint})
		return code
	}
	u.line("loratool: " + u.paint(u.stderr, red, "error:") + " " + text)
	if hint != "" {
		u.line("loratool: " + u.paint(u.stderr, cyan, "hint:") + " " + hint)
	}
	return code
}

// event writes a line of JSON for a program that watches.
func (u *ui) event(v map[string]any) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) == nil {
		u.line(strings.TrimSuffix(b.String(), "\n"))
	}
}

// hintFor returns what a person can do about err, or "".
func hintFor(err error) string {
	if e, ok := errors.AsType[*usageError](err); ok {
		return e.hint
	}
	if e, ok := errors.AsType[*formats.Error](err); ok {
		if e.Hint != "" {
			return e.Hint
		}
		if path := closestPath(e.Path); path != "" && errors.Is(err, fs.ErrNotExist) {
			return "did you mean " + path + "?"
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "try again"
	}
	return ""
}

// A checkedFile remembers that writing to it failed once: what a command prints
// is its result, and half a result must not pass for a whole one.
type checkedFile struct {
	*os.File
	err error
}

func (f *checkedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err != nil && f.err == nil {
		f.err = err
	}
	return n, err
}

// result returns err, or if there is none the error of writing the result.
func (u *ui) result(err error) error {
	f, ok := u.stdout.(*checkedFile)
	if (err == nil || errors.Is(err, errDiffer)) && ok && f.err != nil {
		return fmt.Errorf("the result could not be written: %w", f.err)
	}
	return err
}

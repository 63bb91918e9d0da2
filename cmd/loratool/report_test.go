package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/safetensors"
)

// A vanishing report removes the folder that it is to be written to.
type vanishing struct{ folder string }

func (v vanishing) MarshalJSON() ([]byte, error) { return []byte("{}"), os.RemoveAll(v.folder) }

// Where the report fails, the output is complete, and the error says so.
func TestReportFailsAfterOutput(t *testing.T) {
	dir := t.TempDir()
	out, reports := filepath.Join(dir, "out.safetensors"), filepath.Join(dir, "reports")
	if err := os.Mkdir(reports, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := &command{name: "try", flags: flagList(outputFlags(), workFlags()), run: func(c *call) error {
		l, err := safetensors.Layout(&formats.Model{})
		if err != nil {
			return err
		}
		return c.write(l, vanishing{reports}, nil)
	}}
	var stdout, stderr bytes.Buffer
	ui := newUI(&stdout, &stderr)
	err := cmd.app(ui).RunContext(context.Background(), []string{"loratool", "try", "-o", out, "--report", filepath.Join(reports, "r.json")})
	ui.report(err)
	if want := out + " is complete, but its report could not be written: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got the error %v, want %q …", err, want)
	}
	if !strings.Contains(stderr.String(), "hint: make it first") {
		t.Errorf("no hint in %q", &stderr)
	}
	if stdout.Len() > 0 {
		t.Errorf("standard output is %q", &stdout)
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/transform"
)

// options returns how to work, as the flags say, without progress.
func (c *call) options() transform.Options {
	return transform.Options{Memory: c.memory, Workers: c.workers, Force: c.Bool("force")}
}

// watched calls work with progress shown.
func (c *call) watched(work func(o transform.Options) error) error {
	o := c.options()
	p := c.startProgress()
	defer p.end()
	o.Progress = p.update
	return work(o)
}

// layout plans the output of a model: a single file if OUT is named like one,
// and otherwise a checkpoint folder.
func (c *call) layout(m *formats.Model) (*formats.Layout, error) {
	if strings.EqualFold(filepath.Ext(c.String("output")), ".safetensors") {
		return safetensors.Layout(m)
	}
	size, err := c.shardSize()
	if err != nil {
		return nil, err
	}
	return hf.Layout(m, hf.LayoutOptions{MaxShardSize: size})
}

// write brings the layout into being at OUT and prints where; with --dry-run it
// prints what it would have done instead, beginning with rows of the command's
// own. The report, which is complete once the output is, goes where --report
// says.
func (c *call) write(l *formats.Layout, report any, rows func()) error {
	if err := c.checkOutputs(l); err != nil {
		return err
	}
	out := c.String("output")
	if c.Bool("dry-run") {
		return c.printPlan(l, out, rows)
	}
	start := time.Now()
	err := c.watched(func(o transform.Options) error { return transform.Write(c.ctx, l, out, o) })
	if err != nil {
		return err
	}
	return c.finish(l, report, start, nil)
}

// finish writes the report about an output that is complete, and prints where the
// output is and what else the result is for a program that watches.
func (c *call) finish(l *formats.Layout, report any, start time.Time, result map[string]any) error {
	out := c.String("output")
	if err := c.writeReport(l, report); err != nil {
		return fmt.Errorf("%s is complete, but its report could not be written: %w", out, err)
	}
	elapsed := time.Since(start)
	c.infof("wrote %s in %s", formatSize(l.NumBytes()), formatDuration(elapsed))
	if c.progressMode == "json" {
		e := map[string]any{"type": "result", "output": out, "bytes": l.NumBytes(), "elapsed": elapsed.Seconds()}
		maps.Copy(e, result)
		c.event(e)
	}
	c.printf("%s\n", out)
	return nil
}

// checkPlaces returns an error if -o or --report is where nothing can be written, so
// that this does not come out when the work is done.
func (c *call) checkPlaces() error {
	for _, flag := range []string{"output", "report"} {
		if path := c.String(flag); path != "" {
			if err := formats.CheckFolder(filepath.Dir(filepath.Clean(path))); err != nil {
				return err
			}
		}
	}
	report := c.String("report")
	if report == "" {
		return nil
	}
	if info, err := os.Stat(report); err == nil && info.IsDir() {
		return usagef("--report FILE.html is a page where there is one, any other FILE is JSON", "--report %s is a folder, and must be a file", report)
	}
	if filepath.Clean(report) == filepath.Clean(c.String("output")) {
		return usagef("choose another name for the report", "-o and --report are both %s", report)
	}
	if c.Bool("dry-run") {
		return nil
	}
	return tryFile(report)
}

// tryFile returns an error if there can be no file beside path: of an output this comes
// out when it is begun, but a report is written last.
func tryFile(path string) error {
	dir, name := filepath.Split(filepath.Clean(path))
	f, err := os.CreateTemp(filepath.Clean(dir), "."+name+".loratool-")
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrOutput, "no file can be made there: %v", err)}
	}
	f.Close()
	return os.Remove(f.Name())
}

// checkOutputs returns an error if the layout can't be written at OUT, or its report
// where --report says.
func (c *call) checkOutputs(l *formats.Layout) error {
	if err := formats.CheckOutput(c.String("output"), l, c.Bool("force")); err != nil {
		return err
	}
	return c.checkReport(l)
}

// printPlan prints what writing the layout takes.
func (c *call) printPlan(l *formats.Layout, out string, rows func()) error {
	var copied, computed int
	for _, f := range l.Files {
		for _, p := range f.Tensors {
			if p.Tensor.Extent() != nil {
				copied++
			} else {
				computed++
			}
		}
	}
	c.printf("%s\n", c.heading("Plan"))
	if rows != nil {
		rows()
	}
	c.row(0, "output", "%s", out)
	c.row(0, "tensors", "%d computed, %d copied as they are", computed, copied)
	c.row(0, "memory", "%s at most, for buffers", formatMemory(c.memory))
	c.row(0, "threads", "%d", c.workers)
	free, err := formats.FreeSpace(filepath.Dir(filepath.Clean(out)))
	switch {
	case err != nil:
		c.row(0, "disk", "%s needed", formatSize(l.NumBytes()))
	case free < l.NumBytes():
		c.row(0, "disk", "%s needed, %s free: NOT ENOUGH", formatSize(l.NumBytes()), formatSize(free))
	default:
		c.row(0, "disk", "%s needed, %s free", formatSize(l.NumBytes()), formatSize(free))
	}
	for i, f := range l.Files {
		c.row(i, "files", "%9s  %s", formatSize(f.Size), f.Name)
	}
	return nil
}

// formatDuration returns d with three digits at most.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
)

// What --report writes.

// reportLayout is that of the report as a file of its own, with the same inputs
// to be kept.
func reportLayout(l *formats.Layout, data []byte) *formats.Layout {
	return &formats.Layout{Inputs: l.Inputs, Files: []formats.LayoutFile{{Name: "report", Size: int64(len(data)), Head: data}}}
}

func (c *call) checkReport(l *formats.Layout) error {
	if c.String("report") == "" {
		return nil
	}
	return formats.CheckOutput(c.String("report"), reportLayout(l, nil), true)
}

// writeReport writes the report as --report says: as a page, if it can be one and
// the file is to be HTML, and otherwise as JSON.
func (c *call) writeReport(l *formats.Layout, report any) error {
	path := c.String("report")
	if path == "" {
		return nil
	}
	var data []byte
	var err error
	if page, ok := report.(interface{ HTML() ([]byte, error) }); ok && strings.EqualFold(filepath.Ext(path), ".html") {
		data, err = page.HTML()
	} else {
		data, err = json.MarshalIndent(report, "", "  ")
		data = append(data, '\n')
	}
	if err != nil {
		return err
	}
	return transform.Write(c.ctx, reportLayout(l, data), path, transform.Options{Force: true})
}

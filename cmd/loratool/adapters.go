package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
)

// splitStrength divides ADAPTER:STRENGTH, as llama.cpp writes it. What follows
// the last colon is a strength if it is a number; otherwise the colon belongs to
// the name, as in C:\adapters or hf://org/name.
func splitStrength(ref string) (name string, strength float64, err error) {
	i := strings.LastIndexByte(ref, ':')
	if i <= 0 || strings.ContainsAny(ref[i:], `/\`) {
		return ref, 1, nil
	}
	strength, err = strconv.ParseFloat(ref[i+1:], 64)
	if err != nil || math.IsNaN(strength) || math.IsInf(strength, 0) {
		return "", 0, usagef("write ADAPTER:STRENGTH with a number, such as "+ref[:i]+":0.8", "the strength %q of %s is not a number", ref[i+1:], ref[:i])
	}
	return ref[:i], strength, nil
}

// openAdapters opens adapters for a base by their references. If it returns an
// error, it has opened those before.
func (c *call) openAdapters(refs []string, base *formats.Model) (adapters []adapter.Weighted, err error) {
	for _, ref := range refs {
		strength := 1.0
		if _, err := os.Lstat(ref); err != nil { // a name may have a colon
			if ref, strength, err = splitStrength(ref); err != nil {
				return adapters, err
			}
		}
		a, err := openAdapter(ref, base)
		if err != nil {
			return adapters, err
		}
		adapters = append(adapters, adapter.Weighted{Adapter: a, Strength: strength})
	}
	return adapters, nil
}

// openAdapter opens an adapter of PEFT, or a GGUF adapter as one.
func openAdapter(ref string, base *formats.Model) (*adapter.Adapter, error) {
	if !strings.EqualFold(filepath.Ext(ref), ".gguf") {
		return adapter.Open(ref)
	}
	m, err := hf.Open(ref)
	if err != nil {
		return nil, err
	}
	a, err := arch.OpenAdapter(m, base)
	if err != nil {
		m.Close()
	}
	return a, err
}

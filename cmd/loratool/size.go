package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Sizes are written "512MiB", "5GB", "1.5G" or in bytes. A unit spelled out
// means what it says; a bare letter is binary for memory, as everywhere, and
// decimal for files, as the Hugging Face hub and llama.cpp count them.

const (
	binaryUnits  = 1024
	decimalUnits = 1000
)

var sizeUnit = regexp.MustCompile(`(?i)^([0-9.]+) ?(?:b|([kmgt])(|b|ib))?$`)

// parseSize returns the size in bytes. Bare letters are powers of base.
func parseSize(s string, base float64) (int64, error) {
	m := sizeUnit.FindStringSubmatch(s)
	if m == nil {
		return 0, badSize(s)
	}
	switch strings.ToLower(m[3]) {
	case "b":
		base = decimalUnits
	case "ib":
		base = binaryUnits
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if m[2] != "" {
		n *= math.Pow(base, float64(strings.Index("kmgt", strings.ToLower(m[2]))+1))
	}
	if err != nil || n < 1 || n >= 1<<62 {
		return 0, badSize(s)
	}
	return int64(n), nil
}

func badSize(s string) error { return fmt.Errorf("%q is not a size, such as 512MiB or 2GB", s) }

// formatSize returns n bytes as people read it, in decimal units with three
// digits: "2.47 GB".
func formatSize(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 999.5 {
		f, unit = f/1000, unit+1
	}
	digits := 0
	switch {
	case f < 9.995:
		digits = 2
	case f < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%.*f %cB", digits, f, " kMGTPE"[unit])
}

// formatMemory returns n bytes in binary units, as --memory takes them.
func formatMemory(n int64) string {
	f, unit := float64(n), 0
	for f >= 1024 && unit < 4 {
		f, unit = f/1024, unit+1
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " " + []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// formatCount returns n with a comma every three digits.
func formatCount(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

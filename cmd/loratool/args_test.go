package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestFlagsFirst(t *testing.T) {
	cmd := &command{name: "do", flags: flagList(outputFlags(), workFlags())}
	for _, test := range []struct{ args, want string }{
		{"", "--"},
		{"a b -o out", "-o out -- a b"},
		{"-o out a b", "-o out -- a b"},
		{"a -o out b --force", "-o out --force -- a b"},
		{"a --output=out b", "--output=out -- a b"},
		{"a - -q", "-q -- a -"},
		{"-q -- -o b", "-q -- -o b"},
		{"a -j8", "-j=8 -- a"},
		{"a -j 8", "-j 8 -- a"},
		{"a -o -", "-o - -- a"},
		{"a -o --force", "-o --force -- a"},
		{"a --help", "help"},
		{"a -o", "error: -o needs a value"},
		{"a --outptu x", "error: do has no flag --outptu; did you mean --output?"},
		{"a --xyzzy=3", "error: do has no flag --xyzzy; see loratool help do"},
		{"a -z", "error: do has no flag -z; see loratool help do"},
	} {
		got, help, err := cmd.flagsFirst(strings.Fields(test.args))
		text := strings.Join(got, " ")
		switch {
		case err != nil:
			text = "error: " + err.Error()
			if e := err.(*usageError); e.hint != "" && strings.Contains(test.want, ";") {
				text += "; " + e.hint
			}
		case help:
			text = "help"
		}
		if text != test.want {
			t.Errorf("flagsFirst(%q) = %q, want %q", test.args, text, test.want)
		}
	}
}

// Every flag that commands share must be found by every name it has, and have a
// text that says what it is for.
func TestFlagTexts(t *testing.T) {
	for _, c := range commands {
		if c.summary == "" || c.about == "" || len(c.examples) == 0 {
			t.Errorf("%s lacks a summary, a text or examples", c.name)
		}
		seen := []string{}
		for _, f := range c.flags {
			if f.(cli.DocGenerationFlag).GetUsage() == "" {
				t.Errorf("%s: flag %s says nothing", c.name, flagName(f))
			}
			for _, n := range f.Names() {
				if slices.Contains(seen, n) {
					t.Errorf("%s: two flags are called %s", c.name, n)
				}
				seen = append(seen, n)
			}
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, test := range []struct {
		text         string
		memory, file int64
	}{
		{"1024", 1024, 1024},
		{"64B", 64, 64},
		{"512MiB", 512 << 20, 512 << 20},
		{"5GB", 5e9, 5e9},
		{"5gb", 5e9, 5e9},
		{"2G", 2 << 30, 2e9},
		{"2g", 2 << 30, 2e9},
		{"1.5K", 1536, 1500},
		{"1TiB", 1 << 40, 1 << 40},
		{"1 GiB", 1 << 30, 1 << 30},
		{"", 0, 0}, {"G", 0, 0}, {"0", 0, 0}, {"-1G", 0, 0}, {"1X", 0, 0}, {"1iB", 0, 0},
		{"1KK", 0, 0}, {"NaN", 0, 0}, {"Inf", 0, 0}, {"1e30", 0, 0}, {"99999999T", 0, 0},
	} {
		for _, side := range []struct {
			base float64
			want int64
		}{{binaryUnits, test.memory}, {decimalUnits, test.file}} {
			got, err := parseSize(test.text, side.base)
			if got != side.want || (err != nil) != (side.want == 0) {
				t.Errorf("parseSize(%q, %v) = %d, %v, want %d", test.text, side.base, got, err, side.want)
			}
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 12345: "12.3 kB", 999499: "999 kB",
		999500: "1.00 MB", 2471645608: "2.47 GB", 141107412992: "141 GB"} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

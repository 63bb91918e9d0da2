package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/loratool/loratool/kernels"
)

// Version is set by packagers who build without version control, with
// -ldflags "-X main.Version=v1.2.3".
var Version string

var versionCommand = &command{
	name:    "version",
	summary: "print the version, and what this CPU is used with",
	about: `Prints one line: the version, the compiler, the system, and the instruction sets in use,
		which LORATOOL_CPU restricts. The bytes of all results are the same with each of them.`,
	examples: []example{{"the version alone", "loratool version"}},
	flags:    flagList(jsonFlag()),
	run: func(c *call) error {
		in := kernels.Implementations()
		if c.Bool("json") {
			return c.printJSON(map[string]any{"version": version(), "go": runtime.Version(),
				"system": runtime.GOOS + "/" + runtime.GOARCH, "instruction_sets": append([]string{"generic"}, in...)})
		}
		c.printf("loratool %s (%s, %s/%s, %s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
			strings.Join(append([]string{"generic"}, in...), " "))
		return nil
	},
}

// version returns the module's version, or the revision it was built from.
func version() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " with changes"
		}
	}
	if revision == "" {
		return "devel"
	}
	return fmt.Sprintf("devel %s%s", revision, dirty)
}

package kernels

import (
	"fmt"
	"slices"
	"strings"
)

// An implementation is an instruction set that kernels are written for.
type implementation struct {
	name      string
	available bool  // on this CPU
	use       *bool // read by the dispatchers on every call
}

// implementations lists what this build has assembly for, best last. The
// generic code is not listed: it runs wherever no implementation is in use.
var implementations []implementation

func register(name string, available bool, use *bool) {
	*use = available
	implementations = append(implementations, implementation{name, available, use})
}

// Implementations returns the names of the instruction sets in use, best last.
// It is empty where only the generic code runs.
func Implementations() []string {
	var names []string
	for _, im := range implementations {
		if *im.use {
			names = append(names, im.name)
		}
	}
	return names
}

// Use restricts the kernels to the named implementations: "avx2", "avx512",
// "neon", or none of them for the generic code. All of them give the same bits,
// so that this matters for speed and for tests only. It returns an error if a
// name is unknown to this build or the CPU lacks it, and changes nothing then.
// It must not be called while kernels run.
func Use(names ...string) error {
	for _, name := range names {
		i := slices.IndexFunc(implementations, func(im implementation) bool { return im.name == name })
		switch {
		case i < 0:
			return fmt.Errorf("kernels: no implementation %q in this build; there is %s", name, known())
		case !implementations[i].available:
			return fmt.Errorf("kernels: this CPU can't run the implementation %q", name)
		}
	}
	for _, im := range implementations {
		*im.use = slices.Contains(names, im.name)
	}
	return nil
}

func known() string {
	names := []string{"generic"}
	for _, im := range implementations {
		names = append(names, im.name)
	}
	return strings.Join(names, ", ")
}

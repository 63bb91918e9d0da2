package kernels

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// eachImpl runs f once with every implementation of this build alone, and once
// with the generic code. An implementation that the CPU lacks is skipped, unless
// LORATOOL_TEST_REQUIRE names it: then that is a failure.
func eachImpl(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	required := strings.Split(os.Getenv("LORATOOL_TEST_REQUIRE"), ",")
	before := Implementations()
	t.Cleanup(func() {
		if err := Use(before...); err != nil {
			t.Error(err)
		}
	})
	t.Run("generic", func(t *testing.T) {
		if err := Use(); err != nil {
			t.Fatal(err)
		}
		f(t)
	})
	for _, im := range implementations {
		t.Run(im.name, func(t *testing.T) {
			if !im.available {
				if slices.Contains(required, im.name) {
					t.Fatalf("%s is required, but this CPU lacks it", im.name)
				}
				t.Skipf("this CPU has no %s", im.name)
			}
			if err := Use(im.name); err != nil {
				t.Fatal(err)
			}
			f(t)
		})
	}
}

func TestUse(t *testing.T) {
	before := Implementations()
	defer Use(before...)
	if err := Use("mmx"); err == nil {
		t.Error(`Use("mmx") = nil, want an error`)
	}
	if got := Implementations(); !slices.Equal(got, before) {
		t.Errorf("a refused Use changed the implementations from %v to %v", before, got)
	}
	if err := Use(); err != nil {
		t.Fatal(err)
	}
	if got := Implementations(); len(got) != 0 {
		t.Errorf("Implementations() = %v after Use(), want none", got)
	}
}

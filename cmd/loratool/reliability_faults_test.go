//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFaults lets the n-th call of each kind fail, for n = 1, 2, 3 … until none is
// left to fail: the program tells what broke and leaves the old output, or it
// did not matter and the new one is there.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred runs")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("failing system calls takes strace")
	}
	b := newBench(t, 2, 128)
	b.check(os.WriteFile(b.path("base/tokenizer.json"), []byte("{}"), 0o666))
	if err := exec.Command("strace", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	runs := 0
	for _, out := range []string{"out", "out.safetensors"} {
		first, second, _ := b.wholeOutputs(out)
		for _, fault := range []string{"openat:EACCES", "newfstatat:EIO", "fstat:EIO", "pread64:EIO", "read:EIO", "mkdirat:ENOSPC", "flock:EIO",
			"fallocate:ENOSPC", "fchmod:EPERM", "pwrite64:ENOSPC", "copy_file_range:EIO", "fsync:EIO", "close:EIO",
			"renameat:EIO", "renameat2:EIO", "unlinkat:EIO"} {
			for n := 1; ; n++ {
				runs++
				if !b.faulty(out, fault, n, first, second) {
					break
				}
				if n > 200 {
					t.Fatalf("%s: there is no end to it", fault)
				}
			}
		}
	}
	t.Logf("%d runs", runs)
}

// faulty merges over an old output while a system call fails, and reports whether
// there was one to fail.
func (b *bench) faulty(out, fault string, n int, first, second string) bool {
	b.check(os.RemoveAll(b.path(out)))
	if code, text := b.run(b.merge(out, "--dtype", "f16")); code != 0 {
		b.t.Fatalf("exit code %d: %s", code, text)
	}
	name, errno, _ := strings.Cut(fault, ":")
	trace := b.path("trace")
	cmd := b.merge(out, "--force", "-j", "1")
	program, err := exec.LookPath("loratool")
	b.check(err)
	traced := exec.Command("strace", append([]string{"-f", "-o", trace, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", name, errno, n), program}, cmd.Args[1:]...)...)
	traced.Dir = b.dir
	code, text := b.run(traced)
	injected, err := os.ReadFile(trace)
	b.check(err)
	hit := strings.Contains(string(injected), "(INJECTED)")

	what := fmt.Sprintf("%s: %s, call %d", out, fault, n)
	switch got := b.digest(out); {
	case got != first && got != second:
		b.t.Errorf("%s: the output is neither the old nor the new", what)
	case code == 0 && got != second:
		b.t.Errorf("%s: all was well, it says, and the output is the old one", what)
	case code != 0 && !strings.HasPrefix(text, "loratool: error: "):
		b.t.Errorf("%s: exit code %d without an error: %s", what, code, text)
	case code != 0 && got == second && name != "fsync": // the folder's, which comes after the rename
		b.t.Errorf("%s: exit code %d and a new output: %s", what, code, text)
	}
	left := b.temporaries()
	// Without unlinkat there is no way to remove it. And where the exchange of old and
	// new may not be on the disk yet, the old one must stay.
	if name == "unlinkat" || name == "fsync" && code != 0 && b.digest(out) == second {
		for _, path := range left {
			b.check(os.RemoveAll(path))
		}
	} else if len(left) > 0 {
		b.t.Errorf("%s: left %v", what, filepath.Base(left[0]))
	}
	return hit
}

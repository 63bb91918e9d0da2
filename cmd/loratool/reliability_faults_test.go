//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
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
	for _, target := range []struct{ out, faults string }{
		{"out", "openat:EACCES newfstatat:EIO fstat:EIO pread64:EIO read:EIO mkdirat:ENOSPC flock:EIO fallocate:ENOSPC fchmod:EPERM " +
			"pwrite64:ENOSPC copy_file_range:EIO fsync:EIO close:EIO renameat:EIO renameat2:EIO unlinkat:EIO"},
		{"out.safetensors", "openat:EACCES fallocate:ENOSPC fchmod:EPERM pwrite64:ENOSPC fsync:EIO renameat:EIO"},
	} {
		first, second, _ := b.wholeOutputs(target.out)
		for _, fault := range strings.Fields(target.faults) {
			for n := 1; ; n++ {
				runs++
				if !b.faulty(target.out, fault, n, first, second) {
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
	if left := b.temporaries(); len(left) > 0 {
		b.t.Errorf("%s: the run before call %d did not remove %v", fault, n, left)
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
	got := b.digest(out)
	// The folder is flushed after the rename. If that fails the new output is there,
	// but perhaps not on the disk yet, so that the old one must stay, too.
	unflushed := code != 0 && got == second && (name == "fsync" || name == "openat")
	switch {
	case got != first && got != second:
		b.t.Errorf("%s: the output is neither the old nor the new", what)
	case code == 0 && got != second:
		b.t.Errorf("%s: all was well, it says, and the output is the old one", what)
	case code != 0 && !strings.HasPrefix(text, "loratool: error: "):
		b.t.Errorf("%s: exit code %d without an error: %s", what, code, text)
	case code != 0 && got == second && !unflushed:
		b.t.Errorf("%s: exit code %d and a new output: %s", what, code, text)
	case len(b.temporaries()) > 0 && !unflushed && name != "unlinkat" && name != "openat": // which removing takes
		b.t.Errorf("%s: left %v", what, b.temporaries())
	}
	return hit
}

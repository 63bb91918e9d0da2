package formats

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestRemoveTemporaries runs itself once more, as a process of its own: after
// the removal nothing can be committed in it for good.
func TestRemoveTemporaries(t *testing.T) {
	if dir := os.Getenv("REMOVE_TEMPORARIES"); dir != "" {
		removeAndTryToCommit(t, dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRemoveTemporaries$")
	cmd.Env = append(os.Environ(), "REMOVE_TEMPORARIES="+dir)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("under emulation the test can't run itself once more")
	}
	if err == nil || cmd.ProcessState.ExitCode() != 130 {
		t.Fatalf("%v: %s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left: %s", e.Name())
	}
}

func removeAndTryToCommit(t *testing.T, dir string) {
	l := &Layout{Folder: true, Files: []LayoutFile{{Name: "sub/a", Size: 3, Head: []byte("abc")}, {Name: "b", Size: 1 << 20}}}
	out, err := Create(filepath.Join(dir, "out"), l, false)
	if err != nil {
		t.Fatal(err)
	}
	single, err := Create(filepath.Join(dir, "single"), &Layout{Files: []LayoutFile{{Size: 10}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	RemoveTemporaries()
	done := make(chan error, 2)
	go func() { done <- out.Commit(context.Background()) }()
	go func() { done <- single.Commit(context.Background()) }()
	os.Exit(130) // as the program does
}

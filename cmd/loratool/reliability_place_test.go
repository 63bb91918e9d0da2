//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull merges onto disks of many sizes that are too small: the old
// output stays, the message says how much is needed, and the exit code asks to
// try again.
func TestDiskFull(t *testing.T) {
	b := newBench(t, 2, 512) // 1 MiB of weights
	b.check(os.Mkdir(b.path("disk"), 0o777))
	if err := syscall.Mount("tmpfs", b.path("disk"), "tmpfs", 0, "size=1800k"); err != nil {
		t.Skipf("mounting a small disk takes root: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(b.path("disk"), syscall.MNT_DETACH) })
	if code, text := b.run(b.merge("disk/old", "--dtype", "f16")); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	old := b.digest("disk/old")
	for size := 1100; size <= 2000; size += 100 {
		b.check(syscall.Mount("tmpfs", b.path("disk"), "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dk", size)))
		for _, dtype := range []string{"keep", "f32"} {
			code, text := b.run(b.merge("disk/old", "--force", "--dtype", dtype))
			if code != exitTemporary {
				t.Fatalf("disk of %d kB: exit code %d: %s", size, code, text)
			}
			if !strings.HasPrefix(text, "loratool: error: disk/old: no space left on device: ") || !strings.Contains(text, "needed") || !strings.Contains(text, "free") {
				t.Errorf("disk of %d kB: the message does not say what is needed: %s", size, text)
			}
			if b.digest("disk/old") != old {
				t.Fatalf("disk of %d kB: the old output changed", size)
			}
			if left, err := filepath.Glob(b.path("disk/.*loratool*")); err != nil || len(left) > 0 {
				t.Fatalf("disk of %d kB: left %v", size, left)
			}
		}
	}
	b.check(syscall.Mount("tmpfs", b.path("disk"), "tmpfs", syscall.MS_REMOUNT, "size=8m"))
	if code, text := b.run(b.merge("disk/old", "--force")); code != 0 {
		t.Fatalf("with room again: exit code %d: %s", code, text)
	}
}

// TestSameFile names inputs as outputs in every way there is: all are refused,
// whatever --force says, and no input changes.
func TestSameFile(t *testing.T) {
	b := newBench(t, 1, 64)
	b.check(makeModel(b.path("shards"), "a:BF16:8x8", "b:BF16:8x8", "shard=128"))
	b.check(os.Symlink("base", b.path("link")))
	b.check(os.Symlink("base/model.safetensors", b.path("file-link.safetensors")))
	b.check(os.Link(b.path("base/model.safetensors"), b.path("hard-link.safetensors")))
	b.check(os.Link(b.path("lora/adapter_model.safetensors"), b.path("hard-lora.safetensors")))
	b.check(os.Symlink("lora", b.path("lora-link")))
	b.check(os.Symlink(b.dir, b.path("here")))
	before := b.digest("base") + b.digest("lora") + b.digest("shards")
	for _, line := range []string{
		"merge base --lora lora -o base",
		"merge base --lora lora -o ./base/",
		"merge base --lora lora -o base/../base",
		"merge base --lora lora -o " + b.path("base"),
		"merge base --lora lora -o link",
		"merge link --lora lora -o base",
		"merge base --lora lora -o here/base",
		"merge base --lora lora -o base/model.safetensors",
		"merge base/model.safetensors --lora lora -o base/model.safetensors",
		"merge base --lora lora -o file-link.safetensors",
		"merge base --lora lora -o hard-link.safetensors",
		"merge base --lora lora -o lora",
		"merge base --lora lora-link -o lora",
		"merge base --lora lora -o lora/adapter_model.safetensors",
		"merge base --lora lora -o hard-lora.safetensors",
		"merge base --lora lora -o new --report hard-lora.safetensors",
		"cast shards -o shards --dtype f16",
		"cast shards/model-00002-of-00002.safetensors -o shards --dtype f16",
		"cast shards -o shards/model-00002-of-00002.safetensors --dtype f16",
	} {
		cmd := exec.Command("loratool", append(strings.Fields(line), "--force")...)
		cmd.Dir = b.dir
		code, text := b.run(cmd)
		if code != exitFailure || !strings.Contains(text, "the output is an input") {
			t.Errorf("%s: exit code %d: %s", line, code, text)
		}
		if b.digest("base")+b.digest("lora")+b.digest("shards") != before {
			t.Fatalf("%s: an input changed", line)
		}
	}
	if _, err := os.Stat(b.path("new")); err == nil {
		t.Error("there is an output although its report was refused")
	}
}

// TestPermissions checks the modes of outputs, and that people without
// permission are told so.
func TestPermissions(t *testing.T) {
	b := newBench(t, 1, 64)
	mode := func(name string) os.FileMode {
		info, err := os.Stat(b.path(name))
		b.check(err)
		return info.Mode().Perm()
	}
	for _, test := range []struct {
		umask      string
		file, fold os.FileMode
	}{{"022", 0o644, 0o755}, {"077", 0o600, 0o700}, {"002", 0o664, 0o775}} {
		for _, out := range []string{"out", "out.safetensors"} {
			cmd := exec.Command("sh", "-c", "umask "+test.umask+"; exec loratool merge base --lora lora -q -o "+out)
			cmd.Dir = b.dir
			if code, text := b.run(cmd); code != 0 {
				t.Fatalf("exit code %d: %s", code, text)
			}
		}
		if got := mode("out"); got != test.fold {
			t.Errorf("umask %s: the folder has mode %o", test.umask, got)
		}
		for _, name := range []string{"out/model.safetensors", "out/config.json", "out.safetensors"} {
			if got := mode(name); got != test.file {
				t.Errorf("umask %s: %s has mode %o", test.umask, name, got)
			}
		}
		b.check(os.RemoveAll(b.path("out")))
		b.check(os.Remove(b.path("out.safetensors")))
	}

	// A file that is replaced keeps its mode; read-only inputs will do.
	b.check(os.WriteFile(b.path("old.safetensors"), nil, 0o640))
	b.check(os.Chmod(b.path("base/model.safetensors"), 0o444))
	if code, text := b.run(b.merge("old.safetensors", "--force")); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	if got := mode("old.safetensors"); got != 0o640 {
		t.Errorf("the replaced file has mode %o", got)
	}

	// Root may do anything; nobody must be told.
	if os.Getuid() != 0 {
		t.Skip("running as somebody else takes root")
	}
	for d := b.dir; d != "/"; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o001 == 0 {
			b.check(os.Chmod(d, info.Mode().Perm()|0o011)) // nobody must get here
		}
	}
	program, err := exec.LookPath("loratool")
	b.check(err)
	nobody := func(args ...string) (int, string) {
		cmd := exec.Command(b.path("loratool"), args...)
		cmd.Dir = b.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return b.run(cmd)
	}
	data, err := os.ReadFile(program)
	b.check(err)
	b.check(os.WriteFile(b.path("loratool"), data, 0o755))
	code, text := nobody("merge", "base", "--lora", "lora", "-o", "out")
	if code != exitFailure || !strings.Contains(text, "permission denied") {
		t.Errorf("unwritable folder: exit code %d: %s", code, text)
	}
	b.check(os.Chmod(b.path("lora/adapter_model.safetensors"), 0))
	code, text = nobody("merge", "base", "--lora", "lora", "-o", "/tmp/never")
	if code != exitFailure || !strings.Contains(text, "error: lora/adapter_model.safetensors: permission denied") {
		t.Errorf("unreadable adapter: exit code %d: %s", code, text)
	}
}

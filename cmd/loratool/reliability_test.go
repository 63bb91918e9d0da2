//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests run the program as its users do and do to it what happens to
// programs: kills, interrupts, full disks, wrong permissions, outputs that are
// inputs. Nothing may be left under the final name but what was there before or
// a whole output.

// bench is a folder with a base and an adapter that take a while to merge.
type bench struct {
	t   *testing.T
	dir string
}

func newBench(t *testing.T, layers, width int) *bench {
	b := &bench{t, t.TempDir()}
	var base, lora []string
	for i := range layers {
		module := fmt.Sprintf("model.layers.%d.self_attn.q_proj", i)
		base = append(base, fmt.Sprintf("%s.weight:BF16:%dx%d=0.5", module, width, width))
		lora = append(lora, fmt.Sprintf("base_model.model.%s.lora_A.weight:F32:8x%d", module, width),
			fmt.Sprintf("base_model.model.%s.lora_B.weight:F32:%dx8", module, width))
	}
	b.check(makeModel(b.path("base"), base...))
	b.check(makeModel(b.path("lora"), append(lora, "stem=adapter_model")...))
	b.check(os.WriteFile(b.path("base/config.json"), []byte(`{"model_type": "llama"}`), 0o666))
	b.check(os.WriteFile(b.path("lora/adapter_config.json"), []byte(`{"peft_type": "LORA", "r": 8, "lora_alpha": 8, "target_modules": ["q_proj"]}`), 0o666))
	return b
}

func (b *bench) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// merge returns the command that merges into out, run in the bench's folder.
func (b *bench) merge(out string, more ...string) *exec.Cmd {
	cmd := exec.Command("loratool", append([]string{"merge", "base", "--lora", "lora", "-o", out, "--progress", "none"}, more...)...)
	cmd.Dir = b.dir
	return cmd
}

// run runs cmd and returns its exit code and what it wrote to stderr. Whatever
// goes wrong, that must not be a stack trace.
func (b *bench) run(cmd *exec.Cmd) (code int, stderr string) {
	b.t.Helper()
	var text bytes.Buffer
	cmd.Stderr = &text
	err := cmd.Run()
	if strings.Contains(text.String(), "goroutine ") {
		b.t.Fatalf("%v crashed:\n%s", cmd.Args, &text)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), text.String()
	}
	b.check(err)
	return 0, text.String()
}

// digest returns one digest of a file, or of all files of a folder and their
// names; "" if there is none.
func (b *bench) digest(name string) string {
	b.t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(b.path(name), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(path, b.dir), len(data))
		h.Write(data)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	b.check(err)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// temporaries returns the names of temporaries that are left.
func (b *bench) temporaries() []string {
	found, err := filepath.Glob(b.path(".*loratool-*"))
	b.check(err)
	return found
}

// awaitTemporary waits until a run is writing, or has written out.
func (b *bench) awaitTemporary(out string) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		if _, err := os.Stat(b.path(out)); err == nil || len(b.temporaries()) > 0 {
			return
		}
	}
	b.t.Fatal("no output is begun")
}

// wholeOutputs returns the digests of an output that is there and of another.
func (b *bench) wholeOutputs(out string) (first, second string, took time.Duration) {
	start := time.Now()
	if code, text := b.run(b.merge(out, "--dtype", "f16")); code != 0 {
		b.t.Fatalf("exit code %d: %s", code, text)
	}
	took = time.Since(start)
	first = b.digest(out)
	if code, text := b.run(b.merge(out, "--force")); code != 0 {
		b.t.Fatalf("exit code %d: %s", code, text)
	}
	second = b.digest(out)
	b.check(os.RemoveAll(b.path(out)))
	return first, second, took
}

// TestKill kills merges at random times: the output is there as a whole, old or
// new, or not at all, and the next run removes what the killed one left.
func TestKill(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 10
	}
	for _, out := range []string{"out", "out.safetensors"} {
		t.Run(out, func(t *testing.T) {
			b := newBench(t, 6, 512)
			first, second, took := b.wholeOutputs(out)
			seen := map[string]int{}
			left := 0
			for i := range kills {
				dtype := []string{"f16", "keep"}[i%2]
				cmd := b.merge(out, "--force", "--dtype", dtype)
				b.check(cmd.Start())
				time.Sleep(time.Duration(rand.Int64N(int64(took * 5 / 4))))
				cmd.Process.Kill()
				cmd.Wait()
				d := b.digest(out)
				if d != "" && d != first && d != second {
					t.Fatalf("kill %d left an output that is neither", i)
				}
				seen[d]++
				if len(b.temporaries()) > 0 {
					left++
				}
			}
			if code, text := b.run(b.merge(out, "--force")); code != 0 {
				t.Fatalf("exit code %d: %s", code, text)
			}
			if d := b.digest(out); d != second {
				t.Error("the run after the kills made another output")
			}
			if temp := b.temporaries(); len(temp) > 0 {
				t.Errorf("left: %v", temp)
			}
			t.Logf("%d kills within %v: %d left temporaries; outputs seen: none %d times, one %d, the other %d",
				kills, took*5/4, left, seen[""], seen[first], seen[second])
		})
	}
}

// TestInterrupt interrupts merges at random times, and when they have begun to
// write: they end soon, with code 130, and leave nothing, or were done already.
func TestInterrupt(t *testing.T) {
	runs := 50
	if testing.Short() {
		runs = 6
	}
	b := newBench(t, 6, 512)
	_, whole, took := b.wholeOutputs("out")
	interrupted := 0
	for i := range runs {
		cmd := b.merge("out")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		b.check(cmd.Start())
		if i%3 == 0 {
			time.Sleep(15*time.Millisecond + time.Duration(rand.Int64N(int64(took))))
		} else {
			b.awaitTemporary("out")
		}
		sent := time.Now()
		cmd.Process.Signal([]os.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2])
		cmd.Wait()
		if wait := time.Since(sent); wait > 20*time.Second { // as good as never
			t.Errorf("run %d took %v to end", i, wait)
		}
		switch code := cmd.ProcessState.ExitCode(); code {
		case exitInterrupted:
			interrupted++
			if b.digest("out") != "" {
				t.Errorf("run %d was interrupted, and there is an output", i)
			}
		case 0:
			if b.digest("out") != whole {
				t.Errorf("run %d ended well with another output", i)
			}
			b.check(os.RemoveAll(b.path("out")))
		case -1: // the program had not begun: the signal ended it by itself
			if b.digest("out") != "" {
				t.Errorf("run %d had not begun, and there is an output", i)
			}
		default:
			t.Errorf("run %d ended with %d: %s", i, code, &stderr)
		}
		if temp := b.temporaries(); len(temp) > 0 {
			t.Fatalf("run %d left %v", i, temp)
		}
	}
	t.Logf("%d of %d runs were interrupted", interrupted, runs)
	if interrupted == 0 {
		t.Error("no run was interrupted")
	}
}

//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestConcurrent has several processes write one output at once: each makes a
// whole one or says why not, and a whole one is there in the end.
func TestConcurrent(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for _, out := range []string{"out", "out.safetensors"} {
		t.Run(out, func(t *testing.T) {
			b := newBench(t, 3, 256)
			first, second, _ := b.wholeOutputs(out)
			failed := 0
			for range rounds {
				var wg sync.WaitGroup
				var mu sync.Mutex
				for i := range 6 {
					wg.Go(func() {
						cmd := b.merge(out, "--force", "--dtype", []string{"f16", "keep"}[i%2])
						text, err := cmd.CombinedOutput()
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							failed++
							if cmd.ProcessState.ExitCode() != exitFailure || !strings.HasPrefix(string(text), "loratool: error: ") {
								t.Errorf("a process failed with %v: %s", err, text)
							}
						}
					})
				}
				wg.Wait()
				if d := b.digest(out); d != first && d != second {
					t.Fatalf("the output is neither of the two")
				}
				if temp := b.temporaries(); len(temp) > 0 {
					t.Fatalf("left: %v", temp)
				}
			}
			if failed > 0 {
				t.Errorf("%d of %d processes failed", failed, 6*rounds)
			}
		})
	}
}

// TestChangingInput rewrites the base while it is merged: the merge fails, or was
// done before. A mixture of old and new never appears.
func TestChangingInput(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	b := newBench(t, 6, 512)
	_, whole, took := b.wholeOutputs("out")
	weights := b.path("base/model.safetensors")
	original, err := os.ReadFile(weights)
	b.check(err)
	changed := append([]byte(nil), original...)
	for i := len(changed) / 2; i < len(changed); i++ {
		changed[i] ^= 1
	}
	refused := 0
	for i := range rounds {
		b.check(os.WriteFile(weights, original, 0o666))
		cmd := b.merge("out")
		var text strings.Builder
		cmd.Stderr = &text
		b.check(cmd.Start())
		time.Sleep(time.Duration(rand.Int64N(int64(took))))
		switch i % 3 {
		case 0:
			b.check(os.WriteFile(weights, changed, 0o666))
		case 1:
			b.check(os.Truncate(weights, int64(rand.IntN(len(original)))))
		case 2:
			f, err := os.OpenFile(weights, os.O_APPEND|os.O_WRONLY, 0)
			b.check(err)
			f.Write([]byte("more"))
			f.Close()
		}
		cmd.Wait()
		switch code := cmd.ProcessState.ExitCode(); {
		case code == 0 && b.digest("out") == whole:
			b.check(os.RemoveAll(b.path("out")))
		case code == 0:
			// The base had changed altogether before the merge opened it.
			d := b.digest("out")
			b.check(os.RemoveAll(b.path("out")))
			if fresh, text := b.run(b.merge("out")); fresh != 0 || b.digest("out") != d {
				t.Errorf("round %d: a mixed output, or one of a broken base: %s", i, text)
			}
			b.check(os.RemoveAll(b.path("out")))
		case code != exitFailure && code != exitInput || b.digest("out") != "":
			t.Errorf("round %d ended with %d: %s", i, code, &text)
		default:
			refused++
		}
		if temp := b.temporaries(); len(temp) > 0 {
			t.Fatalf("round %d left %v", i, temp)
		}
	}
	t.Logf("%d of %d merges were refused", refused, rounds)
}

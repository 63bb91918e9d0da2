//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMemory merges into bases of two sizes, both much larger than the memory it
// may take, and looks at the most it had.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes half a gigabyte")
	}
	b := newBench(t, 2, 2048)
	const memory, rest = 24 << 20, 48 << 20 // rest is for the program itself
	var peaks []int64
	for _, layers := range []int{4, 16} {
		b.sparseBase(layers, 2048, 4096)
		cmd := b.merge("out", "--force", "--memory", fmt.Sprint(memory), "-j", "4", "--dtype", "f32")
		peak := b.peak(cmd)
		if peak > memory+rest {
			t.Errorf("%d layers: peak memory of %s with --memory %s", layers, formatMemory(peak), formatMemory(memory))
		}
		peaks = append(peaks, peak)
	}
	t.Logf("peak memory %s and %s with --memory %s, for bases of 64 MiB and 256 MiB and outputs twice as large",
		formatMemory(peaks[0]), formatMemory(peaks[1]), formatMemory(memory))
	if peaks[1] > peaks[0]+16<<20 {
		t.Errorf("peak memory grew with the model: %s, %s", formatMemory(peaks[0]), formatMemory(peaks[1]))
	}
}

// peak runs cmd and returns the most memory that it had. The kernel tells that to
// who asks while it runs; what it tells afterwards counts the memory of this test,
// too, which forked.
func (b *bench) peak(cmd *exec.Cmd) (bytes int64) {
	b.check(cmd.Start())
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			b.check(err)
			return bytes
		case <-time.After(2 * time.Millisecond):
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil {
			continue // it has just ended
		}
		if _, line, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kB int64
			fmt.Sscan(line, &kB)
			bytes = max(bytes, kB<<10)
		}
	}
}

// sparseBase makes a base of zeros that takes no room on the disk. The adapter
// fits two of its layers.
func (b *bench) sparseBase(layers, rows, cols int) {
	var entries []string
	size := 2 * rows * cols
	add := func(module string, layer, cols, at int) {
		entries = append(entries, fmt.Sprintf(`"model.layers.%d.%s.weight":{"dtype":"BF16","shape":[%d,%d],"data_offsets":[%d,%d]}`,
			layer, module, rows, cols, at, at+2*rows*cols))
	}
	for i := range layers {
		if i < 2 { // half for the adapter, the other half for no matter what
			add("self_attn.q_proj", i, cols/2, i*size)
			add("mlp.down_proj", i, cols/2, i*size+size/2)
		} else {
			add("mlp.down_proj", i, cols, i*size)
		}
	}
	header := "{" + strings.Join(entries, ",") + "}"
	f, err := os.Create(b.path("base/model.safetensors"))
	b.check(err)
	defer f.Close()
	_, err = f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	b.check(err)
	b.check(f.Truncate(int64(8 + len(header) + layers*size)))
}

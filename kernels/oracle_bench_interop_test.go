//go:build interop && linux

package kernels

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkOracle reports how many times as fast as libggml a quantizer is: the ratio
// of the medians of CPU time, in one thread each, in rounds taken by turns and for as
// long, so that both meet the same machine.
func BenchmarkOracle(b *testing.B) {
	src := make([]float32, benchmarkRows*benchmarkCols)
	fillNormal(newRand(1), src)
	dir := b.TempDir()
	in, weightsFile := filepath.Join(dir, "in"), filepath.Join(dir, "weights")
	writeFile(b, in, encodeFloats(src))
	writeFile(b, weightsFile, encodeFloats(benchmarkWeights()))
	for _, bt := range blockTypes {
		dst := make([]byte, len(src)/bt.blockLen*bt.blockSize)
		for _, weighted := range []bool{false, true} {
			name, weights := bt.name, []float32(nil)
			args := []string{"5", strconv.Itoa(benchmarkCols), in}
			if weighted {
				name, weights, args = name+"-weighted", benchmarkWeights(), append(args, weightsFile)
			} else if needsWeights[bt.name] {
				continue
			}
			b.Run(name, func(b *testing.B) {
				eachImplBenchmark(b, func(b *testing.B) {
					runtime.LockOSThread() // whose time is measured
					defer runtime.UnlockOSThread()
					var ours, theirs []time.Duration
					for range b.N {
						var turn time.Duration
						for line := range strings.Lines(string(oracle(b, "speed", bt.name, args...))) {
							ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
							if err != nil {
								b.Fatal(err)
							}
							theirs = append(theirs, time.Duration(ns))
							turn += time.Duration(ns)
						}
						for turn > 0 {
							start := threadTime(b)
							bt.quantize(dst, src, benchmarkCols, weights)
							ours = append(ours, threadTime(b)-start)
							turn -= ours[len(ours)-1]
						}
					}
					b.ReportMetric(float64(len(src))/median(ours).Seconds()/1e6, "Mweights/s")
					b.ReportMetric(float64(median(theirs))/float64(median(ours)), "times-ggml")
					b.ReportMetric(0, "ns/op")
				})
			})
		}
	}
}

// threadTime returns the CPU time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

package main

import "runtime/debug"

// limitMemory tells the garbage collector to keep the process within budget
// bytes of buffers and a constant for everything else: code, headers, stacks,
// and what the collector itself needs.
func limitMemory(budget int64) {
	const rest = 32 << 20
	debug.SetMemoryLimit(budget + rest)
	// Buffers are pooled, so that there is little garbage to collect. But a
	// collection empties the pools of what was not used since the last one, and who
	// allocates anew brings the next collection nearer: below half, the collector can
	// come to run for every few buffers, and thousands of times.
	debug.SetGCPercent(100)
}

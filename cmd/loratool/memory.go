package main

import "runtime/debug"

// limitMemory tells the garbage collector to keep the process within budget
// bytes of buffers and a constant for everything else: code, headers, stacks,
// and what the collector itself needs.
func limitMemory(budget int64) {
	const rest = 32 << 20
	debug.SetMemoryLimit(budget + rest)
	// Buffers are pooled, so the heap hardly changes: growing it by half before
	// each collection costs little time and would cost half the budget in memory.
	debug.SetGCPercent(20)
}

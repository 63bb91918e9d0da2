//go:build !purego

package kernels

// useNEON says that Advanced SIMD may be used, which every 64-bit Arm CPU has.
var useNEON bool

func init() { register("neon", true, &useNEON) }

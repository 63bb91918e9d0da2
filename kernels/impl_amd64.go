//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

// useAVX2 says that AVX2, FMA, F16C, BMI1 and BMI2 instructions may be used: Intel
// since Haswell, AMD since Excavator. useAVX512 adds the F, BW, DQ, VL and CD subsets:
// Intel since Skylake-X, AMD since Zen 4.
var useAVX2, useAVX512 bool

func init() {
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C &&
		cpu.X86.HasBMI1 && cpu.X86.HasBMI2
	register("avx2", avx2, &useAVX2)
	register("avx512", avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ &&
		cpu.X86.HasAVX512VL && cpu.X86.HasAVX512CD, &useAVX512)
}

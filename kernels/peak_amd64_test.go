//go:build !purego

package kernels

import "testing"

// BenchmarkPeak measures how many multiply-adds the CPU does when it does nothing
// else.
func BenchmarkPeak(b *testing.B) {
	const n = 10000
	for _, p := range []struct {
		name         string
		use          *bool
		lanes        int
		multiplyAdds func(int)
	}{{"avx2", &useAVX2, 8, multiplyAddsAVX2}, {"avx512", &useAVX512, 16, multiplyAddsAVX512}} {
		if !*p.use {
			continue
		}
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				p.multiplyAdds(n)
			}
			reportGFlops(b, 2*12*n*p.lanes)
		})
	}
}

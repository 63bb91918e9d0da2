//go:build !race

package kernels

import "testing"

// TestAllocs says that kernels don't allocate, the products neither once their
// buffers are in the pool. (Under the race detector pools forget on purpose.)
func TestAllocs(t *testing.T) {
	const n = 100
	x, y, b := make([]float32, n*n), make([]float32, n*n), make([]byte, 8*n*n)
	z := make([]float32, n*n)
	eachImpl(t, func(t *testing.T) {
		checkAllocs(t, "F64ToF16", func() { F64ToF16(b[:2*n], b[8*n:16*n]) })
		checkAllocs(t, "DecodeF16", func() { DecodeF16(x, b[:2*len(x)]) })
		checkAllocs(t, "EncodeBF16", func() { EncodeBF16(b[:2*len(x)], x) })
		checkAllocs(t, "DecodeF8E4M3", func() { DecodeF8E4M3(x, b[:len(x)]) })
		checkAllocs(t, "EncodeF8E4M3", func() { EncodeF8E4M3(b[:len(x)], x) })
		checkAllocs(t, "AddScaled", func() { AddScaled(y, 0.5, x) })
		checkAllocs(t, "Dot", func() { Dot(x, y) })
		checkAllocs(t, "CountF16", func() { CountF16(x) })
		checkAllocs(t, "Gemm", func() { Gemm(z, n, x, n, y, n, n, n-1, n) })
	})
}

func checkAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(10, f); got >= 1 {
		t.Errorf("%s: %v allocations", name, got)
	}
}

//go:build !purego

package kernels

func firstNonFinite(x []float32) int {
	n := 0
	switch {
	case useAVX512:
		n = leadingFiniteAVX512(x)
	case useAVX2:
		n = leadingFiniteAVX2(x)
	}
	if i := firstNonFiniteGeneric(x[n:]); i >= 0 {
		return n + i
	}
	return -1
}

func countOutside(x []float32, low, high uint32) (above, below int) {
	for len(x) > 0 {
		part := x[:min(len(x), 1<<30)] // what 32-bit counters are sure to hold
		x = x[len(part):]
		n := 0
		var a, b uint32
		switch {
		case useAVX512:
			n = len(part) &^ 15
			a, b = countOutsideAVX512(part[:n], low, high)
		case useAVX2:
			n = len(part) &^ 7
			a, b = countOutsideAVX2(part[:n], low, high)
		}
		restAbove, restBelow := countOutsideGeneric(part[n:], low, high)
		above += int(a) + restAbove
		below += int(b) + restBelow
	}
	return above, below
}

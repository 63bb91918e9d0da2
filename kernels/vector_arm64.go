//go:build !purego

package kernels

// addScaledNEON is addScaledGeneric for len(y) a multiple of 8.
//
//go:noescape
func addScaledNEON(y []float32, a float32, x []float32)

// scaleNEON is scaleGeneric for len(y) a multiple of 8.
//
//go:noescape
func scaleNEON(y []float32, a float32)

// subNEON is subGeneric for len(dst) a multiple of 8.
//
//go:noescape
func subNEON(dst, x, y []float32)

// leadingFiniteNEON returns how many values of x are finite before the first block
// of 16 where one is not, or before the rest that is no whole block.
//
//go:noescape
func leadingFiniteNEON(x []float32) int

func addScaled(y []float32, a float32, x []float32) {
	n := 0
	if useNEON {
		n = len(y) &^ 7
		addScaledNEON(y[:n], a, x)
	}
	addScaledGeneric(y[n:], a, x[n:])
}

func scale(y []float32, a float32) {
	n := 0
	if useNEON {
		n = len(y) &^ 7
		scaleNEON(y[:n], a)
	}
	scaleGeneric(y[n:], a)
}

func sub(dst, x, y []float32) {
	n := 0
	if useNEON {
		n = len(dst) &^ 7
		subNEON(dst[:n], x, y)
	}
	subGeneric(dst[n:], x[n:], y[n:])
}

func firstNonFinite(x []float32) int {
	n := 0
	if useNEON {
		n = leadingFiniteNEON(x)
	}
	if i := firstNonFiniteGeneric(x[n:]); i >= 0 {
		return n + i
	}
	return -1
}

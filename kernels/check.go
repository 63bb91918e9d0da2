package kernels

// FirstNonFinite returns the index of the first NaN or infinity in x, or -1.
func FirstNonFinite(x []float32) int { return firstNonFinite(x) }

// CountF16 returns how many finite values of x EncodeF16 turns into infinity, and
// how many nonzero ones into zero:
//
//	for _, v := range x {
//		a := math.Abs(v)
//		overflow += a is finite && a >= 65520
//		flushed += a != 0 && a <= 2⁻²⁵
//	}
func CountF16(x []float32) (overflow, flushed int) {
	return countOutside(x, 0x33000000, 0x477ff000)
}

// CountBF16 returns how many finite values of x EncodeBF16 turns into infinity,
// and how many nonzero ones into zero.
func CountBF16(x []float32) (overflow, flushed int) {
	return countOutside(x, 0x00008000, 0x7f7f8000)
}

// CountF8E4M3 returns how many finite values of x lie so far beyond ±448 that
// EncodeF8E4M3 does more than round them (|v| > 464), and how many nonzero ones it
// turns into zero (|v| ≤ 2⁻¹⁰).
func CountF8E4M3(x []float32) (overflow, flushed int) {
	return countOutside(x, 0x3a800000, 0x43e80001)
}

package kernels

import "encoding/binary"

// TQ1_0 stores 256 values in 54 bytes, 1.6875 bits a value:
//
//	qs  [48]uint8  5 values in a byte: 32 bytes for values 0 to 159, byte i of them
//	               for i, i+32 … i+128, and 16 bytes for values 160 to 239, likewise
//	               at distances of 16
//	qh  [4]uint8   4 values in a byte, at distances of 4: values 240 to 255
//	d   float16
const (
	BlockLenTQ1_0  = superBlock
	BlockSizeTQ1_0 = 54
)

// QuantizeTQ1_0 quantizes rows of src to TQ1_0, with d = max|x| and t = x/d rounded to -1, 0 or 1, halves away from zero. A byte is
// the fraction 0.ttttt in base 3, with digits t+1, in units of 1/256 and rounded up. It
// ignores weights.
func QuantizeTQ1_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeTQ1_0", dst, src, rowLen, weights, BlockLenTQ1_0, BlockSizeTQ1_0)
	var levels [superBlock]uint8
	for ; len(src) > 0; dst, src = dst[BlockSizeTQ1_0:], src[BlockLenTQ1_0:] {
		d := setTrits(&levels, src[:BlockLenTQ1_0])
		packTrits(dst[:32], levels[:160])
		packTrits(dst[32:48], levels[160:240])
		// The last bytes have four digits and a zero.
		low, high := binary.LittleEndian.Uint64(levels[240:]), binary.LittleEndian.Uint64(levels[248:])
		v := 9*low + 3*(low>>32) + high
		v = 9*v + 3*(high>>32)
		for i := range 4 {
			dst[48+i] = tritFraction[uint8(v>>(8*i))]
		}
		binary.LittleEndian.PutUint16(dst[52:], halfBits(d))
	}
}

// setTrits sets levels to the digits t+1 of a block and returns d.
func setTrits(levels *[superBlock]uint8, x []float32) (d float32) {
	d = peakOf(x)
	var inverse float32
	if d != 0 {
		inverse = 1 / d
	}
	trits(levels[:], x, inverse)
	return d
}

// packTrits stores five digits in each byte, len(dst) apart, 8 bytes at a time: the
// numbers stay below 243, so that nothing is carried to the next byte.
func packTrits(dst []byte, levels []uint8) {
	for i := 0; i < len(dst); i += 8 {
		var v uint64
		for j := i; j < len(levels); j += len(dst) {
			v = 3*v + binary.LittleEndian.Uint64(levels[j:])
		}
		for j := range 8 {
			dst[i+j] = tritFraction[uint8(v>>(8*j))]
		}
	}
}

// tritFraction divides numbers by 3^5, in units of 1/256 and rounded up.
var tritFraction = func() (table [256]uint8) {
	for n := range 243 {
		table[n] = uint8((256*n + 242) / 243)
	}
	return table
}()

// DequantizeTQ1_0 decodes blocks of TQ1_0, see [QuantizeTQ1_0].
func DequantizeTQ1_0(dst []float32, src []byte) {
	checkDequantize("DequantizeTQ1_0", dst, src, BlockLenTQ1_0, BlockSizeTQ1_0)
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenTQ1_0:], src[BlockSizeTQ1_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src[52:]))
		unpackTrits(e.levels[:160], src[:32])
		unpackTrits(e.levels[160:240], src[32:48])
		var last [8]byte
		copy(last[:], src[48:52])
		v := binary.LittleEndian.Uint64(last[:])
		for j := 240; j < 256; j += 4 {
			var digits uint64
			digits, v = nextTrits(v)
			putTernary(last[:], digits)
			copy(e.levels[j:j+4], last[:])
		}
		for b := range e.scale {
			e.scale[b] = d
		}
		e.expand(dst[:BlockLenTQ1_0])
	}
}

// unpackTrits is the inverse of packTrits.
func unpackTrits(levels []uint8, src []byte) {
	for i := 0; i < len(src); i += 8 {
		v := binary.LittleEndian.Uint64(src[i:])
		for j := i; j < len(levels); j += len(src) {
			var digits uint64
			digits, v = nextTrits(v)
			putTernary(levels[j:], digits)
		}
	}
}

// putTernary stores 8 levels t from digits t+1.
func putTernary(levels []uint8, digits uint64) {
	// No borrow crosses a byte.
	binary.LittleEndian.PutUint64(levels, (digits|eachByte(0x80))-eachByte(1)^eachByte(0x80))
}

// nextTrits takes the first digits of 8 fractions: multiplying by 3 brings them before
// the point.
func nextTrits(v uint64) (digits, rest uint64) {
	const even = 0x00ff00ff00ff00ff
	low, high := v&even*3, v>>8&even*3
	return low>>8&even | high&^even, low&even | high&even<<8
}

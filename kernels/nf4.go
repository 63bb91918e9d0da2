package kernels

// NF4Values are the values of bitsandbytes' 4-bit "normal float" codes: quantiles of a
// normal distribution, as multiples of the greatest magnitude of a block. Dettmers et
// al., QLoRA, https://arxiv.org/abs/2305.14314, appendix E.
var NF4Values = [16]float32{-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
	-0.28444138169288635, -0.18477343022833234, -0.09105003625154495, 0,
	0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1}

// EncodeNF4 stores values as codes of [NF4Values], two to a byte, the first of two in the
// high half. peaks are the greatest magnitudes of the groups, whose size is even:
//
//	s = x · (1 / max(peak, 1e−38))
//	code = how many of the midpoints between neighbouring values are below s
//
// all in float32. These are the bytes of bitsandbytes.
func EncodeNF4(dst []byte, x, peaks []float32, group int) {
	checkGroups("EncodeNF4", len(peaks), len(x), group)
	checkBytes("EncodeNF4", (len(x)+1)/2, 1, len(dst))
	encodeNibbles(dst, x, peaks, group, nf4Levels, 16, 1)
}

// nf4Cells is into how many cells [-1, 1] is divided, so that no cell has more than one
// midpoint. nf4Below says how many midpoints lie in the cells before each.
const nf4Cells = 64

var (
	nf4Middles [16]float32 // and one that nothing is above
	nf4Below   [nf4Cells + 1]uint8
)

func init() {
	for i := range 15 {
		nf4Middles[i] = (NF4Values[i] + NF4Values[i+1]) / 2
	}
	nf4Middles[15] = 2
	for i := range nf4Below {
		for _, m := range nf4Middles[:15] {
			if nf4Cell(m) < i {
				nf4Below[i]++
			}
		}
	}
}

// nf4Cell never falls as s rises, so that midpoints in cells before that of s are below
// it, and those in cells after it are not.
func nf4Cell(s float32) int { return int(float32(s*(nf4Cells/2)) + nf4Cells/2) }

func nf4Code(s float32) uint8 {
	if !(s > -1) {
		return 0
	}
	if s > 1 {
		s = 1
	}
	code := nf4Below[nf4Cell(s)]
	if s > nf4Middles[code] {
		code++
	}
	return code
}

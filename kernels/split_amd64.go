//go:build !purego

package kernels

import "unsafe"

// The assembly has the layout of iq1Scan built in.
const (
	_ = -(unsafe.Offsetof(iq1Scan{}.wide) ^ 768)
	_ = -(unsafe.Offsetof(iq1Scan{}.lanes) ^ 2048)
	_ = -(unsafe.Offsetof(iq1Scan{}.scale) ^ 2112)
)

// sort sets order.
func (s *iq1Block) sort(x []float32) {
	if !useAVX2 && !useAVX512 {
		s.sortGeneric(x)
		return
	}
	var ranks [32]int32
	if len(x) == 32 {
		rank32AVX2(&ranks[0], &x[0])
	} else {
		rank16AVX2(&ranks[0], &x[0])
	}
	for i, rank := range ranks[:len(x)] {
		s.order[rank&31] = uint8(i)
	}
}

func iq1SplitS(s *iq1Block, x []float32) {
	if !useAVX2 && !useAVX512 {
		iq1SplitSGeneric(s, x)
		return
	}
	s.sumS(x)
	s.scan.high = -1
	iq1SplitSAVX2(&s.scan.sums[0][0])
	s.setSplit(2)
}

func iq1SplitM(s *iq1Block, x []float32) {
	if !useAVX2 && !useAVX512 {
		iq1SplitMGeneric(s, x)
		return
	}
	s.sumM(x)
	s.scan.high = -1
	iq1SplitMAVX2(&s.scan.sums[0][0])
	s.setSplit(4)
}

// setSplit takes the split from the assembly's scan.
func (s *iq1Block) setSplit(choices int) {
	if s.scan.high < 0 {
		s.split = iq1Split{shift: -1}
		return
	}
	high := int(s.scan.high)
	s.split = iq1Split{int(s.scan.low), high / choices, high % choices, s.scan.scale}
}

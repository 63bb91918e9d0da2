package kernels

import (
	"slices"
	"testing"
)

var codebooks = []struct {
	name   string
	book   *codebook
	points int
}{
	{"iq1", &iq1Book, 2048}, {"iq2_xxs", &iq2XXSBook, 256}, {"iq2_xs", &iq2XSBook, 512},
	{"iq2_s", &iq2SBook, 1024}, {"iq3_xxs", &iq3XXSBook, 256}, {"iq3_s", &iq3SBook, 512},
}

// TestCodebooks checks the tables of each codebook against what they are defined by.
func TestCodebooks(t *testing.T) {
	for _, c := range codebooks {
		t.Run(c.name, func(t *testing.T) {
			b := c.book.load()
			if len(b.points) != c.points {
				t.Fatalf("%d points, want %d", len(b.points), c.points)
			}
			if !slices.IsSorted(b.points) {
				t.Error("the points are not in ascending order")
			}
			for n, p := range b.points {
				if b.number[p] != uint16(n) {
					t.Fatalf("number[points[%d]] = %d", n, b.number[p])
				}
			}
			r := newRand(1)
			for range 300 {
				cell := r.IntN(len(b.cells))
				packed, entry := b.pack(cell), b.cells[cell]
				if slices.Contains(b.points, packed) {
					if entry != uint32(packed) {
						t.Fatalf("cells[%d] = %#x, want its point %#x", cell, entry, packed)
					}
					continue
				}
				if entry&offGrid == 0 {
					t.Fatalf("cells[%d] = %#x, but there is no point", cell, entry)
				}
				start := int(entry>>listShift&listChunk) * 8
				got := b.near[start : start+int(entry&listLen)]
				if want := neighbours(b, packed); !slices.Equal(got, want) {
					t.Fatalf("neighbours of cell %d = %x, want %x", cell, got, want)
				}
			}
		})
	}
}

// neighbours sorts all points by distance and number and takes those of the first
// distances.
func neighbours(b *codebook, center uint16) []uint16 {
	distance := func(p uint16) (sum int) {
		for i := range b.dims {
			d := int(b.level(p, i)) - int(b.level(center, i))
			sum += d * d
		}
		return sum
	}
	sorted := slices.Clone(b.points)
	slices.SortStableFunc(sorted, func(p, q uint16) int { return distance(p) - distance(q) })
	rings := 1
	for i := 1; i < len(sorted); i++ {
		if distance(sorted[i]) != distance(sorted[i-1]) {
			if rings++; rings > b.rings {
				return sorted[:i]
			}
		}
	}
	return sorted
}

func BenchmarkCodebooks(b *testing.B) {
	for _, c := range codebooks {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				book := codebook{dims: c.book.dims, radix: c.book.radix, bits: c.book.bits, rings: c.book.rings, bitmap: c.book.bitmap}
				book.load()
			}
		})
	}
}

package kernels

import (
	"encoding/base64"
	"sync"
)

// A codebook is the set of points that a group of values may be quantized to in
// an IQ format, and for every other combination of levels the points around it.
//
// Every value of a group is first rounded to a level, 0..radix-1. The levels of a
// group are the digits of its cell, the first value's the lowest:
//
//	cell = Σ level[i]·radix^i
//
// If the cell holds no point of the codebook, the group goes to whichever point of
// the cell's neighbours is best for it. The neighbours are all points at the
// smallest, second smallest … distance from the cell's center, for as many
// distances as the format searches, in ascending order of distance, then of
// number. The order matters: of equally good points the first one is taken.
//
// The tables take 0.1 to 0.6 MB and are made when first needed.
type codebook struct {
	dims, radix int    // values in a group, levels of a value
	bits        int    // of a level in a packed point
	rings       int    // distances searched
	bitmap      string // which cells hold a point: see iq_points.go
	values      string // what the levels decode to, as bytes, but for the scale

	once, pointsOnce sync.Once

	// points are the points in the order of their numbers, packed: level i at
	// bit i·bits.
	points []uint16

	// decoded are the points' values, that of level i in byte i.
	decoded []uint64

	// number gives the number of a packed point.
	number []uint16

	// cells says what is in a cell: a packed point, or offGrid and where the
	// neighbours are. Those are cell&listLen points in near, from
	// cell>>listShift&listChunk chunks of 8 on.
	cells []uint32

	// near are the lists of neighbours, packed points. Each is filled up to
	// chunks of 8 with its first point, which as a second candidate of the same
	// error never wins.
	near []uint16
}

const (
	offGrid   = 1 << 31
	listLen   = 1<<10 - 1
	listShift = 10
	listChunk = 1<<21 - 1
)

var (
	iq1Book    = codebook{dims: 8, radix: 3, bits: 2, rings: 3, bitmap: iq1Points, values: iq1Values8}
	iq2XXSBook = codebook{dims: 8, radix: 3, bits: 2, rings: 2, bitmap: iq2XXSPoints, values: iq2Values}
	iq2XSBook  = codebook{dims: 8, radix: 3, bits: 2, rings: 2, bitmap: iq2XSPoints, values: iq2Values}
	iq2SBook   = codebook{dims: 8, radix: 3, bits: 2, rings: 1, bitmap: iq2SPoints, values: iq2Values}
	iq3XXSBook = codebook{dims: 4, radix: 8, bits: 3, rings: 2, bitmap: iq3XXSPoints, values: iq3XXSValues}
	iq3SBook   = codebook{dims: 4, radix: 8, bits: 3, rings: 3, bitmap: iq3SPoints, values: iq3SValues}
)

// The values that levels decode to, as strings of bytes.
const (
	iq1Values8   = "\x09\x11\x19" // 8·(level-1) + 17
	iq2Values    = "\x08\x19\x2b"
	iq3XXSValues = "\x04\x0c\x14\x1c\x24\x2c\x34\x3e"
	iq3SValues   = "\x01\x03\x05\x07\x09\x0b\x0d\x0f"
)

// load makes the tables for quantizing at the first call. It returns b.
func (b *codebook) load() *codebook {
	b.loadPoints()
	b.once.Do(b.build)
	return b
}

// loadPoints makes the tables for decoding at the first call. It returns b.
func (b *codebook) loadPoints() *codebook {
	b.pointsOnce.Do(b.buildPoints)
	return b
}

func (b *codebook) buildPoints() {
	bitmap, err := base64.StdEncoding.DecodeString(b.bitmap)
	if err != nil {
		panic("kernels: " + err.Error()) // a constant of ours
	}
	for cell := range 8 * len(bitmap) {
		if bitmap[cell/8]>>(cell%8)&1 == 0 {
			continue
		}
		packed := b.pack(cell)
		b.points = append(b.points, packed)
		var decoded uint64
		for i := range b.dims {
			decoded |= uint64(b.values[b.level(packed, i)]) << (8 * i)
		}
		b.decoded = append(b.decoded, decoded)
	}
}

func (b *codebook) build() {
	half := 1 // cells of half a group
	for range b.dims / 2 {
		half *= b.radix
	}
	b.cells = make([]uint32, half*half)
	b.number = make([]uint16, 1<<(b.bits*b.dims))
	points := make([][2]int, len(b.points)) // as cells of their halves
	for i, packed := range b.points {
		cell := b.unpack(packed)
		b.cells[cell] = uint32(packed)
		b.number[packed] = uint16(i)
		points[i] = [2]int{cell % half, cell / half}
	}
	distances := b.halfDistances(half)
	distance := make([]uint8, len(points))
	for cell := range b.cells {
		if p := b.pack(cell); b.points[b.number[p]] == p {
			continue
		}
		low, high := distances[cell%half*half:], distances[cell/half*half:]
		var seen [256]bool
		for i, p := range points {
			distance[i] = low[p[0]] + high[p[1]]
			seen[distance[i]] = true
		}
		start := len(b.near)
		for d, rings := 0, 0; d < len(seen) && rings < b.rings; d++ {
			if !seen[d] {
				continue
			}
			rings++
			for i, di := range distance {
				if int(di) == d {
					b.near = append(b.near, b.points[i])
				}
			}
		}
		b.cells[cell] = offGrid | uint32(start/8)<<listShift | uint32(len(b.near)-start)
		for len(b.near)%8 != 0 {
			b.near = append(b.near, b.near[start])
		}
	}
}

// pack returns the levels of a cell as bit fields.
func (b *codebook) pack(cell int) (packed uint16) {
	for i := range b.dims {
		packed |= uint16(cell%b.radix) << (i * b.bits)
		cell /= b.radix
	}
	return packed
}

// unpack is the inverse of pack.
func (b *codebook) unpack(packed uint16) (cell int) {
	for i := b.dims - 1; i >= 0; i-- {
		cell = cell*b.radix + int(b.level(packed, i))
	}
	return cell
}

// halfDistances returns the squared distances between all cells of half a group,
// at most 2·7², so that the sum of two fits in a byte.
func (b *codebook) halfDistances(half int) []uint8 {
	distances := make([]uint8, half*half)
	for i := range half {
		for j := range half {
			sum := 0
			for u, v, n := i, j, 0; n < b.dims/2; n++ {
				d := u%b.radix - v%b.radix
				sum += d * d
				u, v = u/b.radix, v/b.radix
			}
			distances[i*half+j] = uint8(sum)
		}
	}
	return distances
}

// level returns component i of a packed point.
func (b *codebook) level(packed uint16, i int) uint16 {
	return packed >> (i * b.bits) & (1<<b.bits - 1)
}

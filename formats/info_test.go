package formats

import (
	"errors"
	"math"
	"testing"
)

func TestCheckSize(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		shape []int
		want  int64 // -1 for an error
	}{
		{F32, []int{}, 4},
		{F32, []int{3, 5}, 60},
		{BF16, []int{0, 5}, 0},
		{F4, []int{2, 32}, 32},
		{F4, []int{2, 3}, 3},
		{F4, []int{3}, -1},
		{F6_E2M3, []int{4}, 3},
		{Q4_K, []int{2, 256}, 288},
		{Q4_K, []int{2, 200}, -1},
		{F32, []int{-1}, -1},
		{F32, []int{math.MaxInt}, -1},
		{U8, []int{1 << 32, 1 << 32}, -1},          // wraps to 0 in 64 bits
		{U8, []int{1 << 32, 1 << 32, 0}, -1},       // a zero must not hide that
		{F64, []int{1 << 30, 1 << 26, 1 << 5}, -1}, // fits in elements, not in bytes
	} {
		got, err := CheckSize(c.dtype, c.shape)
		if err != nil {
			got = -1
			if !errors.Is(err, ErrFormat) {
				t.Errorf("CheckSize(%v, %v): %v is not ErrFormat", c.dtype, c.shape, err)
			}
		}
		if got != c.want {
			t.Errorf("CheckSize(%v, %v) = %d, %v, want %d", c.dtype, c.shape, got, err, c.want)
		}
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		dtype      DType
		shape      []int
		rows, cols int
		rowBytes   int64
	}{
		{F32, []int{}, 1, 1, 4},
		{F32, []int{7}, 1, 7, 28},
		{F32, []int{2, 3, 4}, 6, 4, 16},
		{F32, []int{2, 0}, 2, 0, 0},
		{Q8_0, []int{5, 64}, 5, 64, 68},
		{F4, []int{4, 8}, 4, 8, 4},
		{F4, []int{2, 3}, 1, 6, 3}, // rows of one byte and a half are no rows
	} {
		i := Info{Name: "x", DType: c.dtype, Shape: c.shape}
		if i.NumRows() != c.rows || i.NumCols() != c.cols || i.RowBytes() != c.rowBytes {
			t.Errorf("%v: %d rows of %d elements and %d bytes, want %d of %d and %d",
				&i, i.NumRows(), i.NumCols(), i.RowBytes(), c.rows, c.cols, c.rowBytes)
		}
		if int64(i.NumRows())*i.RowBytes() != i.NumBytes() {
			t.Errorf("%v: the rows do not add up to %d bytes", &i, i.NumBytes())
		}
	}
}

func TestDTypes(t *testing.T) {
	for d := Invalid + 1; d < numDTypes; d++ {
		if d.BlockLen() == 0 || d.BlockBytes() == 0 {
			t.Errorf("%v has no block size", d)
		}
		if got, ok := ParseDType(d.String()); !ok || got != d {
			t.Errorf("ParseDType(%q) = %v, %v", d.String(), got, ok)
		}
		if Encoder(d) != nil && Decoder(d) == nil {
			t.Errorf("%v can be written but not read", d)
		}
	}
	if got := Q4_0.Bits(); got != 4.5 {
		t.Errorf("Q4_0.Bits() = %v, want 4.5", got)
	}
}

func TestSizeClasses(t *testing.T) {
	seen := map[int]int{}
	for n := 0; n < 1<<20; n += 1 + n/50 {
		index, size := class(n)
		if size < n || n > 64 && size*8 > n*9+8 {
			t.Fatalf("class(%d) has size %d", n, size)
		}
		if other, ok := seen[index]; ok && other != size {
			t.Fatalf("class %d has sizes %d and %d", index, other, size)
		}
		seen[index] = size
		if i, s := class(size); i != index || s != size {
			t.Fatalf("class(%d) = %d, %d, but it is the size of class %d", size, i, s, index)
		}
	}
	if index, _ := class(1 << 40); index >= 512 {
		t.Errorf("class(1<<40) = %d, beyond the table", index)
	}
	b := BorrowFloats(1000)
	ReturnFloats(b)
	if got := BorrowFloats(1000); len(got) != 1000 {
		t.Errorf("a borrowed buffer has %d elements, want 1000", len(got))
	}
}

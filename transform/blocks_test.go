package transform

import "testing"

func TestBlockSize(t *testing.T) {
	const rows = 1 << 12
	for _, c := range []struct {
		name          string
		row, repeated int64 // bytes
		share         int64
		want          int
	}{
		{"what a cache holds", 8 << 10, 0, 1 << 30, computeBlock / (8 << 10)},
		{"less, for what is repeated", 8 << 10, 64 << 10, 1 << 30, computeBlock/(8<<10) - 8},
		{"more, for what is repeated", 8 << 10, 1 << 20, 1 << 30, 512},
		{"no more than there are", 8 << 10, 1 << 30, 1 << 40, rows},
		{"no more than the share", 8 << 10, 0, 256 << 10, 32},
		{"a row that is more than a cache", 4 << 20, 0, 1 << 30, 1},
		{"a row that is more than the share", 4 << 20, 4 << 20, 1 << 20, 1},
		{"nothing", 0, 0, 1 << 30, rows},
	} {
		cost := func(n int) int64 { return int64(n)*c.row + c.repeated }
		if got := blockSize(rows, c.share, cost); got != c.want {
			t.Errorf("%s: %d rows, want %d", c.name, got, c.want)
		}
	}
}

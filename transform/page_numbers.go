package transform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// How the pages print numbers.

// percents prints a share with one decimal, or with as many as it takes to tell
// almost all from all; nothing and all have none.
func percents(x float64) string {
	if x == 0 || x == 1 {
		return strconv.Itoa(int(100*x)) + " %"
	}
	for digits := 1; ; digits++ {
		s := strconv.FormatFloat(100*x, 'f', digits, 64)
		if digits == 4 || x >= 1 || !strings.HasPrefix(s, "100") {
			return s + " %"
		}
	}
}

// counted returns n with the word for one or for many.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func ranksOf(layers []*LayerReport) string {
	low, high := math.MaxInt, 0
	for _, l := range layers {
		low, high = min(low, l.Rank), max(high, l.Rank)
	}
	if low >= high {
		return strconv.Itoa(high)
	}
	return fmt.Sprintf("%d–%d", low, high)
}

func shortCount(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return strconv.FormatInt(n, 10)
}

func shortBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return shortCount(n) + "B"
}

package lowrank

import (
	"context"
	"fmt"
	"math"
	"testing"
)

// BenchmarkExtract decomposes and factors matrices in memory, with the error of
// the result beside the time.
func BenchmarkExtract(b *testing.B) {
	for _, n := range []int{2048, 4096} {
		d := halfPower(n, n)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%dx%d/rank=64/workers=%d", n, n, workers), func(b *testing.B) {
				team := NewTeam(workers)
				var relative float64
				var steps int
				for b.Loop() {
					dec, err := Decompose(context.Background(), d, team, Options{Name: "w", Goal: Goal{Rank: 64}})
					if err != nil {
						b.Fatal(err)
					}
					left := &Dense{d.Rows, dec.Rank, make([]float32, d.Rows*dec.Rank)}
					f, err := dec.Factor(context.Background(), d, team, FactorOptions{Rank: 64, LeftShare: 0.5, Left: left})
					if err != nil {
						b.Fatal(err)
					}
					relative, steps = math.Sqrt(f.Error2/dec.Norm2), dec.Steps
				}
				b.ReportMetric(relative, "error")
				b.ReportMetric(float64(steps), "steps")
			})
		}
	}
}

// halfPower returns a matrix whose singular values fall as i^-½, the slow decay
// of a fine-tune. Its singular vectors are those of two random reflections and a
// Hadamard matrix, so that a large one is made quickly.
func halfPower(rows, cols int) *Dense {
	d := &Dense{rows, cols, make([]float32, rows*cols)}
	u, v := randomFrame(1, rows, 1), randomFrame(1, cols, 2)
	column := make([]float64, rows)
	for j := range cols {
		clear(column)
		if j < rows {
			column[j] = 1 / math.Sqrt(float64(j+1))
		}
		hadamard(column)
		axpy64(column, -2*dot64(column, u), u)
		for i, x := range column {
			d.Data[i*cols+j] = float32(x)
		}
	}
	row := make([]float64, cols)
	for i := range rows {
		for j, x := range d.Data[i*cols:][:cols] {
			row[j] = float64(x)
		}
		hadamard(row)
		axpy64(row, -2*dot64(row, v), v)
		for j, x := range row {
			d.Data[i*cols+j] = float32(x)
		}
	}
	return d
}

// hadamard multiplies x, whose length is a power of two, by the orthogonal
// Hadamard matrix.
func hadamard(x []float64) {
	for h := 1; h < len(x); h *= 2 {
		for i := 0; i < len(x); i += 2 * h {
			for j := i; j < i+h; j++ {
				x[j], x[j+h] = x[j]+x[j+h], x[j]-x[j+h]
			}
		}
	}
	for i := range x {
		x[i] /= math.Sqrt(float64(len(x)))
	}
}

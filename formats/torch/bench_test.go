package torch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// BenchmarkOpen reads the pickle and the directory of a checkpoint of 10,000
// tensors.
func BenchmarkOpen(b *testing.B) {
	var entries []string
	records := []zipRecord{{name: "archive/data.pkl"}}
	for i := range 10_000 {
		key := fmt.Sprint(i)
		entries = append(entries, str(fmt.Sprintf("model.layers.%d.mlp.weight", i)),
			tensorOf(storageOf("FloatStorage", key, 6), 0, nums(2, 3), nums(3, 1)))
		records = append(records, floats(key, 6))
	}
	records[0].data = proto + dictOf(entries...) + stop
	data := archive(records...)
	b.SetBytes(int64(len(records[0].data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openBytes(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGather reads views of a matrix of 2048×2048 float32, 64 rows at a
// time.
func BenchmarkGather(b *testing.B) {
	const n = 2048
	for name, view := range map[string]struct{ size, stride string }{
		"transposed":    {nums(n, n), nums(1, n)},
		"columns":       {nums(n, n/2), nums(n, 1)},
		"every other":   {nums(n, n/2), nums(n, 2)},
		"channels last": {nums(n/4, 512, 2, 2), nums(4*512, 1, 1024, 512)},
	} {
		b.Run(name, func(b *testing.B) {
			t := tensorOf(storageOf("FloatStorage", "0", n*n), 0, view.size, view.stride)
			data := archive(zipRecord{name: "archive/data.pkl", data: proto + dictOf(str("w"), t) + stop},
				zipRecord{name: "archive/data/0", data: strings.Repeat("abcd", n*n)})
			m, err := openBytes(data)
			if err != nil {
				b.Fatal(err)
			}
			x := m.Tensors[0]
			rows := 64 * 4 * n / int(x.RowBytes())
			b.SetBytes(x.NumBytes())
			b.ReportAllocs()
			for b.Loop() {
				buf := formats.BorrowBytes(rows * int(x.RowBytes()))
				for lo := 0; lo < x.NumRows(); lo += rows {
					hi := min(lo+rows, x.NumRows())
					if err := x.ReadRows(b.Context(), buf[:(hi-lo)*int(x.RowBytes())], lo, hi); err != nil {
						b.Fatal(err)
					}
				}
				formats.ReturnBytes(buf)
			}
		})
	}
}

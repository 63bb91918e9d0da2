package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8/decor"

	"github.com/loratool/loratool/transform"
)

func TestTimeLeft(t *testing.T) {
	for _, test := range []struct {
		done, total int64
		elapsed     time.Duration
		want        string
	}{
		{0, 100, time.Second, ""},
		{100, 100, time.Second, ""},
		{50, 100, 10 * time.Second, ", 10s left"},
		{99, 100, time.Second, ", 1s left"}, // never 0 while something is left
		{1, 1000, time.Minute, ", 16h39m left"},
		{1, 1 << 62, time.Hour, ", 277777h47m left"},
	} {
		if got := timeLeft(transform.Progress{Done: test.done, Total: test.total}, test.elapsed); got != test.want {
			t.Errorf("timeLeft(%d of %d in %v) = %q, want %q", test.done, test.total, test.elapsed, got, test.want)
		}
	}
}

// What stands behind the bar is as much as leaves room for it, so that the line
// never breaks.
func TestBarFits(t *testing.T) {
	m := newBarMeter(newUI(&bytes.Buffer{}, &bytes.Buffer{}), "extract")
	defer m.end()
	if got := m.numbers(decor.Statistics{AvailableWidth: 80}); got != "" {
		t.Errorf("%q before anything is known", got)
	}
	m.show(transform.Progress{Done: 999e9, Total: 9999e9}, 100*time.Hour)
	for width, want := range map[int]string{
		80: "999 GB of 10.0 TB, 2.77 MB/s, 900h54m left", 72: "999 GB of", 53: "9%, 900h", 40: "9%", 20: "",
	} {
		got := m.numbers(decor.Statistics{AvailableWidth: width})
		if !strings.HasPrefix(got, want) || want == "" && got != "" || len(got)+12 > width && got != "" {
			t.Errorf("width %d: %q, want %q…", width, got, want)
		}
	}
}

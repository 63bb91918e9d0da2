package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/loratool/loratool/transform"
)

// barMeter redraws one line of a terminal. Messages are written to it while it
// is there, and appear above.
type barMeter struct {
	ui   *ui
	bars *mpb.Progress
	bar  *mpb.Bar
	long atomic.Pointer[string] // what stands behind the bar
	tiny atomic.Pointer[string] // the same for narrow terminals
}

func newBarMeter(u *ui, what string) *barMeter {
	m := &barMeter{ui: u, bars: mpb.New(mpb.WithOutput(u.stderr), mpb.WithWidth(40), mpb.WithAutoRefresh())}
	m.long.Store(new(string))
	m.tiny.Store(new(string))
	// A bar without total does not end by itself: what remains when all bytes are
	// written is to flush the disk.
	m.bar = m.bars.AddBar(0, mpb.PrependDecorators(decor.Name(what)), mpb.AppendDecorators(decor.Any(m.numbers)))
	u.mu.Lock()
	u.above = m.bars
	u.mu.Unlock()
	return m
}

// numbers returns as much as leaves room for a bar.
func (m *barMeter) numbers(s decor.Statistics) string {
	const bar = 12
	for _, text := range []string{*m.long.Load(), *m.tiny.Load()} {
		if len(text)+bar <= s.AvailableWidth {
			return text
		}
	}
	return ""
}

func (m *barMeter) every() time.Duration { return 100 * time.Millisecond }

func (m *barMeter) show(now transform.Progress, elapsed time.Duration) {
	if now.Total == 0 { // the run is still about to begin
		return
	}
	tiny := fmt.Sprintf("%d%%", percent(now))
	long := fmt.Sprintf("%s of %s", formatSize(now.Done), formatSize(now.Total))
	if s := elapsed.Seconds(); s > 0 {
		long += fmt.Sprintf(", %s/s", formatSize(int64(float64(now.Done)/s)))
	}
	left := timeLeft(now, elapsed)
	tiny += left
	long += left
	m.tiny.Store(&tiny)
	m.long.Store(&long)
	m.bar.SetTotal(now.Total, false)
	m.bar.SetCurrent(now.Done)
}

func (m *barMeter) end() {
	m.ui.mu.Lock()
	defer m.ui.mu.Unlock()
	m.ui.above = nil
	m.bar.Abort(true)
	m.bars.Wait()
}

package main

import (
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
}

func newBarMeter(u *ui, what string) *barMeter {
	m := &barMeter{ui: u, bars: mpb.New(mpb.WithOutput(u.stderr), mpb.WithWidth(72), mpb.WithAutoRefresh())}
	// A bar without total does not end by itself: what remains when all bytes are
	// written is to flush the disk.
	m.bar = m.bars.AddBar(0,
		mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(
			decor.Counters(decor.SizeB1000(0), " % .1f / % .1f"),
			decor.AverageSpeed(decor.SizeB1000(0), "  % .0f"),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 7}), ""),
		),
	)
	u.mu.Lock()
	u.above = m.bars
	u.mu.Unlock()
	return m
}

func (m *barMeter) every() time.Duration { return 100 * time.Millisecond }

func (m *barMeter) show(now transform.Progress, _ time.Duration) {
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

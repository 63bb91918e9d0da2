package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/loratool/loratool/transform"
)

// barMeter redraws one line of a terminal. Messages push it down: ui hides it
// while they are printed.
type barMeter struct {
	ui  *ui
	bar *progressbar.ProgressBar
}

func newBarMeter(u *ui, what string) *barMeter {
	m := &barMeter{ui: u, bar: progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(u.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetRenderBlankState(false),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	)}
	u.mu.Lock()
	u.bar = m
	u.mu.Unlock()
	return m
}

func (m *barMeter) every() time.Duration { return 100 * time.Millisecond }

func (m *barMeter) show(now transform.Progress, _ time.Duration) {
	m.ui.mu.Lock()
	defer m.ui.mu.Unlock()
	// A full bar would be final, and what remains then is to flush the disk.
	if now.Total > 0 {
		m.bar.ChangeMax64(now.Total + 1)
		m.bar.Set64(now.Done)
	}
}

func (m *barMeter) hide()   { m.bar.Clear() }
func (m *barMeter) redraw() { m.bar.RenderBlank() }

func (m *barMeter) end() {
	m.ui.mu.Lock()
	defer m.ui.mu.Unlock()
	m.bar.Clear()
	m.ui.bar = nil
}

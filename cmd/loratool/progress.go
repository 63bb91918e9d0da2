package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/loratool/loratool/transform"
)

// A progress shows how far a run has come: on a terminal as a bar, elsewhere as
// a line every 30 seconds, or as JSON for a program that watches. A signal
// (SIGUSR1) has it print a line at any time.
type progress struct {
	ui      *ui
	what    string // the command
	started time.Time
	meter   meter
	signals chan os.Signal

	mu     sync.Mutex
	now    transform.Progress
	stop   chan struct{}
	closed chan struct{}
}

// A meter shows a state; it is asked every so often.
type meter interface {
	every() time.Duration
	show(p transform.Progress, elapsed time.Duration)
	end()
}

// startProgress begins to show a run of the command. The caller passes update to
// the run and calls end in the end.
func (c *call) startProgress() *progress {
	p := &progress{ui: c.ui, what: c.cmd.name, started: time.Now(), signals: make(chan os.Signal, 1),
		stop: make(chan struct{}), closed: make(chan struct{})}
	p.meter = c.newMeter(p)
	notifyStatus(p.signals)
	go p.watch()
	return p
}

func (u *ui) newMeter(p *progress) meter {
	mode := u.progressMode
	if mode == "auto" {
		switch {
		case u.quiet:
			mode = "none"
		case capable(u.stderr):
			mode = "bar"
		default:
			mode = "plain"
		}
	}
	switch mode {
	case "bar":
		return newBarMeter(u, p.what)
	case "plain":
		return &plainMeter{p}
	case "json":
		return &jsonMeter{p}
	}
	return noMeter{}
}

// update is for transform.Options.
func (p *progress) update(now transform.Progress) {
	p.mu.Lock()
	p.now = now
	p.mu.Unlock()
}

func (p *progress) state() (transform.Progress, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, time.Since(p.started)
}

func (p *progress) watch() {
	defer close(p.closed)
	tick := time.NewTicker(p.meter.every())
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.meter.show(p.state())
		case <-p.signals:
			p.ui.line(p.statusLine())
		}
	}
}

// end stops showing.
func (p *progress) end() {
	close(p.stop)
	<-p.closed
	ignoreStatus(p.signals)
	p.meter.end()
}

// statusLine says in one line how far the run is.
func (p *progress) statusLine() string {
	now, elapsed := p.state()
	s := fmt.Sprintf("loratool: %s: %s of %s (%d%%) in %s", p.what, formatSize(now.Done), formatSize(now.Total),
		percent(now), elapsed.Round(time.Second)) + timeLeft(now, elapsed)
	if now.Tensor != "" {
		s += ", at " + now.Tensor
	}
	return s
}

// timeLeft says how long the rest takes at the pace so far, such as ", 1m20s left": in
// whole seconds from 1 up, or from an hour in minutes. It is empty if that can't be
// told or nothing is left.
func timeLeft(p transform.Progress, elapsed time.Duration) string {
	if p.Done <= 0 || p.Done >= p.Total {
		return ""
	}
	seconds := math.Ceil(elapsed.Seconds() * float64(p.Total-p.Done) / float64(p.Done))
	left := time.Duration(min(seconds, 1e9)) * time.Second
	if left < time.Hour {
		return fmt.Sprintf(", %s left", left)
	}
	return fmt.Sprintf(", %s left", strings.TrimSuffix(left.Round(time.Minute).String(), "0s"))
}

func percent(p transform.Progress) int64 {
	if p.Total == 0 {
		return 0
	}
	return int64(100 * (float64(p.Done) / float64(p.Total)))
}

// plainMeter prints a line now and then, for logs.
type plainMeter struct{ p *progress }

func (m *plainMeter) every() time.Duration                   { return 30 * time.Second }
func (m *plainMeter) show(transform.Progress, time.Duration) { m.p.ui.line(m.p.statusLine()) }
func (m *plainMeter) end()                                   {}

// jsonMeter prints a line of JSON every second, and one in the end.
type jsonMeter struct{ p *progress }

func (m *jsonMeter) every() time.Duration { return time.Second }

func (m *jsonMeter) show(now transform.Progress, elapsed time.Duration) {
	m.p.ui.event(map[string]any{"type": "progress", "command": m.p.what, "done": now.Done, "total": now.Total,
		"tensor": now.Tensor, "elapsed": elapsed.Round(time.Millisecond).Seconds()})
}

func (m *jsonMeter) end() { m.show(m.p.state()) }

type noMeter struct{}

func (noMeter) every() time.Duration                   { return time.Hour }
func (noMeter) show(transform.Progress, time.Duration) {}
func (noMeter) end()                                   {}

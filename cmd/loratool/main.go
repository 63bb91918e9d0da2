// Command loratool merges LoRA adapters into model weights, and inspects,
// compares, verifies and converts model files. `loratool help` lists its
// commands, `loratool demo` shows them at work.
//
// This package is words, flags and the terminal. Each command is a file: its
// help text, its flags, and a few lines over package transform. There is no
// arithmetic and no file format here.
package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/loratool/loratool/formats"
)

// Exit codes. They are part of the interface: schedulers decide by them whether
// to try again. New ones may be added, and mean failure.
const (
	exitOK          = 0
	exitFailure     = 1   // anything not named below
	exitUsage       = 2   // the command line is wrong
	exitInput       = 3   // an input is corrupt, or inputs do not fit together
	exitUnsupported = 4   // a valid input needs something that can't be done
	exitNotFound    = 5   // an input does not exist
	exitDiffer      = 6   // verify or diff found a difference
	exitTemporary   = 75  // the disk is full; try again when there is room
	exitInterrupted = 130 // SIGINT or SIGTERM; nothing was left behind
)

// errDiffer ends a command whose result, already printed, is that things differ.
var errDiffer = errors.New("differences found")

func main() { os.Exit(run()) }

// run is the whole program: it returns the exit code.
func run() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted := onInterrupt(cancel)
	ignoreStatus(nil)

	ui := newUI(&checkedFile{File: os.Stdout}, os.Stderr)
	err := ui.result(runApp(ctx, ui, os.Args))
	if interrupted.Load() && err != nil {
		err = context.Canceled // whatever broke, broke because of it
	}
	return ui.report(err)
}

// onInterrupt calls cancel at the first SIGINT or SIGTERM and says so. If the
// program has not come to an end soon after, because the disk keeps it waiting,
// what it was writing is removed and the program ends; if the output is there
// already, the program is left to its last lines.
func onInterrupt(cancel func()) *atomic.Bool {
	var interrupted atomic.Bool
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		interrupted.Store(true)
		cancel()
		select {
		case <-signals:
		case <-time.After(700 * time.Millisecond):
		}
		if formats.RemoveTemporaries() {
			os.Exit(exitInterrupted)
		}
	}()
	return &interrupted
}

// exitCode returns the exit code that tells what kind of error err is.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	for _, kind := range []struct {
		err  error
		code int
	}{
		{context.Canceled, exitInterrupted},
		{errDiffer, exitDiffer},
		{syscall.ENOSPC, exitTemporary},
		{syscall.EDQUOT, exitTemporary},
		{formats.ErrUnsupported, exitUnsupported},
		{formats.ErrFormat, exitInput},
		{formats.ErrTruncated, exitInput},
		{formats.ErrMismatch, exitInput},
		{fs.ErrNotExist, exitNotFound},
	} {
		if errors.Is(err, kind.err) {
			return kind.code
		}
	}
	return exitFailure
}

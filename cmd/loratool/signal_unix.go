//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyStatus asks for the signal that asks for a status line.
func notifyStatus(c chan os.Signal) { signal.Notify(c, syscall.SIGUSR1) }

// ignoreStatus makes the signal harmless again: by default it ends the process.
func ignoreStatus(c chan os.Signal) {
	if c != nil {
		signal.Stop(c)
	}
	signal.Ignore(syscall.SIGUSR1)
}

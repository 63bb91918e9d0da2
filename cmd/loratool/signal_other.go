//go:build !unix

package main

import "os"

func notifyStatus(chan os.Signal) {} // no such signal

func ignoreStatus(chan os.Signal) {}

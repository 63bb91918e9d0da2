//go:build unix

package formats

import "syscall"

const openNonblock = syscall.O_NONBLOCK

//go:build unix

package formats

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// umask returns the permissions that this process takes away from new files.
// The system only tells it by changing it, so it is asked once.
var umask = sync.OnceValue(func() os.FileMode {
	m := syscall.Umask(0o022)
	syscall.Umask(m)
	return os.FileMode(m)
})

// lockFile locks f for this process until it is closed, or fails at once.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// lockFolder locks a folder for this process until unlock is called. It waits
// for others, but not for long: where locks don't work, ok is false.
func lockFolder(dir string) (unlock func(), ok bool) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false
	}
	for range 200 {
		switch err := lockFile(f); err {
		case nil:
			return func() { f.Close() }, true
		case syscall.EWOULDBLOCK, syscall.EINTR:
			time.Sleep(10 * time.Millisecond)
			continue
		}
		break
	}
	f.Close()
	return nil, false
}

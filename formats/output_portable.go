//go:build !linux

package formats

import (
	"errors"
	"os"
)

func preallocate(f *os.File, size int64) error { return f.Truncate(size) }

func checkSpace(string, int64) error { return nil }

// FreeSpace returns how many bytes this user can still write to the disk that
// holds dir. It is known on Linux only.
func FreeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }

// replace gives temp the final name. A folder that is there already is moved
// away first, for want of a way to change places; its new name is returned, for
// removal.
func replace(temp, final string, folder bool) (old string, err error) {
	err = os.Rename(temp, final)
	if err == nil || !folder {
		return "", err
	}
	old = temp + "-old"
	if err := os.Rename(final, old); err != nil {
		return "", err
	}
	if err := os.Rename(temp, final); err != nil {
		return "", errors.Join(err, os.Rename(old, final))
	}
	return old, nil
}

func copyRange(*os.File, int64, *os.File, int64, int64) (int64, error) { return 0, nil }

func startWriteback(*os.File, int64, int64) {}

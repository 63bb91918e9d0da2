package formats

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// preallocate gives f its size and its blocks on the disk.
func preallocate(f *os.File, size int64) error {
	if size > 0 {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOSYS) {
			return err
		}
	}
	return f.Truncate(size)
}

// checkSpace returns an error if the disk of dir has less than n bytes free.
func checkSpace(dir string, n int64) error {
	free, err := FreeSpace(dir)
	if err != nil || n <= free {
		return nil // what the disk really says comes with the reservation
	}
	return fmt.Errorf("%w: %d bytes are needed, %d are free", unix.ENOSPC, n, free)
}

// FreeSpace returns how many bytes this user can still write to the disk that
// holds dir.
func FreeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// replace gives temp the final name. A folder that is there already changes
// places with temp, so that there is one under the name at any moment; its new
// name is returned, for removal.
func replace(temp, final string, folder bool) (old string, err error) {
	err = os.Rename(temp, final)
	if err == nil || !folder {
		return "", err
	}
	if !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EEXIST) {
		return "", err
	}
	return temp, unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, final, unix.RENAME_EXCHANGE)
}

// copyRange copies n bytes between files within the kernel, which may share
// blocks instead, or have a server copy. It returns how many it copied before an
// error, or before it found that these files can't be copied so.
func copyRange(dst *os.File, dstOff int64, src *os.File, srcOff, n int64) (copied int64, err error) {
	if onlyCopies(dst) {
		return 0, nil
	}
	for copied < n {
		ro, wo := srcOff+copied, dstOff+copied
		k, err := unix.CopyFileRange(int(src.Fd()), &ro, int(dst.Fd()), &wo, int(min(n-copied, 1<<30)), 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
			return copied, nil
		case err != nil:
			return copied, err
		case k == 0:
			return copied, nil // the end of the source: the plain copy will say so
		}
		copied += int64(k)
	}
	return copied, nil
}

// onlyCopies reports whether f is on a file system that neither shares blocks nor
// has a server. There the kernel copies page by page by way of a pipe, which takes
// longer than reading and writing do.
func onlyCopies(f *os.File) bool {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return false
	}
	return s.Type == unix.EXT4_SUPER_MAGIC || s.Type == unix.TMPFS_MAGIC
}

// startWriteback asks the system to begin writing a range to the disk, so that
// the flush in the end has little left to wait for. It promises nothing.
func startWriteback(f *os.File, offset, n int64) {
	unix.SyncFileRange(int(f.Fd()), offset, n, unix.SYNC_FILE_RANGE_WRITE)
}

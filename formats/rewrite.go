package formats

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// How the beginning of a file is changed in its place, so that a crash at any
// moment leaves a file that can be had back:
//
//  1. The file is locked for as long as this process works on it.
//  2. What will be overwritten, and what with, is saved beside the file, in
//     ".NAME.head.loratool", followed by a SHA-256, and flushed to the disk.
//  3. The new bytes are written over the old ones, and flushed.
//  4. The saved bytes are removed.
//
// After a crash before 3 the file is as it was. After one later, the next edit
// finds the saved bytes whole and puts the old ones back first, if what is there
// is nothing but old and new bytes: a file that took the place of the damaged one
// is left alone. Readers never write. What they see of a head that is half
// written is an invalid file or, if they are unlucky, wrong metadata; never wrong
// tensors, whose bytes stay where they are.

// EditHead changes the first bytes of a file in its place. edit gets the file to
// read and returns what it is to begin with, no longer than the file; nil
// changes nothing.
func EditHead(path string, edit func(f *File) ([]byte, error)) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return &Error{Path: path, Err: Reasonf(ErrOutput, "it is a link, and what it leads to may be shared"),
			Hint: "name the file itself, or write another one with -o"}
	}
	file, err := os.OpenFile(path, os.O_RDWR|openNonblock, 0)
	if err != nil {
		return fileError(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return fileError(path, err)
	case !info.Mode().IsRegular():
		return &Error{Path: path, Err: Reasonf(ErrFormat, "not a regular file")}
	case lockFile(file) != nil:
		return &Error{Path: path, Err: errors.New("another process is changing it")}
	}
	saved := savedHead(path)
	if err := restoreHead(file, saved); err != nil {
		return fileError(path, err)
	}
	head, err := edit(&File{ReaderAt: file, Path: path, Size: info.Size(), file: file, info: info})
	if err != nil || head == nil {
		return err
	}
	if err := overwriteHead(file, saved, head); err != nil {
		return fileError(path, err)
	}
	return nil
}

// savedHead returns the name of the file that keeps the bytes of path while they
// are overwritten.
func savedHead(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".head.loratool")
}

// HeadInterrupted reports whether an edit of the file's head was cut off, or is
// under way.
func HeadInterrupted(path string) bool {
	_, err := os.Lstat(savedHead(path))
	return err == nil
}

// restoreHead puts back what a process that died has saved, if it is whole.
// Saved bytes that are not whole were never needed.
func restoreHead(file *os.File, saved string) error {
	b, err := os.ReadFile(saved)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if old, new := readSaved(b); old != nil {
		now := make([]byte, len(old))
		if _, err := io.ReadFull(io.NewSectionReader(file, 0, int64(len(now))), now); err == nil && isMixture(now, old, new) {
			if err := writeHead(file, old); err != nil {
				return err
			}
		}
	}
	return removeSaved(saved)
}

// isMixture reports whether every byte of b is that of old or of new.
func isMixture(b, old, new []byte) bool {
	for i := range b {
		if b[i] != old[i] && b[i] != new[i] {
			return false
		}
	}
	return true
}

// SavedHead returns what is kept while new is written over old, which is as long.
func SavedHead(old, new []byte) []byte {
	b := slices.Concat(old, new)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// readSaved undoes SavedHead. It returns nil if the bytes are not whole.
func readSaved(b []byte) (old, new []byte) {
	n := len(b) - sha256.Size
	if n <= 0 || n%2 != 0 {
		return nil, nil
	}
	if sum := sha256.Sum256(b[:n]); !bytes.Equal(sum[:], b[n:]) {
		return nil, nil
	}
	return b[:n/2], b[n/2 : n]
}

func overwriteHead(file *os.File, saved string, head []byte) error {
	old := make([]byte, len(head))
	if _, err := io.ReadFull(io.NewSectionReader(file, 0, int64(len(head))), old); err != nil {
		return err
	}
	if err := saveHead(saved, old, head); err != nil {
		os.Remove(saved)
		return fmt.Errorf("can't save the old header in %s: %w", saved, err)
	}
	if err := writeHead(file, head); err != nil {
		if undo := writeHead(file, old); undo != nil {
			return fmt.Errorf("%w; the old header is in %s", err, saved)
		}
		return errors.Join(err, removeSaved(saved))
	}
	return removeSaved(saved)
}

func saveHead(saved string, old, new []byte) error {
	f, err := os.OpenFile(saved, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(SavedHead(old, new)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(saved))
}

func writeHead(file *os.File, head []byte) error {
	if _, err := file.WriteAt(head, 0); err != nil {
		return err
	}
	return file.Sync()
}

func removeSaved(saved string) error {
	if err := os.Remove(saved); err != nil {
		return err
	}
	return syncDir(filepath.Dir(saved))
}

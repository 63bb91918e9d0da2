package formats

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// How an output comes into being:
//
//  1. Its place is checked: it is no input, and nothing that must be kept.
//  2. A temporary file or folder is made beside it, ".NAME.loratool-*", locked
//     for as long as this process lives, and filled with files of their final
//     size, so that a full disk is found now and not in an hour.
//  3. The data is written, in any order.
//  4. Everything is flushed to the disk, and the temporary name is changed to
//     the final one, in one step.
//
// Whatever goes wrong before the last step, the final name holds what it held
// before. A process that is killed leaves its temporary behind; the next one that
// writes to the same place finds it unlocked and removes it.

// An Output is a file or folder that is being written.
type Output struct {
	path   string // final
	temp   string
	layout *Layout
	lock   *os.File
	files  []*OutputFile
	mode   fs.FileMode // of a replaced file; 0 for none
	done   bool
}

// Create makes a temporary output of the layout's size, with the Heads written
// already. With force it may replace an output that exists; it never replaces an
// input. Close must be called in the end.
func Create(path string, l *Layout, force bool) (*Output, error) {
	path = filepath.Clean(path)
	out := &Output{path: path, layout: l}
	if err := out.check(force); err != nil {
		return nil, err
	}
	dir, name := filepath.Dir(path), filepath.Base(path)
	prefix := "." + name + ".loratool-"
	if err := out.begin(dir, prefix); err != nil {
		out.Close()
		return nil, err
	}
	if err := out.fill(); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// CheckOutput returns the error that [Create] would return about the place of an
// output: that it exists, is an input, or has no folder to be in.
func CheckOutput(path string, l *Layout, force bool) error {
	out := &Output{path: filepath.Clean(path), layout: l}
	return out.check(force)
}

func (o *Output) check(force bool) error {
	if err := o.checkTarget(force); err != nil {
		return err
	}
	return CheckFolder(filepath.Dir(o.path))
}

// CheckFolder returns an error if dir is no folder that something can be put into.
func CheckFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Path: dir, Err: &reason{fs.ErrNotExist, "there is no such folder to write to"}, Hint: "make it first, with mkdir -p"}
	case err != nil:
		return fileError(dir, err)
	case !info.IsDir():
		return &Error{Path: dir, Err: Reasonf(ErrOutput, "not a folder")}
	}
	return nil
}

// begin removes stale temporaries and makes one of its own. The folder is locked
// meanwhile: a temporary that another process has made and not locked yet would
// look stale.
func (o *Output) begin(dir, prefix string) error {
	unlock, ok := lockFolder(dir)
	if ok {
		defer unlock()
		removeStale(dir, prefix)
	}
	return o.makeTemp(dir, prefix)
}

// makeTemp makes the temporary file or folder and locks it.
func (o *Output) makeTemp(dir, prefix string) error {
	var err error
	if o.layout.Folder {
		if o.temp, err = os.MkdirTemp(dir, prefix); err != nil {
			return fileError(dir, err)
		}
		o.temp = filepath.Clean(o.temp) // as filepath.Dir of its files will be
		rememberTemporary(o.temp)
		// MkdirTemp makes it private; a folder has the mode that mkdir gives it.
		if err := os.Chmod(o.temp, 0o777&^umask()); err != nil {
			return fileError(o.temp, err)
		}
		if o.lock, err = os.Open(o.temp); err != nil {
			return fileError(o.temp, err)
		}
	} else {
		f, err := os.CreateTemp(dir, prefix)
		if err != nil {
			return fileError(dir, err)
		}
		o.temp, o.lock = f.Name(), f
		rememberTemporary(o.temp)
	}
	return lockFile(o.lock)
}

// fill makes all files, of their final size.
func (o *Output) fill() error {
	if err := checkSpace(filepath.Dir(o.temp), o.layout.NumBytes()); err != nil {
		return &Error{Path: o.path, Err: err}
	}
	for i := range o.layout.Files {
		lf := &o.layout.Files[i]
		f, err := o.createFile(lf)
		if err != nil {
			return err
		}
		o.files = append(o.files, &OutputFile{File: f})
		if err := preallocate(f, lf.Size); err != nil {
			return o.Error(lf, fmt.Errorf("can't reserve %d bytes: %w", lf.Size, err))
		}
		if _, err := f.WriteAt(lf.Head, 0); err != nil {
			return o.Error(lf, err)
		}
	}
	return nil
}

func (o *Output) createFile(lf *LayoutFile) (*os.File, error) {
	if !o.layout.Folder {
		mode := o.mode
		if mode == 0 {
			mode = 0o666 &^ umask()
		}
		return o.lock, o.lock.Chmod(mode)
	}
	if !filepath.IsLocal(lf.Name) {
		panic("formats: the layout has a file outside its folder: " + lf.Name)
	}
	name := filepath.Join(o.temp, filepath.FromSlash(lf.Name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, o.Error(lf, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, o.Error(lf, err)
	}
	return f, nil
}

// File returns the i-th file of the layout, to write to at any offset.
func (o *Output) File(i int) *OutputFile { return o.files[i] }

// writeback is how much the disk is given to write at once.
const writeback = 8 << 20

// Written says that a range of the i-th file will not be written to again. If it
// ends a stretch of the file, the disk begins to write that: ranges come nearly in
// order, and what is late waits for the flush in the end.
func (o *Output) Written(i int, offset, n int64) {
	from, to := offset/writeback*writeback, (offset+n)/writeback*writeback
	if from < to {
		startWriteback(o.files[i].File, from, to-from)
	}
}

// Error returns err as an error about a file of the output under its final name.
func (o *Output) Error(lf *LayoutFile, err error) error {
	path := o.path
	if o.layout.Folder {
		path = filepath.Join(path, filepath.FromSlash(lf.Name))
	}
	return fileError(path, err).(*Error)
}

// Commit flushes everything to the disk and gives the output its final name.
func (o *Output) Commit(ctx context.Context) error {
	dirs := map[string]bool{}
	for i, f := range o.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		lf := &o.layout.Files[i]
		if err := f.Sync(); err != nil {
			return o.Error(lf, err)
		}
		if o.layout.Folder {
			if err := f.Close(); err != nil {
				return o.Error(lf, err)
			}
			for d := filepath.Dir(f.Name()); ; d = filepath.Dir(d) {
				dirs[d] = true
				if d == o.temp {
					break
				}
			}
		}
	}
	for d := range dirs {
		if err := syncDir(d); err != nil {
			return fileError(o.path, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	old, err := replaceTemporary(o.temp, o.path, o.layout.Folder)
	if err != nil {
		return fileError(o.path, err)
	}
	o.done = true
	if err := syncDir(filepath.Dir(o.path)); err != nil {
		return fileError(o.path, err)
	}
	if old != "" {
		os.RemoveAll(old) // or the next run does, to which it is stale
	}
	return nil
}

// Close removes the temporary, unless the output was committed.
func (o *Output) Close() error {
	if !o.done && o.temp != "" {
		os.RemoveAll(o.temp)
		forgetTemporary(o.temp)
	}
	for _, f := range o.files {
		f.Close() // twice at worst
	}
	if o.lock != nil {
		o.lock.Close()
	}
	o.temp = ""
	return nil
}

// checkTarget refuses an output that is an input, and one that exists unless
// it may be replaced.
func (o *Output) checkTarget(force bool) error {
	info, err := os.Stat(o.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(o.path); err == nil {
			return &Error{Path: o.path, Err: Reasonf(ErrOutput, "it is a link that leads nowhere")}
		}
		return nil
	}
	if err != nil {
		return fileError(o.path, err)
	}
	for _, in := range o.layout.Inputs {
		if in.file == nil {
			continue
		}
		if os.SameFile(info, in.info) || info.IsDir() && contains(info, in.Path) {
			return &Error{Path: o.path, Err: Reasonf(ErrOutput, "the output is an input: %s", in.Path),
				Hint: "write to another place; inputs are never changed"}
		}
	}
	switch {
	case info.IsDir() != o.layout.Folder && info.IsDir():
		return &Error{Path: o.path, Err: Reasonf(ErrOutput, "it is a folder, and the output is a single file")}
	case info.IsDir() != o.layout.Folder:
		return &Error{Path: o.path, Err: Reasonf(ErrOutput, "it is a file, and the output is a folder")}
	case info.IsDir() && isEmpty(o.path):
		return nil
	case !force:
		return &Error{Path: o.path, Err: Reasonf(ErrOutput, "it exists already"), Hint: "choose another output, or say --force to replace it"}
	case info.IsDir() && !isModelFolder(o.path):
		return &Error{Path: o.path, Err: Reasonf(ErrOutput, "the folder holds no model, so it is not replaced"),
			Hint: "choose another output, or remove the folder yourself"}
	case !info.IsDir() && !info.Mode().IsRegular():
		return &Error{Path: o.path, Err: Reasonf(ErrOutput, "not a regular file")}
	}
	if !info.IsDir() {
		o.mode = info.Mode().Perm()
	}
	return nil
}

// contains reports whether a file lies anywhere in a folder, by the names that
// the file was opened with and that the system knows it by.
func contains(folder fs.FileInfo, path string) bool {
	for _, p := range []string{path, realPath(path)} {
		p, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		for d := filepath.Dir(p); ; d = filepath.Dir(d) {
			if info, err := os.Stat(d); err == nil && os.SameFile(info, folder) {
				return true
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return false
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// isModelFolder reports whether a folder has weights in it, so that replacing it
// as a whole is what --force can have meant.
func isModelFolder(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".safetensors", ".gguf", ".bin":
			return true
		}
	}
	return false
}

// removeStale removes the temporaries of processes that were killed.
func removeStale(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if lockFile(f) == nil { // nobody holds it
			os.RemoveAll(path)
		}
		f.Close()
	}
}

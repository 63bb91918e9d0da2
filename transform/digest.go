package transform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
)

// A Digest is a line of a list of digests.
type Digest struct {
	Name   string `json:"name"` // relative to the list's folder, with slashes; or of a tensor
	SHA256 string `json:"sha256"`
}

// String returns the line as sha256sum writes it.
func (d Digest) String() string { return d.SHA256 + "  " + d.Name }

// Sums returns the SHA-256 digests of files in a folder, named with slashes. A
// file that does not exist has an empty digest.
func Sums(ctx context.Context, dir string, names []string, o Options) ([]Digest, error) {
	digests := make([]Digest, len(names))
	var total int64
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			total += info.Size()
		}
	}
	report := reporter(total, o.Progress)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.workers())
	for i, name := range names {
		g.Go(func() error {
			sum, err := digest(ctx, filepath.Join(dir, filepath.FromSlash(name)), func(n int64) { report(n, name) })
			if errors.Is(err, fs.ErrNotExist) {
				sum, err = "", nil
			}
			digests[i] = Digest{name, sum}
			return err
		})
	}
	return digests, g.Wait()
}

func digest(ctx context.Context, path string, report func(int64)) (string, error) {
	f, err := formats.OpenFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buf := formats.BorrowBytes(scanBlock)
	defer formats.ReturnBytes(buf)
	for off := int64(0); off < f.Size; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), f.Size-off)], off)
		if n == 0 && err != nil {
			if err == io.EOF {
				err = formats.Reasonf(formats.ErrTruncated, "the file ended while it was read")
			}
			return "", formats.At(path, off, err)
		}
		h.Write(buf[:n])
		off += int64(n)
		report(int64(n))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// SumFolder returns the digests of all regular files of a folder and its
// subfolders but for hidden ones and SHA256SUMS itself, sorted by name: what a
// SHA256SUMS of it should say. Of a file it returns its own.
func SumFolder(ctx context.Context, path string, o Options) ([]Digest, error) {
	path, err := hf.Resolve(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return Sums(ctx, filepath.Dir(path), []string{filepath.Base(path)}, o)
	}
	var names []string
	err = filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if file != path && strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(path, file)
		if info, e := os.Stat(file); e == nil && info.Mode().IsRegular() && name != SumsFile {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return Sums(ctx, path, names, o)
}

// TensorSums returns the SHA-256 of each tensor's data, in the order of the
// model.
func TensorSums(ctx context.Context, m *formats.Model, o Options) ([]Digest, error) {
	digests := make([]Digest, len(m.Tensors))
	report := reporter(m.NumBytes(), o.Progress)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.workers())
	for i, t := range m.Tensors {
		g.Go(func() error {
			sum, err := tensorDigest(ctx, t)
			digests[i] = Digest{t.Name, sum}
			report(t.NumBytes(), t.Name)
			return err
		})
	}
	return digests, g.Wait()
}

func tensorDigest(ctx context.Context, t *formats.Tensor) (string, error) {
	h := sha256.New()
	step := int(max(1, scanBlock/max(1, t.RowBytes())))
	buf := formats.BorrowBytes(step * int(t.RowBytes()))
	defer formats.ReturnBytes(buf)
	for lo := 0; lo < t.NumRows(); lo += step {
		hi := min(lo+step, t.NumRows())
		rows := buf[:int64(hi-lo)*t.RowBytes()]
		if err := t.ReadRows(ctx, rows, lo, hi); err != nil {
			return "", t.Error(err)
		}
		h.Write(rows)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

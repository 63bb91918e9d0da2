package transform

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

// SumsFile is the name of the list of digests that sha256sum writes and checks.
const SumsFile = "SHA256SUMS"

// A FileDigest is a line of a list of digests.
type FileDigest struct {
	Name   string `json:"name"` // relative to the list's folder, with slashes
	SHA256 string `json:"sha256"`
}

// String returns the line as sha256sum writes it.
func (d FileDigest) String() string { return d.SHA256 + "  " + d.Name }

// verifySums compares the files that a SHA256SUMS beside path lists with their
// digests: all of them if path is the folder, and only path if it is a file.
func (v *Verification) verifySums(ctx context.Context, path string, o *Options) error {
	dir := folderOf(path)
	want, err := readSums(filepath.Join(dir, SumsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if e, ok := errors.AsType[*formats.Error](err); ok && isDefect(err) {
		v.Problems = append(v.Problems, problemOf(e))
		return nil
	}
	if err != nil {
		return err
	}
	if dir != path {
		want = slices.DeleteFunc(want, func(d FileDigest) bool { return d.Name != filepath.Base(path) })
	}
	names := make([]string, len(want))
	for i, d := range want {
		names[i] = d.Name
	}
	got, err := Sums(ctx, dir, names, *o)
	if err != nil {
		return err
	}
	for i, d := range got {
		file := filepath.Join(dir, filepath.FromSlash(d.Name))
		switch {
		case d.SHA256 == "":
			v.Problems = append(v.Problems, Problem{Path: file, Text: "it is missing, but " + SumsFile + " lists it"})
		case d.SHA256 != want[i].SHA256:
			v.Problems = append(v.Problems, Problem{Path: file, Text: fmt.Sprintf("its SHA-256 is %s, but %s says %s", d.SHA256, SumsFile, want[i].SHA256)})
		}
	}
	v.Digests = got
	return nil
}

// Sums returns the SHA-256 digests of files in a folder, named with slashes. A
// file that does not exist has an empty digest.
func Sums(ctx context.Context, dir string, names []string, o Options) ([]FileDigest, error) {
	digests := make([]FileDigest, len(names))
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
			digests[i] = FileDigest{name, sum}
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

// readSums reads a list of digests: 64 hexadecimal digits, two spaces (or one
// and a star, for binary) and a name.
func readSums(path string) ([]FileDigest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []FileDigest
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" {
			continue
		}
		bad := func(why string) error {
			return &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "line %d: %s", n, why)}
		}
		if len(line) < 67 || line[64] != ' ' || line[65] != ' ' && line[65] != '*' {
			return nil, bad("not a digest, two spaces and a name")
		}
		sum, name := strings.ToLower(line[:64]), line[66:]
		if _, err := hex.DecodeString(sum); err != nil {
			return nil, bad("not a digest, two spaces and a name")
		}
		name = strings.TrimPrefix(name, "./")
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, bad(fmt.Sprintf("%q lies outside the folder", name))
		}
		list = append(list, FileDigest{name, sum})
	}
	if err := lines.Err(); err != nil {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "%v", err)}
	}
	return list, nil
}

// SumFolder returns the digests of all regular files of a folder and its
// subfolders but for hidden ones and SHA256SUMS itself, sorted by name: what a
// SHA256SUMS of it should say. Of a file it returns its own.
func SumFolder(ctx context.Context, path string, o Options) ([]FileDigest, error) {
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

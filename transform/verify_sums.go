package transform

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// SumsFile is the name of the list of digests that sha256sum writes and checks.
const SumsFile = "SHA256SUMS"

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
		want = slices.DeleteFunc(want, func(d Digest) bool { return d.Name != filepath.Base(path) })
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

// readSums reads a list of digests: 64 hexadecimal digits, two spaces (or one
// and a star, for binary) and a name.
func readSums(path string) ([]Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []Digest
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
		list = append(list, Digest{name, sum})
	}
	if err := lines.Err(); err != nil {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "%v", err)}
	}
	return list, nil
}

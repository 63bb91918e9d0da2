package torch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// tryToRead opens a file and reads all of its tensors that are not absurdly
// large. Whatever the bytes, the worst that may come of it is an error of the
// known kinds.
func tryToRead(t *testing.T, data string) (opened bool) {
	t.Helper()
	m, err := openBytes(data)
	if err != nil {
		checkError(t, err)
		return false
	}
	for _, x := range m.Tensors {
		if x.NumBytes() > 1<<20 {
			continue
		}
		b := make([]byte, x.NumBytes())
		if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
			t.Errorf("%q was opened and can't be read: %v", x.Name, err)
		}
	}
	return true
}

func checkError(t *testing.T, err error) {
	t.Helper()
	known := errors.Is(err, formats.ErrFormat) || errors.Is(err, formats.ErrTruncated) || errors.Is(err, formats.ErrUnsupported)
	if _, ok := errors.AsType[*formats.Error](err); !ok || !known || !strings.HasPrefix(err.Error(), "hostile.bin: ") {
		t.Errorf("an error of an unknown kind: %v", err)
	}
	if len(err.Error()) > 1000 {
		t.Errorf("a message of %d bytes", len(err.Error()))
	}
}

// TestEveryPrefixIsAnError cuts every checkpoint after every byte.
func TestEveryPrefixIsAnError(t *testing.T) {
	for _, path := range checkpoints(t) {
		data := readFile(t, path)
		for n := range len(data) {
			if tryToRead(t, data[:n]) {
				t.Errorf("the first %d of %d bytes of %s are read as a checkpoint", n, len(data), path)
			}
		}
	}
}

// TestEveryFlippedBit turns every bit of a file, one after another. Names,
// numbers and strings may change unnoticed where there is no checksum.
func TestEveryFlippedBit(t *testing.T) {
	for _, name := range []string{"views.pt", "no_checksums.pt", "legacy.pt", "protocol5.pt"} {
		data := []byte(readFile(t, filepath.Join(testdata, name)))
		for i := range data {
			for bit := range 8 {
				data[i] ^= 1 << bit
				tryToRead(t, string(data))
				data[i] ^= 1 << bit
			}
		}
	}
}

// TestVerifyFindsBitRot flips bits of tensors, which opening does not look at.
func TestVerifyFindsBitRot(t *testing.T) {
	data := []byte(readFile(t, filepath.Join(testdata, "dtypes.pt")))
	m, err := openBytes(string(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Tensors {
		e := x.Extent()
		for i := range e.Size {
			data[e.Offset+i] ^= 4
			if err := verify(data); !errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), "its bytes have changed") {
				t.Errorf("byte %d of %q has changed, and Verify returns %v", i, x.Name, err)
			}
			data[e.Offset+i] ^= 4
		}
	}
	if err := verify(data); err != nil {
		t.Error(err)
	}
}

// TestFailingReads has every read of a checkpoint fail once.
func TestFailingReads(t *testing.T) {
	for _, name := range []string{"views.pt", "legacy.pt", "big_endian.pt"} {
		formatstest.Sweep(t, readFile(t, filepath.Join(testdata, name)))
	}
}

// FuzzOpen gives any bytes to the reader.
func FuzzOpen(f *testing.F) {
	for _, path := range checkpoints(f) {
		f.Add([]byte(readFile(f, path)))
	}
	f.Fuzz(func(t *testing.T, data []byte) { tryToRead(t, string(data)) })
}

// FuzzPickle gives any bytes to the machine, as the pickle of an archive with
// one storage and as that of an old file.
func FuzzPickle(f *testing.F) {
	for _, path := range checkpoints(f) {
		data := readFile(f, path)
		if begin := strings.IndexByte(data, '\x80'); strings.HasPrefix(data, "PK") {
			data = data[begin:]
			f.Add([]byte(data[:strings.Index(data, stop+"PK")+1]))
		} else if i := strings.LastIndex(data, proto+"cco"); i >= 0 { // the state dict of an old file
			f.Add([]byte(data[i:]))
		}
	}
	for _, p := range []string{six, dictOf(str("a"), six, str("b"), "]q\x00h\x00a"), laughs(3, six), call(global("os", "system"), str("x"))} {
		f.Add([]byte(proto + p + stop))
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		tryToRead(t, checkpoint(string(pickle)))
		tryToRead(t, legacy(old(string(pickle)), "]"+str("0")+"a", "\x06\x00\x00\x00\x00\x00\x00\x00"+floats("0", 6).data))
	})
}

func checkpoints(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, "*.pt"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no checkpoints in testdata", err)
	}
	return paths
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

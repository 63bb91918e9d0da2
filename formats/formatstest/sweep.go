package formatstest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// Sweep opens a file again and again, with the first read failing, then the
// second and so on until none does, and reads all of its tensors each time. The
// failure must come out as it is, in an error that names the file; without one
// all must be read, though reads say io.EOF with the last bytes. It also cuts the
// file short after it was opened, which must come out as ErrTruncated.
func Sweep(t testing.TB, data string) {
	t.Helper()
	for fail := int64(0); ; fail++ {
		r := &Faulty{R: strings.NewReader(data), Size: int64(len(data)), Fail: fail}
		m, err := formats.OpenReader(formats.NewFile(r, r.Size, "faulty"))
		if err == nil {
			err = readAll(m)
		}
		if r.Calls() <= fail {
			if err != nil {
				t.Errorf("without a failure: %v", err)
			}
			break
		}
		if !errors.Is(err, ErrFault) || !strings.HasPrefix(err.Error(), "faulty: ") {
			t.Errorf("read %d fails, and the error is %v", fail, err)
		}
	}
	r := &shrinking{strings.NewReader(data)}
	m, err := formats.OpenReader(formats.NewFile(r, int64(len(data)), "shrinking"))
	if err != nil {
		t.Error(err)
		return
	}
	r.ReaderAt = strings.NewReader("")
	if err := readAll(m); m.NumBytes() > 0 && !errors.Is(err, formats.ErrTruncated) {
		t.Errorf("the file was cut after it was opened, and the error is %v", err)
	}
}

// shrinking is a file whose contents can be exchanged.
type shrinking struct{ io.ReaderAt }

func readAll(m *formats.Model) error {
	for _, x := range m.Tensors {
		if x.NumBytes() == 0 { // nothing to fail
			continue
		}
		if err := x.ReadRows(context.Background(), make([]byte, x.NumBytes()), 0, x.NumRows()); err != nil {
			return err
		}
	}
	return nil
}

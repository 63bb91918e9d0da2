package formatstest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// Digest returns the SHA-256, in hexadecimal, of all that a model's tensors are:
// for each in the order of the names
//
//	name, NUL, number format, NUL, dimensions with spaces between, NUL, bytes
//
// The programs in testdata/interop compute the same of what a peer reads.
func Digest(t testing.TB, m *formats.Model) string {
	t.Helper()
	h := sha256.New()
	byName := func(a, b *formats.Tensor) int { return cmp.Compare(a.Name, b.Name) }
	for _, x := range slices.SortedFunc(slices.Values(m.Tensors), byName) {
		fmt.Fprintf(h, "%s\x00%v\x00%s\x00", x.Name, x.DType, strings.Trim(fmt.Sprint(x.Shape), "[]"))
		b := make([]byte, x.NumBytes())
		if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
			t.Errorf("%q was opened and can't be read: %v", x.Name, err)
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

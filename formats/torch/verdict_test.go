package torch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats/formatstest"
)

// verdicts is what torch.load says of mutants. It was taken once, by the test of
// the same name with the build tag interop.
type verdicts struct {
	Loader   string `json:"loader"`
	Mutants  int    `json:"mutants"`
	SHA256   string `json:"sha256"`   // of all mutants
	Verdicts string `json:"verdicts"` // of one after another, with spaces between; see testdata/interop/torch_verdicts.py
}

// digestLength is how much of a digest is kept: enough to find a difference.
const digestLength = 6

func readVerdicts(t testing.TB) *verdicts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, "verdicts.json"))
	if err != nil {
		t.Fatal(err)
	}
	v := &verdicts{}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// stricter are the reasons for which a checkpoint may be refused that torch.load
// reads: what it takes on trust, and what no pickler writes.
var stricter = []string{
	"does not fit its storage", "and the pickle speaks of", "the file has", "bytes here and", "there is no storage", // torch makes the storage larger
	"size of a storage is", "a dimension is", "too large", "offset of a tensor is", "whose size is", "metadata are", "storage whose", // wrong, and unused
	"appears twice", "left over", "behind its end", "is called", "torch.Size takes", "OrderedDict of", "under a key that is", "entries for a Counter",
	"meta device", "nothing is memorized", "a Parameter of",
}

// TestVerdicts compares with torch.load on the mutants: what it refuses is
// refused here, and what both read has the same contents.
func TestVerdicts(t *testing.T) {
	v := readVerdicts(t)
	all := sha256.New()
	var same, refused, strict, other int
	for i, theirs := range strings.Fields(v.Verdicts) {
		data := mutant(i)
		all.Write([]byte(data))
		m, err := openBytes(data)
		switch {
		case theirs == "~" || theirs == "?":
			other++
		case err == nil && theirs == "-":
			t.Errorf("mutant %d is read here, and refused by %s", i, v.Loader)
		case err == nil:
			if ours := formatstest.Digest(t, m)[:digestLength]; ours != theirs {
				t.Errorf("mutant %d has contents %s here, and %s in %s", i, ours, theirs, v.Loader)
			}
			same++
		case theirs == "-":
			refused++
		default:
			if !slices.ContainsFunc(stricter, func(s string) bool { return strings.Contains(err.Error(), s) }) {
				t.Errorf("mutant %d is refused here, and read by %s: %v", i, v.Loader, err)
			}
			strict++
		}
	}
	if sum := hex.EncodeToString(all.Sum(nil)); sum != v.SHA256 {
		t.Errorf("the mutants are not those that the verdicts are about: take them again, with the build tag interop and -update")
	}
	t.Logf("%d mutants: %d read by both, %d refused by both, %d refused here alone, %d of no account", v.Mutants, same, refused, strict, other)
}

package safetensors_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats/formatstest"
)

// Verdicts is what the reference parser says of mutants and of the files of
// TestRefuses. It was taken once with it, by the test of the same name with the
// build tag interop, which also tells whether it still says so.
type verdicts struct {
	Parser   string            `json:"parser"`
	Mutants  int               `json:"mutants"`
	SHA256   string            `json:"sha256"`   // of all mutants
	Refusals map[string]string `json:"refusals"` // digests of what it reads
	Digests  string            `json:"digests"`  // of the mutants: digestBytes each, zeros for those it refuses; base64
}

// digestBytes is how much is kept of a digest: enough to find a difference.
const digestBytes = 3

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

// stricter reports whether err is one of the reasons for which a file may be
// refused that the reference parser reads.
func stricter(err error) bool {
	return slices.ContainsFunc([]string{
		"appears twice",               // names: the format forbids it; the reference takes the last one
		"does not begin with {",       // the format demands it
		"not a model file: it begins", // the same, by which the file is recognized
		"is too large",                // dimensions of an empty tensor that no memory could have
		"is not a size",               // the same beyond 63 bits
	}, func(s string) bool { return strings.Contains(err.Error(), s) })
}

// TestVerdicts compares with the reference parser on the mutants: what is read
// here is read there and has the same contents, and what is refused here is
// refused there, but for a few reasons.
func TestVerdicts(t *testing.T) {
	v := readVerdicts(t)
	digests, err := base64.StdEncoding.DecodeString(v.Digests)
	if err != nil || len(digests) != digestBytes*v.Mutants {
		t.Fatal("verdicts.json: digests", err)
	}
	all := sha256.New()
	var read, refused, strict int
	for i := range v.Mutants {
		data := mutant(t, i)
		all.Write([]byte(data))
		theirs := hex.EncodeToString(digests[digestBytes*i:][:digestBytes])
		theyRead := theirs != strings.Repeat("0", 2*digestBytes)
		m, err := openBytes(data)
		switch {
		case err == nil:
			read++
			if ours := formatstest.Digest(t, m)[:2*digestBytes]; ours != theirs {
				t.Errorf("mutant %d has contents %s here and %s there:\n%.400q", i, ours, theirs, data)
			}
			compareReaders(t, data)
		case theyRead && !stricter(err):
			t.Errorf("mutant %d is refused here, %v, and read there:\n%.400q", i, err, data)
		case theyRead:
			strict++
		default:
			refused++
		}
		if t.Failed() {
			break
		}
	}
	if sum := hex.EncodeToString(all.Sum(nil)); !t.Failed() && sum != v.SHA256 {
		t.Errorf("the mutants are not those that the verdicts are about: take them again, with the build tag interop and -update")
	}
	t.Logf("%d mutants: %d read by both, %d refused by both, %d refused here alone", v.Mutants, read, refused, strict)
}

//go:build interop

package safetensors_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "take the verdicts of the reference parser again")

// TestReferenceVerdicts asks the reference parser, which LORATOOL_PYTHON must
// have, about everything in verdicts.json.
func TestReferenceVerdicts(t *testing.T) {
	const mutants = 24_000
	var input bytes.Buffer
	add := func(data string) {
		binary.Write(&input, binary.LittleEndian, uint32(len(data)))
		input.WriteString(data)
	}
	cases := refusals()
	names := slices.Sorted(maps.Keys(cases))
	for _, name := range names {
		add(cases[name].data)
	}
	all := sha256.New()
	for i := range mutants {
		data := mutant(t, i)
		all.Write([]byte(data))
		add(data)
	}
	python := os.Getenv("LORATOOL_PYTHON")
	if python == "" {
		t.Fatal("LORATOOL_PYTHON must be set")
	}
	cmd := exec.Command(python, "../../testdata/interop/safetensors_verdicts.py")
	cmd.Stdin, cmd.Stderr = &input, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 1+len(names)+mutants {
		t.Fatalf("%d verdicts", len(lines))
	}
	got := &verdicts{Parser: lines[0], Mutants: mutants, SHA256: hex.EncodeToString(all.Sum(nil)), Refusals: map[string]string{}}
	for i, name := range names {
		if digest := strings.TrimLeft(lines[1+i], "-"); digest != "" {
			got.Refusals[name] = digest[:2*digestBytes]
		}
	}
	digests := make([]byte, 0, digestBytes*mutants)
	for _, line := range lines[1+len(names):] {
		if line == "-" {
			line = strings.Repeat("0", 2*digestBytes)
		}
		b, err := hex.DecodeString(line[:2*digestBytes])
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, b...)
	}
	got.Digests = base64.StdEncoding.EncodeToString(digests)
	if !*update {
		if want := readVerdicts(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s has other verdicts than %s had", got.Parser, want.Parser)
		}
		return
	}
	text, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(testdata, "verdicts.json"), append(text, '\n'), 0o666); err != nil {
		t.Fatal(err)
	}
}

//go:build interop

package torch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "take the verdicts of torch.load again")

// TestLoaderVerdicts asks torch.load, which LORATOOL_PYTHON must have, about
// everything in verdicts.json. It takes minutes.
func TestLoaderVerdicts(t *testing.T) {
	python := os.Getenv("LORATOOL_PYTHON")
	if python == "" {
		t.Fatal("LORATOOL_PYTHON must be set")
	}
	const mutants = 4000
	var input bytes.Buffer
	all := sha256.New()
	for i := range mutants {
		data := mutant(i)
		all.Write([]byte(data))
		binary.Write(&input, binary.LittleEndian, uint32(len(data)))
		input.WriteString(data)
	}
	cmd := exec.Command(python, "../../testdata/interop/torch_verdicts.py")
	cmd.Stdin, cmd.Stderr = &input, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 1+mutants {
		t.Fatalf("%d verdicts", len(lines)-1)
	}
	for i, line := range lines[1:] {
		lines[1+i] = line[:min(len(line), digestLength)]
	}
	got := verdicts{lines[0], mutants, hex.EncodeToString(all.Sum(nil)), strings.Join(lines[1:], " ")}
	if !*update {
		if want := readVerdicts(t); got != *want {
			t.Errorf("%s has other verdicts than %s had", got.Loader, want.Loader)
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

//go:build interop

package gguf

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "take the verdicts of llama.cpp again")

// TestReaderVerdicts asks the reader in the library that LORATOOL_GGML names about
// all mutants.
func TestReaderVerdicts(t *testing.T) {
	python, lib := os.Getenv("LORATOOL_PYTHON"), os.Getenv("LORATOOL_GGML")
	if python == "" || lib == "" {
		t.Fatal("LORATOOL_PYTHON and LORATOOL_GGML must be set")
	}
	const n = 20_000
	files := mutants(n)
	var input bytes.Buffer
	for _, f := range files {
		binary.Write(&input, binary.LittleEndian, uint32(len(f)))
		input.Write(f)
	}
	cmd := exec.Command(python, "../../testdata/interop/gguf_verdicts.py", lib)
	cmd.Stdin, cmd.Stderr = &input, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := verdicts{"gguf_init_from_file of node-llama-cpp 3.22.1 (llama.cpp v0.5.0, ggml 0.25.1)", n, sumOf(files), strings.TrimSpace(string(out))}
	if len(got.Taken) != n {
		t.Fatalf("%d verdicts", len(got.Taken))
	}
	if *update {
		data, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(verdictsFile, append(data, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(verdictsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want verdicts
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Error("llama.cpp has other verdicts than it had")
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// stock makes the files that the examples of the help texts speak of, by the names
// that they have there, in dir.
const stock = `
cp -r $DEMO/base base; cp -r base model; cp -r base Llama-3.2-1B
cp -r $DEMO/biases facts
loratool merge base --lora $DEMO/adapter -o merged
loratool extract base merged -o my-adapter --rank 4 --include proj
cp -r merged finetuned
loratool cast model -o model-f16 --dtype f16
loratool quantize model nf4 -o model-nf4
loratool extract base merged -o adapter --rank 32
cp adapter/adapter_model.safetensors adapter.safetensors
loratool convert $TESTDATA/convert/llama/hf -o model.gguf
loratool convert $TESTDATA/convert/llama/hf -o model-f16.gguf --type f16
loratool split model.gguf -o shards --max-shard-tensors 10
cp shards/*-of-00003.gguf .; for i in 1 2 3; do mv shards-0000$i-of-00003.gguf model-0000$i-of-00003.gguf; done
loratool convert base -o base.gguf
cp -r base tune; sed -i.old s/Qwen2ForCausalLM/OurOwnForCausalLM/ tune/config.json; rm tune/config.json.old
for m in base model style; do
	mkdir -p hub/models--org--$m/refs hub/models--org--$m/snapshots; echo 123 > hub/models--org--$m/refs/main
	from=$m; test $m = style && from=my-adapter
	cp -r $from hub/models--org--$m/snapshots/123
done
`

// Every example of the help texts works as it stands, in a folder with files of
// those names.
func TestExamplesRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the examples are for a Unix shell")
	}
	data, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	demo, err := filepath.Abs("demo")
	if err != nil {
		t.Fatal(err)
	}
	from := t.TempDir()
	t.Setenv("TESTDATA", data)
	t.Setenv("DEMO", demo)
	t.Setenv("HF_HUB_CACHE", filepath.Join(from, "hub"))
	if out, err := shell(t, "sh", "set -e\n"+stock, from); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, cmd := range commands {
		for _, e := range cmd.examples {
			t.Run(cmd.name, func(t *testing.T) { runExample(t, cmd, e.line, from) })
		}
	}
}

func runExample(t *testing.T, cmd *command, line, from string) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	sh := "sh"
	switch {
	case cmd == completionCommand:
		sh = "bash" // which has <()
		if err := os.MkdirAll(filepath.Join(dir, ".config/fish/completions"), 0o777); err != nil {
			t.Fatal(err)
		}
		line = strings.Replace(line, "source <(loratool completion zsh)", "cat <(loratool completion zsh)", 1)
	case strings.Contains(line, "| jq"):
		sh = "jq"
	}
	if _, err := exec.LookPath(sh); err != nil {
		t.Skipf("no %s", sh)
	}
	if sh == "jq" {
		sh = "sh"
	}
	takeInputs(t, line, from, dir)
	if strings.Contains(line, "--imatrix") { // needs a model that the importance is of
		copyFile(t, "../../testdata/gguf/quantize/llama-f16.gguf", filepath.Join(dir, "model.gguf"))
		copyFile(t, "../../testdata/gguf/quantize/imatrix-llama-f16.gguf", filepath.Join(dir, "imatrix.gguf"))
	}
	out, err := shell(t, sh, line, dir)
	if exit, ok := err.(*exec.ExitError); ok && cmd == diffCommand && exit.ExitCode() == exitDiffer {
		err = nil
	}
	if err != nil || strings.Contains(out, "error:") {
		t.Errorf("%s\n%v\n%s", line, err, out)
	}
}

// takeInputs copies what a command line reads from one folder to another: words that
// are names there, other than what -o names.
func takeInputs(t *testing.T, line, from, to string) {
	words := shellWords(line)
	for i, w := range words {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "./"), ":")
		if i > 0 && words[i-1] == "-o" || strings.Contains(name, "/") {
			continue
		}
		if isShard, _ := filepath.Match("model-0*-of-*.gguf", name); isShard {
			shards, err := filepath.Glob(filepath.Join(from, "model-0*-of-*.gguf"))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range shards {
				copyFile(t, s, filepath.Join(to, filepath.Base(s)))
			}
			continue
		}
		info, err := os.Stat(filepath.Join(from, name))
		switch {
		case err != nil:
		case !info.IsDir():
			copyFile(t, filepath.Join(from, name), filepath.Join(to, name))
		default:
			if err := os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(from, name))); err != nil && !os.IsExist(err) {
				t.Fatal(err)
			}
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shell runs a script in a folder and returns what it printed.
func shell(t *testing.T, sh, script, dir string) (string, error) {
	cmd := exec.CommandContext(t.Context(), sh, "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

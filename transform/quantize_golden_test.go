package transform

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/recipe"
)

const quantizeGoldens = "../testdata/gguf/quantize/"

// A quantizeRun is a run of llama-quantize.
type quantizeRun struct {
	Source string
	Args   []string
	SHA256 []string // of the files it wrote
	Types  string   // of the tensors in the order of the file
	Error  string   // it refused
}

// Every file of llama-quantize is made again, byte by byte.
func TestQuantizeAsLlamaQuantize(t *testing.T) {
	data, err := os.ReadFile(quantizeGoldens + "expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Sources map[string]string
		Runs    map[string]quantizeRun
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	sources := quantizeSources(t, golden.Runs)
	for source, want := range golden.Sources {
		if b, err := os.ReadFile(sources[source]); err != nil || hexSum(b) != want {
			t.Fatalf("the source %s is another: %v", source, err)
		}
	}
	for name, run := range golden.Runs {
		if testing.Short() && !shortRuns.MatchString(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run.check(t, sources[run.Source])
		})
	}
}

// shortRuns are those that an emulated CPU has time for.
var shortRuns = regexp.MustCompile(`^tied-f16/(Q4_K_M|Q6_K|Q5_0|Q2_K|IQ4_XS|F16)(/|$)|^split/Q8_0|not-allowed`)

func hexSum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// quantizeSources returns the files to start from by name. Two of them are results
// themselves, and one is split as llama-gguf-split splits it.
func quantizeSources(t *testing.T, runs map[string]quantizeRun) map[string]string {
	t.Helper()
	sources := map[string]string{}
	for _, name := range []string{"llama-f16", "odd-f32", "moe8-bf16", "tied-f16"} {
		sources[name] = quantizeGoldens + name + ".gguf"
	}
	dir := t.TempDir()
	for name, ftype := range map[string]string{"tied-q8_0": "Q8_0", "tied-q4_k_m": "Q4_K_M"} {
		files, _, err := (&quantizeRun{Args: []string{ftype}}).make(t, sources["tied-f16"])
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = filepath.Join(dir, name+".gguf")
		if err := os.WriteFile(sources[name], files[0], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := formats.Open(sources["tied-f16"])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Stem = "split-tied-f16"
	l, err := gguf.Layout(m, gguf.LayoutOptions{MaxShardTensors: 17})
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Files {
		if err := os.WriteFile(filepath.Join(dir, l.Files[i].Name), build(t, &l.Files[i]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sources["split"] = filepath.Join(dir, l.Files[0].Name)
	return sources
}

// build returns the bytes of a file of a layout. Reading the rows one by one or
// all at once must make no difference, so it does one or the other.
func build(t *testing.T, f *formats.LayoutFile) []byte {
	t.Helper()
	b := make([]byte, f.Size)
	copy(b, f.Head)
	for _, p := range f.Tensors {
		if err := readInto(b[p.Offset:][:p.Tensor.NumBytes()], p.Tensor); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func readInto(dst []byte, t *formats.Tensor) error {
	step := t.NumRows()
	if len(t.Name)%2 == 0 {
		step = 3
	}
	for lo := 0; lo < t.NumRows(); lo += step {
		hi := min(lo+step, t.NumRows())
		if err := t.ReadRows(context.Background(), dst[int64(lo)*t.RowBytes():int64(hi)*t.RowBytes()], lo, hi); err != nil {
			return err
		}
	}
	return nil
}

func (r *quantizeRun) check(t *testing.T, source string) {
	files, report, err := r.make(t, source)
	if r.Error != "" {
		if err == nil {
			t.Fatalf("it works, but llama-quantize says: %s", r.Error)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Types != "" {
		var types []string
		for _, line := range report.Tensors {
			types = append(types, line.DType.String())
		}
		want := strings.Fields(strings.ToUpper(r.Types))
		for i := range types {
			if len(types) != len(want) || types[i] != want[i] {
				t.Fatalf("%s becomes %s, want %s (of %d, %d)", report.Tensors[i].Name, types[i], want[i], len(types), len(want))
			}
		}
	}
	if len(files) != len(r.SHA256) {
		t.Fatalf("%d files, want %d", len(files), len(r.SHA256))
	}
	for i := range files {
		if got := hexSum(files[i]); got != r.SHA256[i] {
			t.Errorf("file %d has SHA-256 %s, want %s", i, got, r.SHA256[i])
			if dir := os.Getenv("LORATOOL_KEEP"); dir != "" {
				os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")+".gguf"), files[i], 0o666)
			}
		}
	}
}

// make does what llama-quantize does with these arguments.
func (r *quantizeRun) make(t *testing.T, source string) (files [][]byte, report *QuantizeReport, err error) {
	m, err := formats.Open(source)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	var (
		o         QuantizeOptions
		keepSplit bool
		filter    []func(name string) bool
		include   []string
	)
	add := func(s string) error {
		v, err := recipe.ParseOverride(s)
		o.Recipe.Overrides = append(o.Recipe.Overrides, v)
		return err
	}
	args := slices.Clone(r.Args)
	next := func() string { a := args[0]; args = args[1:]; return a }
	for len(args) > 0 && err == nil {
		switch a := next(); a {
		case "--pure":
			o.Recipe.Pure = true
		case "--leave-output-tensor":
			o.Recipe.LeaveOutput = true
		case "--allow-requantize":
			o.AllowRequantize = true
		case "--keep-split":
			keepSplit = true
		case "--output-tensor-type":
			o.Recipe.OutputType, err = recipe.ParseDType(next())
		case "--token-embedding-type":
			o.Recipe.TokenEmbeddingType, err = recipe.ParseDType(next())
		case "--tensor-type":
			err = add(next())
		case "--tensor-type-file":
			data, _ := os.ReadFile(quantizeGoldens + next())
			for _, word := range strings.Fields(string(data)) {
				err = errors.Join(err, add(word))
			}
		case "--imatrix":
			if o.Imatrix, err = imatrix.Open(quantizeGoldens + args[0]); err == nil {
				defer o.Imatrix.Close()
				o.Imatrix.Path = args[0] // the name as given goes into the file
			}
			next()
		case "--include-weights":
			include = append(include, next())
		case "--exclude-weights":
			part := next()
			filter = append(filter, func(name string) bool { return !strings.Contains(name, part) })
		case "--prune-layers":
			for s := range strings.SplitSeq(next(), ",") {
				n, _ := strconv.Atoi(s)
				o.PruneLayers = append(o.PruneLayers, n)
			}
		case "--override-kv":
			kv, err2 := ParseOverrideKV(next())
			o.Metadata, err = append(o.Metadata, kv), err2
		default:
			ok := false
			if o.Recipe.FType, ok = recipe.ParseFType(a); !ok {
				err = fmt.Errorf("no file type %s", a)
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if o.Imatrix != nil && (len(include) > 0 || len(filter) > 0) {
		o.Imatrix = o.Imatrix.Filter(func(name string) bool {
			return (len(include) == 0 || slices.ContainsFunc(include, func(p string) bool { return strings.Contains(name, p) })) &&
				!slices.ContainsFunc(filter, func(keep func(string) bool) bool { return !keep(name) })
		})
	}
	o.KeepOrder = keepSplit
	out, report, err := Quantize(m, o)
	if err != nil {
		return nil, nil, err
	}
	var lo gguf.LayoutOptions
	if keepSplit {
		var from []*formats.Tensor
		for _, line := range report.Tensors {
			from = append(from, line.Source)
		}
		lo.Shards = gguf.Shards(m, from)
	}
	l, err := gguf.Layout(out, lo)
	if err != nil {
		return nil, nil, err
	}
	for i := range l.Files {
		files = append(files, build(t, &l.Files[i]))
	}
	return files, report, nil
}

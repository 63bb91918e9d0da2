package transform_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
)

// demo holds a tiny trained model and adapters for it.
const demo = "../cmd/loratool/demo/"

func ExampleInspect() {
	m, err := hf.Open(demo + "adapter")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	s, err := transform.Inspect(context.Background(), m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Format, s.Parameters, "parameters")
	fmt.Println(s.Adapter.Type, "of rank", s.Adapter.Ranks, "and alpha", s.Adapter.Alphas)
	// Output:
	// safetensors 147456 parameters
	// LORA of rank [4] and alpha [8]
}

func ExampleDiff() {
	ctx := context.Background()
	m, err := hf.Open(demo + "base")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	rounded, _, err := transform.Cast(m, formats.F16)
	if err != nil {
		log.Fatal(err)
	}
	diffs, err := transform.Diff(ctx, m, rounded, transform.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range diffs {
		if !d.Same() {
			fmt.Printf("%s: %v becomes %v, relative error %.1g\n", d.Name, d.A.DType, d.B.DType, d.RelativeError())
			break
		}
	}
	// Output:
	// model.embed_tokens.weight: BF16 becomes F16, relative error 2e-09
}

func ExampleVerify() {
	v, err := transform.Verify(context.Background(), demo+"base", transform.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Tensors, "tensors,", len(v.Problems), "problems")
	// Output:
	// 26 tensors, 0 problems
}

func ExampleWrite() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	m, err := hf.Open(demo + "base")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	wide, _, err := transform.Cast(m, formats.F32)
	if err != nil {
		log.Fatal(err)
	}
	layout, err := hf.Layout(wide, hf.LayoutOptions{MaxShardSize: 1_000_000})
	if err != nil {
		log.Fatal(err)
	}
	out := filepath.Join(dir, "base-f32")
	if err := transform.Write(ctx, layout, out, transform.Options{Memory: 64 << 20, Workers: 2}); err != nil {
		log.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*.safetensors"))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(filepath.Base(f))
	}
	// Output:
	// model-00001-of-00002.safetensors
	// model-00002-of-00002.safetensors
}

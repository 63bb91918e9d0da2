package hf_test

import (
	"context"
	"fmt"
	"log"

	"github.com/loratool/loratool/formats/hf"
)

func ExampleOpen() {
	m, err := hf.Open("../../cmd/loratool/demo/base") // or a file, or org/name in the hub's cache
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Format, len(m.Tensors), "tensors,", m.NumParameters(), "parameters")

	// Nothing but the header has been read so far. Rows come when they are asked for.
	t := m.Tensor("model.norm.weight")
	x := make([]float32, 128)
	if err := t.ReadFloats(context.Background(), x, 0, 1); err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Name, t.Info.String(), x[:3])
	// Output:
	// safetensors 26 tensors, 427136 parameters
	// model.norm.weight BF16 [128] [1.3125 1.2578125 1.328125]
}

func ExampleConfig() {
	m, err := hf.Open("../../cmd/loratool/demo/base")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	config, err := hf.Config(m)
	if err != nil {
		log.Fatal(err)
	}
	layers, _ := config.Int("num_hidden_layers")
	fmt.Println(config.String("model_type"), layers)
	// Output:
	// qwen2 2
}

func ExampleLayout() {
	m, err := hf.Open("../../cmd/loratool/demo/base")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	l, err := hf.Layout(m, hf.LayoutOptions{MaxShardSize: 500_000})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range l.Files {
		fmt.Println(f.Name, len(f.Tensors))
	}
	// Output:
	// model-00001-of-00002.safetensors 8
	// model-00002-of-00002.safetensors 18
	// config.json 0
	// generation_config.json 0
	// tokenizer.json 0
	// tokenizer_config.json 0
	// model.safetensors.index.json 0
}

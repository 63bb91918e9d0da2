package arch

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A Config is a checkpoint's config.json. Where a model of several modalities has
// its language model's parameters in text_config, they are found there first.
type Config struct {
	root, text *strictjson.Object
	defaults   *strictjson.Object // what the architecture takes for absent keys
	path       string
	model      *formats.Model
}

// readConfig returns the configuration of a checkpoint.
func readConfig(m *formats.Model) (*Config, error) {
	root, err := hf.Config(m)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrMismatch, "it has no config.json, which says what the weights are"),
			Hint: "name the checkpoint's folder, not a weights file"}
	}
	return &Config{root: root, text: root.Object("text_config"), path: m.Path, model: m}, nil
}

// get returns the value of the first of the keys that is there and not null.
func (c *Config) get(keys ...string) strictjson.Value {
	for _, o := range []*strictjson.Object{c.text, c.root, c.defaults} {
		for _, key := range keys {
			if v := o.Get(key); v != nil {
				return v
			}
		}
	}
	return nil
}

// int returns an integer parameter.
func (c *Config) int(keys ...string) (v int, ok bool) {
	n, _ := c.get(keys...).(strictjson.Number)
	i, ok := n.Int()
	return int(i), ok
}

// float returns a numeric parameter.
func (c *Config) float(keys ...string) (v float64, ok bool) {
	n, ok := c.get(keys...).(strictjson.Number)
	return n.Float(), ok
}

// need returns an integer parameter, or an error that names it.
func (c *Config) need(keys ...string) (int, error) {
	v, ok := c.int(keys...)
	if !ok || v < 0 {
		return 0, &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrMismatch, "config.json has no %s", keys[0])}
	}
	return v, nil
}

// class returns the name of the model's class, such as LlamaForCausalLM.
func (c *Config) class() string {
	list := c.root.Array("architectures")
	if len(list) == 0 {
		list = c.text.Array("architectures")
	}
	if len(list) == 0 {
		return ""
	}
	name, _ := list[0].(string)
	return name
}

// set changes a parameter for whoever reads it from here on.
func (c *Config) set(key string, v strictjson.Value) {
	if c.text.Has(key) {
		c.text.Set(key, v)
	} else {
		c.root.Set(key, v)
	}
}

// remove takes a parameter away from whoever reads it from here on.
func (c *Config) remove(key string) {
	if c.text != nil {
		c.text.Delete(key)
	}
	c.root.Delete(key)
}

// deriveKVHeads gives a model without grouped queries as many key and value heads
// as heads.
func deriveKVHeads(c *Config) error {
	if _, ok := c.int("num_key_value_heads", "n_kv_heads"); ok {
		return nil
	}
	n, err := heads(c)
	if err != nil {
		return err
	}
	c.set("num_key_value_heads", strictjson.Int(n))
	return nil
}

// deriveHeadDim gives a model the size of its heads where they divide the hidden
// size.
func deriveHeadDim(c *Config) error {
	d, err := headDim(c)
	if err != nil {
		return err
	}
	c.set("head_dim", strictjson.Int(d))
	return nil
}

// heads returns the number of attention heads, kvHeads that of key and value
// heads, which is the same if the configuration names no other.
func heads(c *Config) (int, error) { return c.need("num_attention_heads", "n_head", "n_heads") }

func kvHeads(c *Config) (int, error) {
	if n, ok := c.int("num_key_value_heads", "n_kv_heads"); ok {
		return n, nil
	}
	return heads(c)
}

// headDim returns the size of an attention head.
func headDim(c *Config) (int, error) {
	if n, ok := c.int("head_dim"); ok {
		return n, nil
	}
	return evenHeadDim(c)
}

// evenHeadDim returns the hidden size divided among the heads, whatever head_dim
// says.
func evenHeadDim(c *Config) (int, error) {
	hidden, err := c.need("hidden_size", "n_embd", "dim")
	if err != nil {
		return 0, err
	}
	n, err := heads(c)
	if err != nil || n == 0 {
		return 0, err
	}
	return hidden / n, nil
}

package adapter

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// A Config is what adapter_config.json says, as far as it bears on a merge.
type Config struct {
	Type string // peft_type: "LORA", "IA3", …
	Base string // base_model_name_or_path

	Rank         int
	Alpha        float64
	RSLoRA       bool // scale is alpha/√rank
	RankPattern  Patterns
	AlphaPattern Patterns

	DoRA     bool
	KaSA     bool
	LoRABias bool
	Bias     string // "none", "all" or "lora_only"
	Init     string // init_lora_weights if it is a name, in lower case

	Targets          targets
	TargetParameters []string
	ModulesToSave    []string
	TokenIndices     []TokenIndices
	LayerReplication [][2]int
	TieWeights       bool // ensure_weight_tying: one set of factors serves the embedding and the head

	blocks *blockDiagonal // nil if no factor is
	object *strictjson.Object
}

// TokenIndices are the rows of an embedding that are trained, and the module
// they are of: empty for the input embedding, whatever its name.
type TokenIndices struct {
	Module string
	Rows   []int
}

// ParseConfig reads the text of an adapter_config.json. The order of keys counts:
// see [Patterns]. It returns an error wrapping [formats.ErrUnsupported] for
// settings that can't be merged, and for unknown ones that have a value.
func ParseConfig(data []byte) (*Config, error) {
	o, err := strictjson.ParseObject(data)
	if err != nil {
		if e, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
			return nil, &formats.Error{Offset: int64(e.Offset) + 1, Err: formats.Reasonf(formats.ErrFormat, "JSON: %s", e.Msg)}
		}
		return nil, err
	}
	c := &Config{object: o, Type: o.String("peft_type"), Base: o.String("base_model_name_or_path")}
	if !o.Has("peft_type") {
		return nil, formats.Reasonf(formats.ErrFormat, "it has no peft_type, so it is no adapter's configuration")
	}
	if err := checkType(c.Type); err != nil {
		return nil, err
	}
	if err := c.parseCommon(); err != nil {
		return nil, err
	}
	return c, tuners[c.Type].parse(c)
}

// parseCommon reads what all types of adapters have.
func (c *Config) parseCommon() (err error) {
	c.Bias = cmp.Or(c.object.String("bias"), "none")
	if c.Targets, err = parseTargets(c.object); err != nil {
		return err
	}
	c.ModulesToSave, err = c.strings("modules_to_save")
	return err
}

// parseLoRA reads what a LoRA has.
func (c *Config) parseLoRA() error {
	o := c.object
	for _, r := range refusals {
		if isSet(o.Get(r.key)) {
			return &formats.Error{Err: formats.Reasonf(formats.ErrUnsupported, "%s: %s", r.key, r.reason)}
		}
	}
	if err := checkKeys(o, loraKeys...); err != nil {
		return err
	}
	var err error
	if c.Rank, err = c.positive("r", 8); err != nil {
		return err
	}
	if c.Alpha, err = c.number("lora_alpha", 8); err != nil {
		return err
	}
	if err := c.parseScalePatterns(); err != nil {
		return err
	}
	c.RSLoRA, c.DoRA, c.LoRABias = o.Bool("use_rslora"), o.Bool("use_dora"), o.Bool("lora_bias")
	c.KaSA, c.TieWeights = o.Get("kasa_config") != nil, o.Bool("ensure_weight_tying")
	if c.Init, err = parseInit(o.Get("init_lora_weights")); err != nil {
		return err
	}
	if c.TargetParameters, err = c.strings("target_parameters"); err != nil {
		return err
	}
	if c.TokenIndices, err = parseTokenIndices(o.Get("trainable_token_indices")); err != nil {
		return err
	}
	if c.blocks, err = parseBlockDiagonal(o.Get("use_bdlora")); err != nil {
		return err
	}
	c.LayerReplication, err = parseReplication(o.Get("layer_replication"))
	return err
}

// parseScalePatterns reads rank_pattern and alpha_pattern.
func (c *Config) parseScalePatterns() (err error) {
	if c.RankPattern, err = parsePatterns("rank_pattern", c.object.Get("rank_pattern")); err != nil {
		return err
	}
	for _, p := range c.RankPattern {
		if p.value != math.Trunc(p.value) || p.value < 1 || p.value > 1<<30 {
			return formats.Reasonf(formats.ErrFormat, "rank_pattern: %v for %q is no rank", p.value, p.key)
		}
	}
	if c.AlphaPattern, err = parsePatterns("alpha_pattern", c.object.Get("alpha_pattern")); err != nil {
		return err
	}
	for _, p := range c.AlphaPattern {
		if math.IsNaN(p.value) || math.IsInf(p.value, 0) {
			return formats.Reasonf(formats.ErrFormat, "alpha_pattern: %v for %q is not finite", p.value, p.key)
		}
	}
	return nil
}

// rank returns the rank that the configuration gives a module.
func (c *Config) rank(module string) int {
	return int(c.RankPattern.lookup(module, float64(c.Rank)))
}

// Object returns the configuration as its file has it, which must not be changed.
func (c *Config) Object() *strictjson.Object { return c.object }

// TargetsParameter reports whether target_parameters lists a parameter, whose name
// is that of its module and its own. What patterns match is this name then, and not
// the module's.
func (c *Config) TargetsParameter(name string) bool {
	return slices.ContainsFunc(c.TargetParameters, func(p string) bool { return isOrEndsIn(name, p) })
}

// RankOf returns the rank that the configuration gives a module or parameter.
func (c *Config) RankOf(module string) int { return c.rank(module) }

// ScaleOf returns the factor of the product B·A of a module or parameter.
func (c *Config) ScaleOf(module string) float64 { return c.scale(module) }

// scale returns the factor of a module's product of factors: alpha/rank, or
// alpha/√rank for rank-stabilised adapters. Rank and alpha are looked up apart,
// so a rank of a pattern goes with the common alpha unless that has one too.
func (c *Config) scale(module string) float64 {
	rank, alpha := float64(c.rank(module)), c.AlphaPattern.lookup(module, c.Alpha)
	if c.RSLoRA {
		return alpha / math.Sqrt(rank)
	}
	return alpha / rank
}

// number returns a finite number.
func (c *Config) number(key string, otherwise float64) (float64, error) {
	if !c.object.Has(key) {
		return otherwise, nil
	}
	f, ok := c.object.Float(key)
	if !ok {
		return 0, formats.Reasonf(formats.ErrFormat, "%s is no number", key)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, formats.Reasonf(formats.ErrFormat, "%s is %v", key, f)
	}
	return f, nil
}

// positive returns a whole number above 0.
func (c *Config) positive(key string, otherwise int) (int, error) {
	if !c.object.Has(key) {
		return otherwise, nil
	}
	i, ok := c.object.Int(key)
	if !ok || i < 1 || i > 1<<30 {
		return 0, formats.Reasonf(formats.ErrFormat, "%s is %s, not a whole number above 0", key, preview(c.object.Get(key)))
	}
	return int(i), nil
}

// strings returns a list of strings, nil if there is none.
func (c *Config) strings(key string) ([]string, error) {
	list, err := stringList(c.object.Get(key))
	if err != nil {
		return nil, formats.Reasonf(formats.ErrFormat, "%s: %v", key, err)
	}
	return list, nil
}

func stringList(v strictjson.Value) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	a, ok := v.(strictjson.Array)
	if !ok {
		return nil, errors.New("no list")
	}
	list := make([]string, len(a))
	for i := range a {
		if list[i], ok = a[i].(string); !ok {
			return nil, errors.New("not all items are strings")
		}
	}
	return list, nil
}

// intList returns a list of whole numbers that are not negative.
func intList(v strictjson.Value) ([]int, error) {
	a, ok := v.(strictjson.Array)
	if !ok {
		return nil, errors.New("no list")
	}
	list := make([]int, len(a))
	for i := range a {
		n, _ := a[i].(strictjson.Number)
		x, ok := n.Int()
		if !ok || x < 0 || x > 1<<40 {
			return nil, errors.New("not all items are indices")
		}
		list[i] = int(x)
	}
	return list, nil
}

// parseTokenIndices reads trainable_token_indices: a list, for the input
// embedding, or an object of lists by module.
func parseTokenIndices(v strictjson.Value) ([]TokenIndices, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *strictjson.Object:
		var all []TokenIndices
		for _, m := range v.Members {
			rows, err := intList(m.Value)
			if err != nil {
				return nil, formats.Reasonf(formats.ErrFormat, "trainable_token_indices of %q: %v", m.Key, err)
			}
			all = append(all, TokenIndices{m.Key, rows})
		}
		return all, nil
	}
	rows, err := intList(v)
	if err != nil {
		return nil, formats.Reasonf(formats.ErrFormat, "trainable_token_indices: %v", err)
	}
	return []TokenIndices{{"", rows}}, nil
}

// parseReplication reads layer_replication: a list of ranges of layers.
func parseReplication(v strictjson.Value) ([][2]int, error) {
	if v == nil {
		return nil, nil
	}
	a, ok := v.(strictjson.Array)
	if !ok {
		return nil, formats.Reasonf(formats.ErrFormat, "layer_replication is no list")
	}
	var ranges [][2]int
	for _, item := range a {
		r, err := intList(item)
		if err != nil || len(r) != 2 || r[0] > r[1] || r[1] > 1<<16 {
			return nil, formats.Reasonf(formats.ErrFormat, "layer_replication: %s is no range of layers", preview(item))
		}
		ranges = append(ranges, [2]int{r[0], r[1]})
	}
	return ranges, nil
}

// parseInit reads init_lora_weights: a name in lower case, or "" for the usual
// one, which leaves the base alone.
func parseInit(v strictjson.Value) (string, error) {
	switch v := v.(type) {
	case nil, bool:
		return "", nil
	case string:
		return strings.ToLower(v), nil
	}
	return "", formats.Reasonf(formats.ErrFormat, "init_lora_weights is %s", preview(v))
}

// unsupported returns the error about a setting that can't be merged.
func unsupported(format string, args ...any) error {
	return formats.Reasonf(formats.ErrUnsupported, format, args...)
}

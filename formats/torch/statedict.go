package torch

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/loratool/loratool/formats"
)

// wrappers are the names under which training programs put the state dict into
// the dict that they save; the first that is there counts.
var wrappers = []string{"state_dict", "model_state_dict", "model_state", "params_ema", "params", "model", "module", "net"}

// besides are the names of what such a dict has beside the model: the state of
// the training.
var besides = []string{
	"optimizer", "optimizers", "optimizer_state", "optimizer_states", "optimizer_state_dict", "optim", "optim_state_dict",
	"scheduler", "lr_scheduler", "lr_schedulers", "scheduler_state_dict", "scaler", "scaler_state_dict", "amp",
	"ema", "ema_state_dict", "model_ema", "state_dict_ema", "callbacks", "loops", "rng_state", "cuda_rng_state", "random_rng_state",
	"hyper_parameters", "hparams", "args", "config",
}

const maxDepth = 64

// A walk visits what a pickle left.
type walk struct {
	in      *input
	visits  int // left: objects that share parts can unfold without end
	tensors []named
	seen    map[string]struct{}
}

type named struct {
	name   string
	tensor *tensor
}

// stateDict returns the tensors of a checkpoint. The state dict is the whole of
// it, or the entry of it that has one of the usual names (wrappers) while all
// else that holds tensors is training state; its name is then in the metadata,
// and so are those of the entries with tensors that are left out. Names of
// nested containers are joined by dots. What is no tensor is passed over.
func (m *machine) stateDict(v any) (tensors []named, meta formats.Metadata, err error) {
	w := &walk{in: m.in, visits: 4*m.opcodes + 1000, seen: map[string]struct{}{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *formats.Error:
			tensors, meta, err = nil, nil, e
		default:
			panic(e)
		}
	}()
	switch v.(type) {
	case *dict, *list, tuple:
	default:
		w.fail("", formats.ErrUnsupported, "the checkpoint is %s, not a state dict", kindOf(v))
	}
	if d, ok := v.(*dict); ok {
		if name, left := w.unwrap(d); name != "" {
			v = d.get(name)
			meta = formats.Metadata{{Key: "torch.state_dict", Value: name}}
			if len(left) > 0 {
				meta = append(meta, formats.KeyValue{Key: "torch.left_out", Value: strings.Join(left, ", ")})
			}
		}
	}
	w.collect("", v, 0)
	return w.tensors, meta, nil
}

// unwrap returns the name of the entry of d that is the state dict, if it is
// not d itself, and those of the others that hold tensors.
func (w *walk) unwrap(d *dict) (name string, left []string) {
	for _, n := range wrappers {
		if inner, ok := d.get(n).(*dict); ok && w.holdsTensors(inner, 0) {
			name = n
			break
		}
	}
	if name == "" {
		return "", nil
	}
	for _, e := range d.entries {
		if e.key == name || !w.holdsTensors(e.value, 0) {
			continue
		}
		key, ok := e.key.(string)
		if !ok || !slices.Contains(besides, key) && !slices.Contains(wrappers, key) {
			return "", nil
		}
		left = append(left, key)
	}
	return name, left
}

func (w *walk) visit(depth int) {
	if w.visits--; w.visits < 0 || depth > maxDepth {
		w.fail("", formats.ErrFormat, "its containers hold one another")
	}
}

func (w *walk) holdsTensors(v any, depth int) bool {
	w.visit(depth)
	switch v := v.(type) {
	case *tensor:
		return true
	case *dict:
		return slices.ContainsFunc(v.entries, func(e entry) bool { return w.holdsTensors(e.value, depth+1) })
	case *list:
		return slices.ContainsFunc(v.items, func(e any) bool { return w.holdsTensors(e, depth+1) })
	case tuple:
		return slices.ContainsFunc(v, func(e any) bool { return w.holdsTensors(e, depth+1) })
	}
	return false
}

// collect adds all tensors in v, whose name is given.
func (w *walk) collect(name string, v any, depth int) {
	w.visit(depth)
	join := func(key string) string {
		if depth == 0 {
			return key
		}
		return name + "." + key
	}
	switch v := v.(type) {
	case *tensor:
		w.add(name, v)
	case foreign:
		w.fail(name, formats.ErrUnsupported, "%s, which model files have no words for", kindOf(v))
	case *dict:
		for _, e := range v.entries {
			switch key := e.key.(type) {
			case string:
				w.collect(join(key), e.value, depth+1)
			case int64:
				w.collect(join(strconv.FormatInt(key, 10)), e.value, depth+1)
			default:
				if w.holdsTensors(e.value, depth+1) {
					w.fail(name, formats.ErrUnsupported, "a tensor under a key that is %s", kindOf(e.key))
				}
			}
		}
	case *list:
		for i, e := range v.items {
			w.collect(join(strconv.Itoa(i)), e, depth+1)
		}
	case tuple:
		for i, e := range v {
			w.collect(join(strconv.Itoa(i)), e, depth+1)
		}
	}
}

func (w *walk) add(name string, t *tensor) {
	if len(name) > maxName || !utf8.ValidString(name) {
		w.fail("", formats.ErrFormat, "%.100q is no name for a tensor: it is too long or not UTF-8", name)
	}
	if _, ok := w.seen[name]; ok {
		w.fail(name, formats.ErrFormat, "two tensors have this name")
	}
	w.seen[name] = struct{}{}
	w.tensors = append(w.tensors, named{name, t})
}

func (w *walk) fail(tensor string, kind error, format string, args ...any) {
	e := w.in.error(0, kind, format, args...)
	e.Offset, e.Tensor = 0, tensor
	panic(e)
}

package shrink

import (
	"context"
	"strings"

	"github.com/loratool/loratool/formats"
)

// roleOf returns the role of a tensor, and the name of its module.
func (p *plan) roleOf(t *formats.Tensor) (role, string) {
	if p.info.family == gptOss {
		if module, ok := gptOssExperts(t); ok {
			return experts, module
		}
	}
	return roleOf(t)
}

// gptOssExperts returns the module of a tensor of gpt-oss's experts.
func gptOssExperts(t *formats.Tensor) (module string, ok bool) {
	module, matrix := cutLast(t.Name)
	return module, strings.HasSuffix(module, ".experts") && (matrix == "gate_up_proj" || matrix == "down_proj") &&
		len(t.Shape) == 3 && t.DType.IsFloat() && formats.Decoder(t.DType) != nil
}

// checkGptOss returns an error unless both tensors of each module are quantized, or none:
// loaders convert modules.
func (p *plan) checkGptOss() error {
	types := map[string]Type{}
	for _, x := range p.report.Matrices {
		if _, ok := gptOssExperts(x.source); !ok {
			continue
		}
		if typ, seen := types[x.module]; seen && typ != x.Type {
			return &formats.Error{Path: p.model.Path, Tensor: x.Name, Err: formats.Reasonf(formats.ErrUnsupported,
				"one of the two tensors of these experts can't be in MXFP4, and loaders take both or none")}
		}
		types[x.module] = x.Type
	}
	return nil
}

// gptOssPlain lists the modules that loaders of gpt-oss must not convert.
func (p *plan) gptOssPlain() []string {
	names := []string{"model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"}
	last := ""
	for _, x := range p.report.Matrices {
		if _, ok := gptOssExperts(x.source); ok && x.Type == "" && x.module != last {
			names, last = append(names, x.module), x.module
		}
	}
	return names
}

// encodeGptOss returns the tensors of a stack of experts: see [readGptOss] for how they
// lie. A piece is an expert, of which some times 32 rows are read at a time: 32 make one
// group of each column.
func encodeGptOss(w weights, search bool) []*formats.Tensor {
	e, k, n := w.Shape[0], w.Shape[1], w.Shape[2]
	return formats.NewJoint(&turnedExperts{w, search}, e,
		part(w.Name+"_blocks", formats.U8, n*k/2, e, n, k/mxGroup, mxGroup/2),
		part(w.Name+"_scales", formats.U8, n*k/mxGroup, e, n, k/mxGroup)).Tensors
}

type turnedExperts struct {
	w      weights
	search bool
}

// turnedChunk is how many elements are read at a time if they are computed, such as from
// experts that lie turned round already: to decode few of their columns takes long.
const turnedChunk = 1 << 20

// groups returns how many groups of each column are read at a time.
func (t *turnedExperts) groups() int {
	if t.w.Rows.Scratch(1) == 0 {
		return 1
	}
	return min(max(1, turnedChunk/(mxGroup*t.w.NumCols())), t.w.Shape[1]/mxGroup)
}

func (t *turnedExperts) Scratch(int) int64 {
	const codes = mxGroup/2 + 1 + 4 // and scales, as bytes and numbers
	return t.w.scratch(t.groups()*mxGroup) + int64(4*mxGroup+codes)*int64(t.w.NumCols())
}

func (t *turnedExperts) ReadPieces(ctx context.Context, dst [][]byte, lo, hi int) error {
	k, n := t.w.Shape[1], t.w.Shape[2]
	groups := k / mxGroup
	return t.eachGroup(ctx, lo*groups, hi*groups, func(i int, codes, scales []byte, _ []float32) {
		expert, group := i/groups-lo, i%groups
		for c, s := range scales {
			at := (expert*n+c)*groups + group
			copy(dst[0][at*mxGroup/2:], codes[c*mxGroup/2:][:mxGroup/2])
			dst[1][at] = s
		}
	})
}

// eachGroup calls f with the codes and scales of the groups [lo, hi) of all columns, 32
// rows each, and with room for as many numbers.
func (t *turnedExperts) eachGroup(ctx context.Context, lo, hi int, f func(i int, codes, scales []byte, free []float32)) error {
	n := t.w.NumCols()
	y := formats.BorrowFloats(mxGroup * n)
	defer formats.ReturnFloats(y)
	codes, scales := formats.BorrowBytes(len(y)/2), formats.BorrowBytes(n)
	defer formats.ReturnBytes(codes)
	defer formats.ReturnBytes(scales)
	for i := lo; i < hi; {
		end := min(i+t.groups(), hi)
		x, err := t.w.read(ctx, i*mxGroup, end*mxGroup)
		if err != nil {
			return err
		}
		for rest := x; i < end; i, rest = i+1, rest[len(y):] {
			turn(y, rest[:len(y)], n)
			mxfp4(codes, scales, y, t.search)
			f(i, codes, scales, y)
		}
		formats.ReturnFloats(x)
	}
	return nil
}

// turn transposes rows of n numbers, some columns at a time so that what is written stays
// in the cache.
func turn(y, x []float32, n int) {
	const columns = 16
	rows := len(x) / n
	for c := 0; c < n; c += columns {
		for r := range rows {
			for i, v := range x[r*n+c : r*n+min(c+columns, n)] {
				y[(c+i)*rows+r] = v
			}
		}
	}
}

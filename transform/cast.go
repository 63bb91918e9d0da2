package transform

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"regexp"
	"sync/atomic"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/kernels"
)

// A CastReport says what a cast does to each tensor. Its counts are complete once
// the model has been written.
type CastReport struct {
	Tensors []*CastTensor `json:"tensors"`
}

// A CastTensor is a line of a [CastReport].
type CastTensor struct {
	Name     string
	From, To formats.DType // equal if the tensor is copied
	Kept     string        // why a tensor of floating-point numbers is copied all the same
	Elements int

	overflow, flushed atomic.Int64
}

// Overflow returns how many finite numbers became infinite.
func (c *CastTensor) Overflow() int64 { return c.overflow.Load() }

// Flushed returns how many numbers other than zero became zero.
func (c *CastTensor) Flushed() int64 { return c.flushed.Load() }

// MarshalJSON returns the line with its counts.
func (c *CastTensor) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name     string        `json:"name"`
		From     formats.DType `json:"from"`
		To       formats.DType `json:"to"`
		Kept     string        `json:"kept,omitempty"`
		Elements int           `json:"elements"`
		Overflow int64         `json:"overflow"`
		Flushed  int64         `json:"flushed"`
	}{c.Name, c.From, c.To, c.Kept, c.Elements, c.Overflow(), c.Flushed()})
}

// keptInF32 are parameters that models compute with in float32 even when the
// rest is of half precision: their range or their small steps matter. A
// checkpoint that has them in float32 has a reason.
var keptInF32 = regexp.MustCompile(`(^|\.)(A_log|dt_bias|time_decay|e_score_correction_bias|query_tokens)$|(^|\.)indexer\.weights_proj\.weight$`)

// Cast returns the model with its tensors of floating-point numbers in format d:
// F32, F16 or BF16, each rounded once, to nearest even, also from F64. Other
// tensors stay as they are, and so do the few that models keep in F32 (A_log,
// dt_bias, router biases). config.json names the new format.
//
// It returns an error wrapping [formats.ErrUnsupported] if the checkpoint is
// quantized, because its numbers mean nothing without their scales.
func Cast(m *formats.Model, d formats.DType) (*formats.Model, *CastReport, error) {
	if d != formats.F32 && d != formats.F16 && d != formats.BF16 {
		return nil, nil, formats.Reasonf(formats.ErrUnsupported, "can't cast to %v: F32, F16 and BF16 are the formats to cast to", d)
	}
	config, err := hf.Config(m)
	if err != nil {
		return nil, nil, err
	}
	if q := config.Object("quantization_config"); q != nil {
		return nil, nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"the checkpoint is quantized (quant_method %q)", q.String("quant_method"))}
	}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
	report := &CastReport{}
	for _, t := range m.Tensors {
		c := &CastTensor{Name: t.Name, From: t.DType, To: d, Elements: t.NumElements()}
		switch {
		case !t.DType.IsFloat() || formats.Decoder(t.DType) == nil:
			c.To = t.DType
		case t.DType == formats.F32 && keptInF32.MatchString(t.Name):
			c.To, c.Kept = t.DType, "models compute with it in float32"
		}
		report.Tensors = append(report.Tensors, c)
		if c.To == t.DType {
			out.Tensors = append(out.Tensors, t)
			continue
		}
		info := t.Info
		info.DType = d
		out.Tensors = append(out.Tensors, &formats.Tensor{Info: info, Rows: &castRows{t, d, c}})
	}
	if config != nil {
		hf.SetDType(config, d)
		out.Files = hf.WithConfig(out.Files, config)
	}
	return out, report, nil
}

// castRows are the rows of a tensor, rounded to another number format.
type castRows struct {
	from *formats.Tensor
	to   formats.DType
	line *CastTensor
}

func (c *castRows) Scratch(n int) int64 {
	return 4*int64(n)*int64(c.from.NumCols()) + c.from.FloatScratch(n)
}

func (c *castRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if c.from.DType == formats.F64 {
		return c.readF64(ctx, dst, lo, hi)
	}
	x := formats.BorrowFloats((hi - lo) * c.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := c.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	var overflow, flushed int
	switch c.to {
	case formats.F16:
		overflow, flushed = kernels.CountF16(x)
	case formats.BF16:
		overflow, flushed = kernels.CountBF16(x)
	}
	c.line.overflow.Add(int64(overflow))
	c.line.flushed.Add(int64(flushed))
	formats.Encoder(c.to)(dst, x)
	return nil
}

// readF64 rounds from float64 at once: by way of float32 there would be two
// roundings.
func (c *castRows) readF64(ctx context.Context, dst []byte, lo, hi int) error {
	raw := formats.BorrowBytes((hi - lo) * int(c.from.RowBytes()))
	defer formats.ReturnBytes(raw)
	if err := c.from.ReadRows(ctx, raw, lo, hi); err != nil {
		return err
	}
	switch c.to {
	case formats.F32:
		kernels.F64ToF32(dst, raw)
	case formats.F16:
		kernels.F64ToF16(dst, raw)
	case formats.BF16:
		kernels.F64ToBF16(dst, raw)
	}
	x := formats.BorrowFloats(len(raw) / 8)
	defer formats.ReturnFloats(x)
	formats.Decoder(c.to)(x, dst)
	var overflow, flushed int64
	for i, y := range x {
		v := math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		switch {
		case math.IsInf(float64(y), 0) && !math.IsInf(v, 0):
			overflow++
		case y == 0 && v != 0:
			flushed++
		}
	}
	c.line.overflow.Add(overflow)
	c.line.flushed.Add(flushed)
	return nil
}

package shrink

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// GPTQ keeps a matrix P.weight of shape [N, K] turned round:
//
//	P.qweight  I32 [K·bits/32, N]: the codes of a column, from the lowest bit on
//	P.qzeros   I32 [groups, N·bits/32]: zeros of a row, less one in the format gptq, not in gptq_v2
//	P.scales   F16 [groups, N]
//	P.g_idx    I32 [K]: the group of each input; k/group_size if it is missing
//
//	w[n][k] = scales[g][n] · (code[k][n] − zero[g][n])
func readGPTQ(r *reader) error {
	bits, group, err := r.packedFormat()
	if err != nil {
		return err
	}
	less := 1
	if strings.HasSuffix(r.quantization.String("checkpoint_format"), "v2") {
		less = 0
	}
	r.source.Scheme = "GPTQ"
	return r.eachPacked(func(p string, codes *formats.Tensor) error {
		k, n := codes.Shape[0]*32/bits, codes.Shape[1]
		c := &columns{computing: computing(r.source.DType), n: n, k: k, bits: bits, group: group, codes: codes, along: true, less: less}
		if r.model.Tensor(p+".g_idx") != nil {
			if c.index, err = r.state(p+".g_idx", k, formats.I32, formats.I64); err != nil {
				return err
			}
		}
		return r.replacePacked(p, c)
	})
}

// AWQ ("gemm") keeps a matrix P.weight of shape [N, K] turned round too, but packs
// along the other side:
//
//	P.qweight  I32 [K, N/8]: code i of a word is that of column 8c + {0, 2, 4, 6, 1, 3, 5, 7}[i]
//	P.qzeros   I32 [K/group, N/8], in the same order
//	P.scales   F16 [K/group, N]
//
//	w[n][k] = scales[k/group][n] · (code[k][n] − zero[k/group][n])
func readAWQ(r *reader) error {
	bits, group, err := r.packedFormat()
	if err != nil {
		return err
	}
	if version := strings.ToLower(r.quantization.String("version")); bits != 4 || version != "" && version != "gemm" {
		return &formats.Error{Err: formats.Reasonf(formats.ErrUnsupported, "AWQ %q of %d bits", version, bits)}
	}
	r.source.Scheme = "AWQ"
	return r.eachPacked(func(p string, codes *formats.Tensor) error {
		k, n := codes.Shape[0], codes.Shape[1]*8
		return r.replacePacked(p, &columns{computing: computing(r.source.DType), n: n, k: k, bits: 4, group: group, codes: codes})
	})
}

// awqOrder is the place of each column in a word.
var awqOrder = [8]int{0, 4, 1, 5, 2, 6, 3, 7}

// packedFormat reads bits and group size.
func (r *reader) packedFormat() (bits, group int, err error) {
	b, _ := r.quantization.Int("bits")
	g, _ := r.quantization.Int("group_size")
	if b != 2 && b != 4 && b != 8 {
		return 0, 0, &formats.Error{Err: formats.Reasonf(formats.ErrUnsupported, "%s of %d bits", strings.ToUpper(r.source.Method), b)}
	}
	if g < -1 || g == 0 || g > 1<<20 {
		return 0, 0, &formats.Error{Err: formats.Reasonf(formats.ErrFormat, "config.json: group_size is %d", g)}
	}
	return int(b), int(g), nil
}

func (r *reader) eachPacked(f func(p string, codes *formats.Tensor) error) error {
	for _, t := range r.model.Tensors {
		p, ok := strings.CutSuffix(t.Name, ".qweight")
		if !ok {
			continue
		}
		if t.DType != formats.I32 || len(t.Shape) != 2 || t.NumElements() == 0 {
			return invalid(t.Name, "%v are no packed codes", &t.Info)
		}
		if err := f(p, t); err != nil {
			return err
		}
	}
	return nil
}

// replacePacked finds scales and zeros, and puts the plain matrix in place.
func (r *reader) replacePacked(p string, c *columns) (err error) {
	if c.group == -1 {
		c.group = c.k
	}
	c.groups = (c.k + c.group - 1) / c.group
	if c.scales, err = r.state(p+".scales", c.groups*c.n, formats.F16, formats.BF16, formats.F32); err != nil {
		return err
	}
	if c.n*c.bits%32 != 0 {
		return invalid(c.codes.Name, "the zeros of %d columns of %d bits do not fill words", c.n, c.bits)
	}
	if c.zeros, err = r.state(p+".qzeros", c.groups*c.n*c.bits/32, formats.I32); err != nil {
		return err
	}
	r.replace(c.codes, p+".weight", []int{c.n, c.k}, c)
	return nil
}

// columns are the rows of a matrix that is stored turned round, in words of codes.
type columns struct {
	computing
	n, k, bits    int
	group, groups int
	codes         *formats.Tensor
	zeros, scales *formats.Tensor
	index         *formats.Tensor // group of each of the k; nil for k/group
	along         bool            // words go along k, as GPTQ's; otherwise along n, as AWQ's
	less          int             // by how much zeros are stored too small
}

func (c *columns) Scratch(n int) int64 {
	n += 2 * 32 / c.bits
	perRow := int64(c.k)*int64(c.bits)/8 + int64(c.groups)*14 // codes, and scales and zeros of all groups
	return int64(n)*(4*int64(c.k)+perRow) + 16*int64(c.k)
}

func (c *columns) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	per := 32 / c.bits
	from, to := lo/per*per, (hi+per-1)/per*per // of whole words
	index, err := c.readIndex(ctx)
	if err != nil {
		return err
	}
	s, z, err := c.readGroups(ctx, from, to)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(s)
	defer formats.ReturnFloats(z)
	w, err := c.readCodes(ctx, from, to)
	if err != nil {
		return err
	}
	defer formats.ReturnBytes(w)
	x := formats.BorrowFloats((hi - lo) * c.k)
	defer formats.ReturnFloats(x)
	width, mask := to-from, uint32(1)<<c.bits-1
	for k := range c.k {
		g := k / c.group
		if index != nil {
			g = index[k]
		}
		for n := lo; n < hi; n++ {
			var word uint32
			var place int
			if c.along {
				word, place = binary.LittleEndian.Uint32(w[4*(k/per*width+n-from):]), k%per
			} else {
				word, place = binary.LittleEndian.Uint32(w[4*(k*width/per+(n-from)/per):]), awqOrder[n%per]
			}
			code := word >> (place * c.bits) & mask
			at := g*width + n - from
			x[(n-lo)*c.k+k] = (float32(code) - z[at]) * s[at]
		}
	}
	kernels.EncodeF32(dst, x)
	return nil
}

// readCodes reads the words with the codes of the columns [from, to).
func (c *columns) readCodes(ctx context.Context, from, to int) ([]byte, error) {
	per, rows := 32/c.bits, c.codes.Shape[0]
	a, b := 4*from, 4*to
	if !c.along {
		a, b = 4*from/per, 4*to/per
	}
	w := formats.BorrowBytes(rows * (b - a))
	return w, readRectangle(ctx, c.codes, w, 0, rows, int(c.codes.RowBytes()), a, b)
}

// readGroups reads scales and zeros of the columns [from, to).
func (c *columns) readGroups(ctx context.Context, from, to int) (s, z []float32, err error) {
	width, size, per := to-from, c.scales.DType.BlockBytes(), 32/c.bits
	raw := formats.BorrowBytes(c.groups * width * size)
	defer formats.ReturnBytes(raw)
	if err := readRectangle(ctx, c.scales, raw, 0, c.groups, c.n*size, from*size, to*size); err != nil {
		return nil, nil, err
	}
	s = formats.BorrowFloats(c.groups * width)
	formats.Decoder(c.scales.DType)(s, raw)
	if i := kernels.FirstNonFinite(s); i >= 0 {
		return nil, nil, c.scales.Error(formats.Reasonf(formats.ErrFormat, "the scale of group %d, column %d is %v", i/width, from+i%width, s[i]))
	}
	packed := formats.BorrowBytes(4 * c.groups * width / per)
	defer formats.ReturnBytes(packed)
	if err := readRectangle(ctx, c.zeros, packed, 0, c.groups, c.n/per*4, from/per*4, to/per*4); err != nil {
		return nil, nil, err
	}
	z = formats.BorrowFloats(c.groups * width)
	mask := uint32(1)<<c.bits - 1
	for i := range z {
		place := i % per
		if !c.along {
			place = awqOrder[i%per]
		}
		zero := binary.LittleEndian.Uint32(packed[i/per*4:]) >> (place * c.bits) & mask
		z[i] = float32(zero + uint32(c.less))
	}
	return s, z, nil
}

// readIndex reads the group of each input, or returns nil if they follow in order.
func (c *columns) readIndex(ctx context.Context) ([]int, error) {
	if c.index == nil {
		return nil, nil
	}
	raw := formats.BorrowBytes(int(c.index.NumBytes()))
	defer formats.ReturnBytes(raw)
	if err := readBytes(ctx, c.index, raw, 0); err != nil {
		return nil, err
	}
	index := make([]int, c.k)
	for i := range index {
		if c.index.DType == formats.I64 {
			index[i] = int(int64(binary.LittleEndian.Uint64(raw[8*i:])))
		} else {
			index[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		}
		if index[i] < 0 || index[i] >= c.groups {
			return nil, c.index.Error(formats.Reasonf(formats.ErrFormat, "input %d is of group %d, but there are %d groups", i, index[i], c.groups))
		}
	}
	return index, nil
}

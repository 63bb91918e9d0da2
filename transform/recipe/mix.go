package recipe

import (
	"slices"

	"github.com/loratool/loratool/formats"
)

// A mix applies the rules of a file type to the tensors of a model, one after the
// other. Counters say how many of a kind there were before: layers are told by
// them, and not by names, except where there are experts.
type mix struct {
	options Options
	arch    Architecture
	tied    bool // there is no output.weight: the token embedding is used for both
	numV    int  // tensors with the values of attention

	v, gate, up, down int
}

func newMix(tensors []formats.Info, a Architecture, o Options) *mix {
	m := &mix{options: o, arch: a, tied: true}
	for i := range tensors {
		c := categoryOf(tensors[i].Name)
		if c == output {
			m.tied = false
		}
		if c.isV() {
			m.numV++
		}
	}
	return m
}

// next returns the format that the mix has for the next tensor.
func (m *mix) next(info *formats.Info, c category) (formats.DType, error) {
	f, base := m.options.FType, m.options.FType.DType()
	if m.arch.Name == glm5 && containsAny(info.Name, []string{"attn_q_a", "attn_q_b", "nextn.eh_proj"}) {
		return formats.Q8_0, nil
	}
	switch {
	case c == output || c == tokenEmbedding && m.tied:
		return m.output(info), nil
	case f == MXFP4_MOE:
		return m.mxfp4(info, c), nil
	case c == tokenEmbedding:
		return m.tokenEmbedding(), nil
	case f.in(IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ2_M):
		return m.lowBits(c), nil
	case c.isV():
		return m.values(), nil
	case c == attnK && m.arch.Experts == 8:
		return formats.Q8_0, nil
	case c == attnK || c == attnQ:
		switch f {
		case IQ3_XS:
			return formats.IQ3_XXS, nil
		case IQ3_XXS:
			return formats.IQ2_S, nil
		}
		return base, nil
	case c == attnOutput:
		return m.attnOutput(), nil
	case c == ffnDown:
		layer, err := m.layer(info, m.down)
		m.down++
		return m.ffnDown(layer), err
	case c == ffnGate:
		layer, err := m.layer(info, m.gate)
		m.gate++
		return m.ffnIn(layer), err
	case c == ffnUp:
		layer, err := m.layer(info, m.up)
		m.up++
		return m.ffnIn(layer), err
	}
	return base, nil
}

// layer returns the layer of a tensor of which count came before.
func (m *mix) layer(info *formats.Info, count int) (int, error) {
	if m.arch.Experts <= 1 {
		return count, nil
	}
	layer := Layer(info.Name)
	if layer < 0 || layer >= m.arch.Layers {
		return 0, formats.Reasonf(formats.ErrFormat, "its name has no layer of the model's %d", m.arch.Layers)
	}
	return layer, nil
}

// moreBits reports whether layer i of n is one of those that matter more: the
// first and the last eighth, and every third between.
func moreBits(i, n int) bool {
	return i < n/8 || i >= 7*n/8 || (i-n/8)%3 == 2
}

// output returns the format of what gives the probabilities of tokens.
func (m *mix) output(info *formats.Info) formats.DType {
	f, base := m.options.FType, m.options.FType.DType()
	switch {
	case m.options.OutputType != formats.Invalid:
		return m.options.OutputType
	case f == MXFP4_MOE, m.arch.Name == "falcon", info.Shape[len(info.Shape)-1]%base.BlockLen() != 0, base == formats.Q8_0:
		return formats.Q8_0
	case f.in(IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ2_M, IQ3_XXS):
		return formats.Q5_K
	}
	return formats.Q6_K
}

// mxfp4 returns MXFP4 for experts.
func (m *mix) mxfp4(info *formats.Info, c category) formats.DType {
	isFFN := slices.Contains([]category{ffnUp, ffnGate, ffnDown}, c)
	if numDims(info) >= 3 && (m.arch.Name != "bailingmoe3" || isFFN) {
		return formats.MXFP4
	}
	return formats.Q8_0
}

func (m *mix) tokenEmbedding() formats.DType {
	switch f := m.options.FType; {
	case f.in(IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS):
		return formats.Q2_K
	case f.in(IQ2_S, IQ2_M, IQ3_XXS):
		return formats.IQ3_S
	case f.in(TQ1_0, TQ2_0, Q2_0):
		return formats.Q4_K
	}
	return m.options.FType.DType()
}

// lowBits returns the format in the mixes of two bits and less.
func (m *mix) lowBits(c category) formats.DType {
	f, base := m.options.FType, m.options.FType.DType()
	better := formats.Q2_K
	if f.in(IQ2_S, IQ2_M) {
		better = formats.IQ3_S
	}
	switch {
	case c.isV():
		if m.arch.queriesPerKey() >= 4 || m.arch.Experts >= 4 {
			return formats.Q4_K
		}
		return better
	case c == attnK && m.arch.Experts == 8:
		return formats.Q4_K
	case c == ffnDown:
		m.down++
		if m.down-1 < m.arch.Layers/8 {
			return better
		}
	case c == attnOutput:
		switch {
		case m.arch.Experts == 8:
			return formats.Q5_K
		case f.in(IQ1_S, IQ1_M):
			return formats.IQ2_XXS
		case f.in(IQ2_S, IQ2_M):
			return formats.IQ3_S
		}
	}
	return base
}

// values returns the format of the values of attention.
func (m *mix) values() formats.DType {
	f, d := m.options.FType, m.options.FType.DType()
	i := m.v
	m.v++
	grouped := m.arch.queriesPerKey() >= 4 // so that the tensor is small
	switch {
	case f == Q2_K && !grouped:
		d = formats.Q3_K
	case f.in(Q2_K, Q2_K_S, IQ3_XXS, IQ3_XS, IQ3_S) && grouped, f == IQ3_M:
		d = formats.Q4_K
	case f == IQ3_XXS && !m.options.HasImatrix:
		d = formats.IQ3_S
	case f == Q3_K_M && i < 2, f == Q3_K_L, f.in(IQ4_NL, IQ4_XS) && grouped, f == Q4_K_S && i < 4:
		d = formats.Q5_K
	case f == Q3_K_M:
		d = formats.Q4_K
	case f.in(Q4_K_M, Q5_K_M) && moreBits(i, m.numV):
		d = formats.Q6_K
	}
	if m.arch.is70B() && (d == formats.Q3_K || d == formats.Q4_K) {
		d = formats.Q5_K
	}
	if m.arch.Experts == 8 {
		d = formats.Q8_0 // small beside the experts
	}
	return d
}

// ffnDown returns the format of the second matrix of layer i's feed-forward network.
func (m *mix) ffnDown(i int) formats.DType {
	f, n := m.options.FType, m.arch.Layers
	falcon := m.arch.Name == "falcon"
	first := i < n/8
	switch f {
	case Q2_K:
		return formats.Q3_K
	case Q2_K_S:
		if first {
			return formats.Q4_K
		}
	case IQ3_XXS:
		switch {
		case m.options.HasImatrix:
		case first:
			return formats.Q4_K
		default:
			return formats.Q3_K
		}
	case Q3_K_M:
		switch {
		case i < n/16:
			return formats.Q5_K
		case !falcon || moreBits(i, n):
			return formats.Q4_K
		}
		return formats.Q3_K
	case IQ3_M:
		if first || m.arch.Experts == 8 && moreBits(i, n) {
			return formats.Q4_K
		}
	case Q3_K_L:
		if falcon {
			return formats.Q4_K
		}
		return formats.Q5_K
	case Q4_K_M:
		switch {
		case falcon && i < n/16, !falcon && moreBits(i, n):
			return formats.Q6_K
		case moreBits(i, n):
			return formats.Q5_K
		}
	case IQ4_NL, IQ4_XS:
		if first && !m.options.HasImatrix {
			return formats.Q5_K
		}
	case Q5_K_M:
		if moreBits(i, n) {
			return formats.Q6_K
		}
	case Q4_K_S:
		if first && !falcon {
			return formats.Q5_K
		}
	case Q4_0:
		if first && m.options.HasImatrix {
			return formats.Q4_1
		}
	case Q5_0:
		if first && m.options.HasImatrix {
			return formats.Q5_1
		}
	}
	return f.DType()
}

// ffnIn returns the format of the matrices that layer i's feed-forward network
// begins with.
func (m *mix) ffnIn(i int) formats.DType {
	n := m.arch.Layers
	if m.options.FType == IQ3_XS && i >= n/8 && i < 7*n/8 {
		return formats.IQ3_XXS
	}
	return m.options.FType.DType()
}

func (m *mix) attnOutput() formats.DType {
	f := m.options.FType
	switch {
	case m.arch.Name == "falcon":
		if f == Q3_K_L {
			return formats.Q4_K
		}
	case m.arch.Experts == 8:
		if f.in(Q2_K, Q3_K_S, Q3_K_M, Q4_K_S, Q4_K_M, IQ3_XXS, IQ3_XS, IQ3_S, IQ3_M, IQ4_NL, IQ4_XS) {
			return formats.Q5_K
		}
	default:
		switch f {
		case Q2_K:
			return formats.Q3_K
		case IQ3_XXS:
			return formats.IQ3_S
		case Q3_K_M, IQ3_M:
			return formats.Q4_K
		case Q3_K_L:
			return formats.Q5_K
		}
	}
	return f.DType()
}

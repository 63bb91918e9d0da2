package shrink

import "github.com/loratool/loratool/formats"

// Round returns the model with what was decoded rounded to nearest even to the
// number format of [ComputeDType]: the numbers that loaders compute with.
func Round(m *formats.Model) *formats.Model {
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
	for _, t := range m.Tensors {
		if d := ComputeDType(t); d != formats.Invalid {
			t = formats.Encoded(t, d)
		}
		out.Tensors = append(out.Tensors, t)
	}
	return out
}

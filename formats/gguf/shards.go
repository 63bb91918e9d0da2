package gguf

import (
	"slices"

	"github.com/loratool/loratool/formats"
)

// Shards returns which of the model's files each of the tensors lies in, for
// LayoutOptions.Shards. They must be tensors of a model that [Open] returned.
func Shards(m *formats.Model, tensors []*formats.Tensor) []int {
	shards := make([]int, len(tensors))
	for i, t := range tensors {
		shards[i] = slices.Index(m.Inputs, fileOf(t))
	}
	return shards
}

func fileOf(t *formats.Tensor) *formats.File {
	switch rows := t.Rows.(type) {
	case *formats.Extent:
		return rows.File
	case *swapped:
		return rows.File
	}
	return nil
}

// Package transform is what can be done to models: merging adapters, extracting
// them, quantizing, comparing, and writing the result.
//
// A transformation is a function from models to a model that reads nothing but
// headers. [Write] then pulls the rows of the last model through all of them:
//
//	merged, report, err := transform.Merge(base, adapters, transform.MergeOptions{})
//	layout, err := hf.Layout(merged, hf.LayoutOptions{})
//	err = transform.Write(ctx, layout, "out", transform.Options{})
//
// [Merge], [Cast] and [Quantize] are such functions. [Extract] reads two models
// as a whole to find the layout of an adapter, [Spectrum] to say what there is to
// extract. [Inspect], [Diff], [Verify] and [Sums] only look. Models are opened by
// package hf, and adapters by package adapter.
//
// [Options] say how much memory and how many workers a run may take, and whom to
// tell of its progress. The result does not depend on them, nor on the machine.
package transform

// Package transform is what can be done to models: merging adapters, extracting
// them, quantizing, comparing, and writing the result.
//
// A transformation is a function from models to a model that reads nothing but
// headers. [Write] then pulls the rows of the last model through all of them:
//
//	merged, err := transform.Merge(base, adapters, transform.MergeOptions{})
//	layout, err := hf.Layout(merged, hf.LayoutOptions{})
//	err = transform.Write(ctx, layout, "out", transform.Options{})
//
// The output does not depend on the number of workers, on the memory, or on the
// machine.
package transform

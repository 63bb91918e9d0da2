// Package formatstest has what the tests of readers, writers and stages share:
// [Check] holds a model to all that package formats promises of one, whatever it
// comes from; [Sweep] makes every read of a file fail in turn; [Random] makes
// models to be written and read again; [Bytes] gives a file of a layout without
// a disk; [Same] and [Digest] compare models.
package formatstest

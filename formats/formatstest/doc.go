// Package formatstest has what the tests of readers, writers and stages share:
// [Check] holds a model to all that package formats promises of one, whatever it
// comes from; [Random] makes models to be written and read again; and [Bytes]
// gives a file of a layout without a disk.
package formatstest

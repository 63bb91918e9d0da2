package formats

import (
	"bytes"
	"os"
)

// impostors are things that stand in the place of model files, by how they begin.
var impostors = []struct{ prefix, what, hint string }{
	{"version https://git-lfs", "a git-lfs pointer, not the file itself", "fetch the real file with `git lfs pull`, or with `hf download`"},
	{"<!doctype html", "an HTML page, not a model file", "the download got an error or a login page; download it again"},
	{"<html", "an HTML page, not a model file", "the download got an error or a login page; download it again"},
	{"<?xml", "an XML page, not a model file", "the download got an error page; download it again"},
	{`{"error"`, "a JSON error message, not a model file", "the download failed; download it again"},
	{"Invalid username or password", "an error message, not a model file", "the download failed; log in and download it again"},
	{"Access to model", "an error message, not a model file", "the model is gated: accept its licence, log in, and download it again"},
	{"Entry not found", "an error message, not a model file", "the download failed; check the name and download it again"},
	{"\x1f\x8b", "a gzip archive", "unpack it first"},
	{"\xfd7zXZ", "an xz archive", "unpack it first"},
	{"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"},
	{"\x89HDF", "an HDF5 file, as Keras writes it", "convert it to safetensors with the library that wrote it"},
	{"\x93NUMPY", "a NumPy array", "convert it to safetensors first"},
}

// recognize returns an error if head, the beginning of a file, is that of
// something people often have in place of a model.
func recognize(path string, head []byte) error {
	if len(head) == 0 {
		return &Error{Path: path, Err: Reasonf(ErrTruncated, "the file is empty"), Hint: downloadHint(path)}
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return &Error{Path: path, Err: Reasonf(ErrFormat, "the file begins with zeros, as a download that was cut off does"), Hint: downloadHint(path)}
	}
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	for _, im := range impostors {
		if len(text) >= len(im.prefix) && bytes.EqualFold(text[:len(im.prefix)], []byte(im.prefix)) {
			return &Error{Path: path, Err: Reasonf(ErrFormat, "%s", im.what), Hint: im.hint}
		}
	}
	return nil
}

// downloadHint returns what to do about a file that is not whole.
func downloadHint(path string) string {
	for _, ext := range []string{".incomplete", ".part", ".aria2", ".crdownload"} {
		if _, err := os.Lstat(path + ext); err == nil {
			return "a download of it is still under way or was cut off (" + ext + " is beside it)"
		}
	}
	return "download it again"
}

// Truncated returns an error wrapping [ErrTruncated] about a file that is
// shorter than its header says, with what to do about it.
func Truncated(path string, want, have int64) error {
	return &Error{Path: path, Err: Reasonf(ErrTruncated,
		"the header speaks of %d bytes, but the file has %d: it was cut off", want, have), Hint: downloadHint(path)}
}

package hf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/loratool/loratool/formats"
)

// repoName is what a model is called on the hub, org/name or an old bare name,
// with a revision perhaps.
var repoName = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)(?:@(.+))?$`)

// Resolve returns the path that a reference means: the reference itself if
// something of that name exists here, or the folder of the newest local snapshot
// of org/name, org/name@revision or hf://org/name@revision in the hub's cache.
// It returns an error wrapping [fs.ErrNotExist] if there is neither.
func Resolve(ref string) (string, error) {
	name, explicit := strings.CutPrefix(ref, "hf://")
	if !explicit {
		if _, err := os.Stat(ref); err == nil {
			return ref, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", &formats.Error{Path: ref, Err: pathCause(err)}
		}
	}
	m := repoName.FindStringSubmatch(name)
	if m == nil {
		return "", &formats.Error{Path: ref, Err: notExist("no such file or folder")}
	}
	path, err := snapshot(ref, m[1], m[2], m[3])
	if info, statErr := os.Stat(m[1]); !explicit && errors.Is(err, fs.ErrNotExist) && statErr == nil && info.IsDir() {
		return "", &formats.Error{Path: ref, Err: notExist("no such file or folder, nor in the Hugging Face cache")}
	}
	return path, err
}

// snapshot finds the folder of a revision, main if it is empty, in the cache.
// It never picks a snapshot that the revision does not name.
func snapshot(ref, org, name, revision string) (string, error) {
	repo := filepath.Join(cacheDir(os.Getenv), "models--"+org+"--"+name)
	download := org + "/" + name
	if revision == "" {
		revision = "main"
	} else {
		download += " --revision " + revision
	}
	hint := "get it with `hf download " + download + "`; loratool itself never uses the network"
	if _, err := os.Stat(repo); err != nil {
		return "", &formats.Error{Path: ref, Hint: hint,
			Err: notExist("neither a file or folder here nor a model in the Hugging Face cache (" + filepath.Dir(repo) + ")")}
	}
	commit := revision
	if filepath.IsLocal(filepath.FromSlash(revision)) {
		if data, err := os.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(revision))); err == nil {
			commit = strings.TrimSpace(string(data))
		}
	}
	if commit == "" || strings.ContainsAny(commit, `/\`) || !filepath.IsLocal(commit) {
		return "", &formats.Error{Path: ref, Hint: hint, Err: notExist("the Hugging Face cache has no revision " + revision + " of it")}
	}
	dir := filepath.Join(repo, "snapshots", commit)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", &formats.Error{Path: ref, Hint: hint, Err: notExist("the Hugging Face cache has no snapshot of revision " + revision + " of it")}
	}
	return dir, nil
}

// cacheDir returns the folder of the hub's cache, as the hub's own library finds
// it from the environment.
func cacheDir(getenv func(string) string) string {
	for _, v := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if dir := getenv(v); dir != "" {
			return expand(dir, getenv)
		}
	}
	if dir := getenv("HF_HOME"); dir != "" {
		return filepath.Join(expand(dir, getenv), "hub")
	}
	base := getenv("XDG_CACHE_HOME")
	if base == "" {
		base = "~/.cache"
	}
	return filepath.Join(expand(base, getenv), "huggingface", "hub")
}

// expand replaces a leading ~ and $VARIABLES.
func expand(path string, getenv func(string) string) string {
	path = os.Expand(path, getenv)
	if path == "~" || strings.HasPrefix(path, "~/") {
		home := getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		path = home + path[1:]
	}
	return path
}

// notExist is an error with a text of its own that is fs.ErrNotExist.
func notExist(text string) error { return formats.Reasonf(fs.ErrNotExist, "%s", text) }

// pathCause strips what os says about the path, which the message names already.
func pathCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

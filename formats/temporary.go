package formats

import (
	"os"
	"sync"
)

// temporaries are the names of what this process is writing, and whether any
// output got its name.
var temporaries = struct {
	sync.Mutex
	paths     map[string]bool
	committed bool
}{paths: map[string]bool{}}

// RemoveTemporaries removes what this process is writing and keeps it from
// committing anything afterwards: it is for a program that ends at once while
// its writers are held up, by a disk that is slow to flush for one. It does
// nothing and returns false where an output has got its name and no other is
// being written: then the process has done its work, and is about to say so.
func RemoveTemporaries() (removed bool) {
	temporaries.Lock()
	if temporaries.committed && len(temporaries.paths) == 0 {
		temporaries.Unlock()
		return false
	}
	// Locked for good: a rename during the removal would show half an output.
	for path := range temporaries.paths {
		os.RemoveAll(path)
	}
	return true
}

func rememberTemporary(path string) {
	temporaries.Lock()
	defer temporaries.Unlock()
	temporaries.paths[path] = true
}

func forgetTemporary(path string) {
	temporaries.Lock()
	defer temporaries.Unlock()
	delete(temporaries.paths, path)
}

// replaceTemporary is replace, unless temporaries are being removed.
func replaceTemporary(temp, final string, folder bool) (old string, err error) {
	temporaries.Lock()
	defer temporaries.Unlock()
	delete(temporaries.paths, temp)
	old, err = replace(temp, final, folder)
	temporaries.committed = temporaries.committed || err == nil
	return old, err
}

package formats

import (
	"os"
	"sync"
)

// temporaries are the names of what this process is writing.
var temporaries = struct {
	sync.Mutex
	paths map[string]bool
}{paths: map[string]bool{}}

// RemoveTemporaries removes what this process is writing and keeps it from
// committing anything afterwards: it is for a program that ends at once while
// its writers are held up, by a disk that is slow to flush for one.
func RemoveTemporaries() {
	temporaries.Lock() // for good: a rename during the removal would show half an output
	for path := range temporaries.paths {
		os.RemoveAll(path)
	}
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
	return replace(temp, final, folder)
}

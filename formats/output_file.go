package formats

import (
	"os"
	"sync"
)

// An OutputFile is a file of an [Output].
type OutputFile struct {
	*os.File
	mu sync.Mutex
}

// WriteAt writes to a place in the file. Calls wait for each other here, because the
// system lets no two of them write to one file at once, but keeps the processors of
// those that wait busy.
func (f *OutputFile) WriteAt(b []byte, offset int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.File.WriteAt(b, offset)
}

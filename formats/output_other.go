//go:build !unix

package formats

import "os"

func umask() os.FileMode { return 0o022 }

func lockFile(*os.File) error { return nil }

func syncDir(string) error { return nil }

// lockFolder does nothing here, so stale temporaries stay: nothing tells them
// from those in use.
func lockFolder(string) (unlock func(), ok bool) { return nil, false }

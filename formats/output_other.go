//go:build !unix

package formats

import "os"

func umask() os.FileMode { return 0o022 }

func lockFile(*os.File) error { return nil }

func syncDir(string) error { return nil }

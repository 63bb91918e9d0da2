//go:build !unix

package formats

const openNonblock = 0

package formats

// CopyTo copies the bytes [from, to) of the extent to the same place, relative
// to offset, of dst: within the kernel where that is possible, so that a file
// system that can share blocks does.
func (e *Extent) CopyTo(dst *OutputFile, offset, from, to int64) error {
	if e.File.file != nil {
		n, err := copyRange(dst.File, offset+from, e.File.file, e.Offset+from, to-from)
		from += n
		if err != nil {
			return err
		}
	}
	buf := BorrowBytes(int(min(to-from, copyBuffer)))
	defer ReturnBytes(buf)
	for from < to {
		n := min(to-from, int64(len(buf)))
		if err := e.ReadAt(buf[:n], from); err != nil {
			return err
		}
		if _, err := dst.WriteAt(buf[:n], offset+from); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// copyBuffer is what CopyTo takes beside the files.
const copyBuffer = 256 << 10

package formats

// A Layout says what an output consists of, down to the place of every byte,
// before any tensor's data exists. A dry run stops after making one.
type Layout struct {
	Format string
	Folder bool // a folder of files; otherwise a single file, whose name counts for nothing
	Files  []LayoutFile
	Inputs []*File // what the tensors are read from, and so must not be written
}

// A LayoutFile is one file of a layout: its beginning, the tensors it holds, or
// an asset as a whole. What neither covers is zero.
type LayoutFile struct {
	Name    string // relative to the folder, with slashes
	Size    int64
	Head    []byte      // the first bytes: a header, or all of a small file
	Copy    string      // path of a file to copy as a whole instead
	Tensors []Placement // by offset
}

// A Placement says where in its file a tensor's data goes.
type Placement struct {
	Tensor *Tensor
	Offset int64
}

// NumBytes returns the size of all files.
func (l *Layout) NumBytes() int64 {
	var n int64
	for i := range l.Files {
		n += l.Files[i].Size
	}
	return n
}

// AddAsset adds a file that accompanies the weights.
func (l *Layout) AddAsset(a Asset, size int64) {
	f := LayoutFile{Name: a.Name, Size: size, Head: a.Data}
	if a.Data == nil {
		f.Copy = a.Path
	}
	l.Files = append(l.Files, f)
}

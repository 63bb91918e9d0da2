package torch

import (
	"context"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// An archive is a zip file as torch.save writes it: all records are stored as
// they are, below one folder, one after another.
//
// Zip says where a record lies in three places, and readers differ in which they
// believe; files that mean one thing to a scanner and another to a loader are
// made that way. So the three must agree here, names must be unique, and nothing
// may lie before, between or behind the records.
type archive struct {
	file    *formats.File
	folder  string   // of all records, with the slash
	list    []record // in the order of the file
	records map[string]record
}

// A record is a file in an archive.
type record struct {
	name   string // with the folder
	offset int64  // of its bytes
	size   int64
	method uint16 // of compression; 0 if it is stored as it is
	crc    uint32

	header     int64 // offset of the local header
	descriptor bool  // sizes follow the bytes; in the local header they are 0
	flags      uint16
}

func openArchive(f *formats.File) (*archive, error) {
	records, directory, err := readDirectory(f)
	if err != nil {
		return nil, err
	}
	a := &archive{file: f, list: records, records: make(map[string]record, len(records))}
	slices.SortFunc(records, func(x, y record) int { return int(min(max(x.header-y.header, -1), 1)) })
	end := int64(0) // of what is accounted for
	for i := range records {
		r := &records[i]
		if err := r.readHeader(f); err != nil {
			return nil, err
		}
		if r.header < end || r.header-end > maxDescriptor || i == 0 && r.header != 0 {
			return nil, zipError(f, r.header, "record %q does not begin where the one before it ends, at byte %d", r.name, end)
		}
		if r.size > directory-r.offset {
			return nil, zipError(f, r.header, "record %q of %d bytes reaches into the directory", r.name, r.size)
		}
		end = r.offset + r.size
		if r.descriptor && r.size > 0 {
			end += minDescriptor
		}
		if err := a.add(*r); err != nil {
			return nil, err
		}
	}
	if directory < end || directory-end > maxDescriptor {
		return nil, zipError(f, directory, "the directory does not begin where the last record ends, at byte %d", end)
	}
	return a, nil
}

// A data descriptor has 12 to 24 bytes, by whether it has a signature and by
// the size of its numbers.
const (
	minDescriptor = 12
	maxDescriptor = 24
)

func (a *archive) add(r record) error {
	folder, name, ok := strings.Cut(r.name, "/")
	if !ok || a.folder != "" && folder+"/" != a.folder {
		return zipError(a.file, r.header, "record %q is not in the one folder that a checkpoint has", r.name)
	}
	a.folder = folder + "/"
	if _, ok := a.records[name]; ok {
		return zipError(a.file, r.header, "two records are called %q", r.name)
	}
	a.records[name] = r
	return nil
}

// read returns the contents of a small record, or nil if there is none.
func (a *archive) read(name string, most int64) ([]byte, error) {
	r, ok := a.records[name]
	if !ok {
		return nil, nil
	}
	if r.size > most {
		return nil, zipError(a.file, r.header, "record %q of %d bytes; it has %d at most", r.name, r.size, most)
	}
	if err := a.check(context.Background(), r); err != nil {
		return nil, err
	}
	b := make([]byte, r.size)
	return b, a.file.ReadFull(b, r.offset)
}

// check compares a record with its checksum. A checksum of 0 says that there is
// none: torch.serialization.set_crc32_options(False) leaves them out.
func (a *archive) check(ctx context.Context, r record) error {
	if r.crc == 0 {
		return nil
	}
	buf := formats.BorrowBytes(int(min(r.size, 1<<20)))
	defer formats.ReturnBytes(buf)
	sum := crc32.NewIEEE()
	for at := int64(0); at < r.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(r.size-at, int64(len(buf)))
		if err := a.file.ReadFull(buf[:n], r.offset+at); err != nil {
			return err
		}
		sum.Write(buf[:n])
		at += n
	}
	if sum.Sum32() != r.crc {
		return zipError(a.file, r.offset, "record %q has checksum %08x instead of %08x: its bytes have changed", r.name, sum.Sum32(), r.crc)
	}
	return nil
}

// Verify reads all of a checkpoint and compares every record with its checksum.
// Opening a checkpoint and reading tensors by rows does not: the checksum of a
// record is that of the whole. Files of the old format have none.
func Verify(ctx context.Context, f *formats.File) error {
	if !isArchive(f) {
		_, err := Open(f)
		return err
	}
	a, err := openArchive(f)
	if err != nil {
		return err
	}
	for _, r := range a.list {
		if err := a.check(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

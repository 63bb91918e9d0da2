package torch

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/loratool/loratool/formats"
)

// The structures of a zip file, as far as they are needed here, with the sizes
// of their fixed parts. PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
const (
	localHeader     = "PK\x03\x04"
	directoryEntry  = "PK\x01\x02"
	directoryEnd    = "PK\x05\x06"
	directoryEnd64  = "PK\x06\x06"
	directoryEnd64x = "PK\x06\x07" // locator

	localHeaderSize     = 30
	directoryEntrySize  = 46
	directoryEndSize    = 22
	directoryEnd64Size  = 56
	directoryEnd64xSize = 20

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11

	extra64 = 1 // id of the extra field with numbers of 64 bits

	maxDirectory = 256 << 20
)

var (
	get16 = binary.LittleEndian.Uint16
	get32 = binary.LittleEndian.Uint32
	get64 = binary.LittleEndian.Uint64
)

func zipError(f *formats.File, at int64, format string, args ...any) error {
	return formats.At(f.Path, at, formats.Reasonf(formats.ErrFormat, "zip: "+format, args...))
}

// readDirectory returns the records that the directory at the end of the file
// lists, without the offsets of their bytes, and where the directory begins.
func readDirectory(f *formats.File) (records []record, offset int64, err error) {
	offset, size, count, err := findDirectory(f)
	if err != nil {
		return nil, 0, err
	}
	if size > maxDirectory || count > uint64(size)/directoryEntrySize {
		return nil, 0, zipError(f, offset, "a directory of %d records in %d bytes", count, size)
	}
	b := make([]byte, size)
	if err := f.ReadFull(b, offset); err != nil {
		return nil, 0, err
	}
	at := offset
	records = make([]record, 0, count)
	for len(b) > 0 {
		r, n, err := readEntry(f, at, b)
		if err != nil {
			return nil, 0, err
		}
		records = append(records, r)
		b = b[n:]
		at += int64(n)
	}
	if uint64(len(records)) != count {
		return nil, 0, zipError(f, offset, "the directory has %d records, not the %d that it should", len(records), count)
	}
	return records, offset, nil
}

// findDirectory returns where the directory lies, by what the end of the file
// says of it. A comment behind that is refused: no checkpoint has one.
func findDirectory(f *formats.File) (offset, size int64, count uint64, err error) {
	at := f.Size - directoryEndSize
	tail := make([]byte, min(f.Size, directoryEndSize+directoryEnd64xSize+directoryEnd64Size))
	if err := f.ReadFull(tail, f.Size-int64(len(tail))); err != nil {
		return 0, 0, 0, err
	}
	end := tail[max(0, len(tail)-directoryEndSize):]
	if at < 0 || string(end[:4]) != directoryEnd || get16(end[20:]) != 0 {
		e := formats.At(f.Path, max(at, 0), formats.Reasonf(formats.ErrTruncated, "zip: the file does not end as an archive does: it was cut off, or something was added"))
		e.Hint = "download it again"
		return 0, 0, 0, e
	}
	if get32(end[4:]) != 0 || get16(end[8:]) != get16(end[10:]) {
		return 0, 0, 0, zipError(f, at, "a part of a split archive")
	}
	count, size, offset = uint64(get16(end[10:])), int64(get32(end[12:])), int64(get32(end[16:]))
	if rest := tail[:len(tail)-directoryEndSize]; len(rest) == directoryEnd64xSize+directoryEnd64Size &&
		string(rest[directoryEnd64Size:][:4]) == directoryEnd64x {
		at -= int64(len(rest))
		if string(rest[:4]) != directoryEnd64 || get64(rest[directoryEnd64Size+8:]) != uint64(at) {
			return 0, 0, 0, zipError(f, at, "the two ends of the directory disagree")
		}
		n, s, o := get64(rest[32:]), get64(rest[40:]), get64(rest[48:])
		if count != n && count != math.MaxUint16 || uint64(size) != s && size != math.MaxUint32 || uint64(offset) != o && offset != math.MaxUint32 {
			return 0, 0, 0, zipError(f, at, "the two ends of the directory disagree")
		}
		if o > uint64(at) || s > uint64(at) {
			return 0, 0, 0, zipError(f, at, "a directory at byte %d of %d bytes, in a file of %d", o, s, f.Size)
		}
		count, size, offset = n, int64(s), int64(o)
	}
	if offset+size != at {
		return 0, 0, 0, zipError(f, at, "the directory at byte %d of %d bytes does not end where it should, at byte %d", offset, size, at)
	}
	return offset, size, count, nil
}

// readEntry returns the record that b, which lies in the file at the given
// offset, begins with, and the size of its entry.
func readEntry(f *formats.File, at int64, b []byte) (r record, n int, err error) {
	if len(b) < directoryEntrySize || string(b[:4]) != directoryEntry {
		return r, 0, zipError(f, at, "not an entry of a directory")
	}
	nameLen, extraLen, commentLen := int(get16(b[28:])), int(get16(b[30:])), int(get16(b[32:]))
	n = directoryEntrySize + nameLen + extraLen + commentLen
	if n > len(b) {
		return r, 0, zipError(f, at, "an entry that reaches beyond the directory")
	}
	name := b[directoryEntrySize:][:nameLen]
	if nameLen == 0 || nameLen > maxName || bytes.IndexByte(name, 0) >= 0 {
		return r, 0, zipError(f, at, "a record called %.100q", name)
	}
	r = record{name: string(name), method: get16(b[10:]), crc: get32(b[16:]), flags: get16(b[8:])}
	if r.flags&^(flagDescriptor|flagUTF8) != 0 {
		return r, 0, zipError(f, at, "record %q has flags %#x, such as that of encryption", r.name, r.flags)
	}
	r.descriptor = r.flags&flagDescriptor != 0
	packed, size, header := uint64(get32(b[20:])), uint64(get32(b[24:])), uint64(get32(b[42:]))
	extra := b[directoryEntrySize+nameLen:][:extraLen]
	if err := wide(extra, &size, &packed, &header); err != nil {
		return r, 0, zipError(f, at, "record %q: %v", r.name, err)
	}
	if r.method == 0 && packed != size || get16(b[34:]) != 0 {
		return r, 0, zipError(f, at, "record %q has %d bytes stored as %d", r.name, size, packed)
	}
	if size = packed; header > uint64(f.Size) || size > uint64(f.Size) {
		return r, 0, zipError(f, at, "record %q at byte %d of %d bytes, in a file of %d", r.name, header, size, f.Size)
	}
	r.size, r.header = int64(size), int64(header)
	return r, n, nil
}

// wide replaces the numbers that are all ones by those of the extra field for
// 64 bits, which has them in this order.
func wide(extra []byte, numbers ...*uint64) error {
	var field []byte
	for len(extra) >= 4 {
		id, n := get16(extra), int(get16(extra[2:]))
		if n > len(extra)-4 {
			return formats.Reasonf(formats.ErrFormat, "an extra field that is cut off")
		}
		if id == extra64 {
			field = extra[4:][:n]
			break
		}
		extra = extra[4+n:]
	}
	for _, p := range numbers {
		if *p != math.MaxUint32 {
			continue
		}
		if len(field) < 8 {
			return formats.Reasonf(formats.ErrFormat, "an extra field with the numbers of 64 bits is missing")
		}
		*p = get64(field)
		field = field[8:]
	}
	return nil
}

// readHeader compares the record with its local header and fills in where its
// bytes begin.
func (r *record) readHeader(f *formats.File) error {
	b := make([]byte, localHeaderSize+len(r.name))
	if r.header > f.Size-int64(len(b)) {
		return zipError(f, r.header, "record %q has no local header", r.name)
	}
	if err := f.ReadFull(b, r.header); err != nil {
		return err
	}
	if string(b[:4]) != localHeader || int(get16(b[26:])) != len(r.name) || string(b[localHeaderSize:]) != r.name ||
		get16(b[6:]) != r.flags || get16(b[8:]) != r.method {
		return zipError(f, r.header, "the local header of record %q is that of something else", r.name)
	}
	crc, packed, size := get32(b[14:]), uint64(get32(b[18:])), uint64(get32(b[22:]))
	extra := make([]byte, get16(b[28:]))
	at := r.header + int64(len(b))
	if at+int64(len(extra)) > f.Size {
		return zipError(f, r.header, "record %q has no room for its local header", r.name)
	}
	if err := f.ReadFull(extra, at); err != nil {
		return err
	}
	if err := wide(extra, &size, &packed); err != nil {
		return zipError(f, r.header, "record %q: %v", r.name, err)
	}
	same := crc == r.crc && packed == uint64(r.size) && (size == packed || r.method != 0)
	later := r.descriptor && crc == 0 && packed == 0 && size == 0
	if !same && !later {
		return zipError(f, r.header, "the local header of record %q speaks of %d bytes, the directory of %d", r.name, packed, r.size)
	}
	r.offset = at + int64(len(extra))
	return nil
}

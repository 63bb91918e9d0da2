package torch_test

import (
	"encoding/binary"
	"hash/crc32"
	"math/big"
	"slices"
	"strings"
)

// Pickles by hand, as strings that are put together.

const (
	proto = "\x80\x02"
	stop  = "."
	none  = "N"
)

func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func global(module, name string) string { return "c" + module + "\n" + name + "\n" }

func tup(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func call(f string, args ...string) string { return f + tup(args...) + "R" }

// num is an integer of any size.
func num(n int64) string {
	b := big.NewInt(n).FillBytes(make([]byte, 9)) // big-endian magnitude
	if n < 0 {
		b = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 72), big.NewInt(n)).FillBytes(b)
	}
	slices.Reverse(b)
	if int64(int32(n)) == n {
		return "J" + string(b[:4])
	}
	return "\x8a\x08" + string(b[:8])
}

func nums(n ...int64) string {
	var s []string
	for _, n := range n {
		s = append(s, num(n))
	}
	return tup(s...)
}

func dictOf(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

func storageOf(class, key string, n int64) string {
	return tup(str("storage"), global("torch", class), str(key), str("cpu"), num(n)) + "Q"
}

var orderedDict = call(global("collections", "OrderedDict"))

func tensorOf(storage string, offset int64, size, stride string) string {
	return call(global("torch._utils", "_rebuild_tensor_v2"), storage, num(offset), size, stride, "\x89", orderedDict)
}

// six is a tensor of two rows of three float32, in storage 0.
var six = tensorOf(storageOf("FloatStorage", "0", 6), 0, nums(2, 3), nums(3, 1))

// A zipRecord is a file of an archive as archive writes it. The fields beyond
// the contents make it lie.
type zipRecord struct {
	name, data string

	crc        uint32 // 0 for the right one
	localName  string // another one in the local header
	method     uint16
	flags      uint16
	localSize  uint32 // another one in the local header
	size       uint32 // another one in the directory
	header     int64  // another place of the header, plus 1
	before     string // bytes in front of it
	descriptor bool
	zip64      bool
}

// archive returns a zip file of the records.
func archive(records ...zipRecord) string {
	return archiveWith(zipEnd{}, records...)
}

// A zipEnd is what the end of an archive says wrongly.
type zipEnd struct {
	count, size, offset int // added
	zip64               bool
	before, comment     string
}

func archiveWith(end zipEnd, records ...zipRecord) string {
	le := binary.LittleEndian
	var out, dir []byte
	for _, r := range records {
		out = append(out, r.before...)
		at := int64(len(out))
		crc, size, localName := crc32.ChecksumIEEE([]byte(r.data)), uint32(len(r.data)), r.name
		if r.crc != 0 {
			crc = r.crc
		}
		if r.localName != "" {
			localName = r.localName
		}
		flags, localCRC, localSize, dirSize := r.flags, crc, size, size
		if r.descriptor {
			flags, localCRC, localSize = flags|8, 0, 0
		}
		if r.localSize != 0 {
			localSize = r.localSize
		}
		if r.size != 0 {
			dirSize = r.size
		}
		if r.header != 0 {
			at = r.header - 1
		}
		var extra []byte
		dirAt := uint32(at)
		if r.zip64 {
			extra = le.AppendUint16(le.AppendUint16(nil, 1), 24)
			extra = le.AppendUint64(le.AppendUint64(le.AppendUint64(extra, uint64(dirSize)), uint64(dirSize)), uint64(at))
			dirSize, dirAt = 1<<32-1, 1<<32-1
		}

		out = append(out, "PK\x03\x04\x00\x00"...)
		for _, v := range []uint16{flags, r.method, 0, 0} {
			out = le.AppendUint16(out, v)
		}
		for _, v := range []uint32{localCRC, localSize, localSize} {
			out = le.AppendUint32(out, v)
		}
		out = le.AppendUint16(le.AppendUint16(out, uint16(len(localName))), 0)
		out = append(append(out, localName...), r.data...)
		if r.descriptor {
			out = append(out, "PK\x07\x08"...)
			for _, v := range []uint32{crc, size, size} {
				out = le.AppendUint32(out, v)
			}
		}

		dir = append(dir, "PK\x01\x02\x00\x00\x00\x00"...)
		for _, v := range []uint16{flags, r.method, 0, 0} {
			dir = le.AppendUint16(dir, v)
		}
		for _, v := range []uint32{crc, dirSize, dirSize} {
			dir = le.AppendUint32(dir, v)
		}
		for _, v := range []uint16{uint16(len(r.name)), uint16(len(extra)), 0, 0, 0, 0, 0} {
			dir = le.AppendUint16(dir, v)
		}
		dir = append(append(le.AppendUint32(dir, dirAt), r.name...), extra...)
	}
	out = append(out, end.before...)
	offset, size, count := len(out)+end.offset, len(dir)+end.size, len(records)+end.count
	out = append(out, dir...)
	if end.zip64 {
		at := len(out)
		out = append(out, "PK\x06\x06"...)
		out = le.AppendUint64(out, 44)
		out = append(out, make([]byte, 12)...)
		for _, v := range []int{count, count, size, offset} {
			out = le.AppendUint64(out, uint64(v))
		}
		out = append(out, "PK\x06\x07\x00\x00\x00\x00"...)
		out = le.AppendUint32(le.AppendUint64(out, uint64(at)), 1)
		count, size, offset = 0xffff, 1<<32-1, 1<<32-1
	}
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(le.AppendUint16(out, uint16(count)), uint16(count))
	out = le.AppendUint32(le.AppendUint32(out, uint32(size)), uint32(offset))
	return string(append(le.AppendUint16(out, uint16(len(end.comment))), end.comment...))
}

// floats is the record of a storage of n float32.
func floats(key string, n int) zipRecord {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(i)<<23)
	}
	return zipRecord{name: "archive/data/" + key, data: string(b)}
}

// checkpoint is an archive with the pickle and a storage of six float32.
func checkpoint(pickle string) string {
	return archive(zipRecord{name: "archive/data.pkl", data: pickle}, floats("0", 6))
}

// old is a pickle of an archive as a file of the old format has it: storages are
// described with a sixth item.
func old(pickle string) string {
	return strings.ReplaceAll(pickle, "\x00tQ", "\x00"+none+"tQ") // a number ends in \x00
}

// legacy is a checkpoint of the old format; storages are complete with their
// lengths.
func legacy(pickle string, keys, storages string) string {
	return proto + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" + stop +
		proto + num(1001) + stop + proto + "}" + stop + pickle + proto + keys + stop + storages
}

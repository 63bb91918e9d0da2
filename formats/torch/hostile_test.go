package torch_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

// openBytes opens a file that is in memory.
func openBytes(data string) (*formats.Model, error) {
	return formats.OpenReader(formats.NewFile(strings.NewReader(data), int64(len(data)), "hostile.bin"))
}

// mustRefuse fails the test unless data is refused with an error of the given
// kind that says why and names the file, and without taking much memory.
func mustRefuse(t *testing.T, data string, kind error, reason string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := openBytes(data)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(err), reason) || !strings.HasPrefix(err.Error(), "hostile.bin: ") {
		t.Errorf("error %v, want %q with %q", err, kind, reason)
	}
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(16<<20+10*len(data)); got > most {
		t.Errorf("a file of %d bytes made it allocate %d", len(data), got)
	}
}

// TestNoCodeIsRun opens pickles that make a file if they are run, by every way
// that Python's machine has to call something.
func TestNoCodeIsRun(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	touch := str("touch " + marker)
	python := str(fmt.Sprintf("open(%q, 'w')", marker))
	short := func(s string) string { return "\x8c" + string(rune(len(s))) + s }
	pickles := map[string]string{
		"os.system":                 call(global("os", "system"), touch),
		"posix.system":              call(global("posix", "system"), touch),
		"nt.system":                 call(global("nt", "system"), touch),
		"subprocess.Popen":          call(global("subprocess", "Popen"), tup(str("touch"), str(marker))),
		"builtins.eval":             call(global("builtins", "eval"), python),
		"builtins.exec":             call(global("builtins", "exec"), python),
		"__builtin__.eval":          call(global("__builtin__", "eval"), python),
		"builtins.getattr":          call(global("builtins", "getattr"), global("collections", "OrderedDict"), str("__init__")),
		"runpy._run_code":           call(global("runpy", "_run_code"), python, "}"),
		"pip.main":                  call(global("pip", "main"), "]"),
		"pkgutil.resolve_name":      call(global("pkgutil", "resolve_name"), str("os:system")),
		"torch.load":                call(global("torch", "load"), str(marker)),
		"torch.jit.load":            call(global("torch.jit", "load"), str(marker)),
		"torch.serialization.load":  call(global("torch.serialization", "load"), str(marker)),
		"collections.OrderedDict.x": call(global("collections", "OrderedDict.__init__"), touch),
		"numpy.f2py.crackfortran":   call(global("numpy.f2py.crackfortran", "param_eval"), python),
		"torch.os.system":           call(global("torch", "os.system"), touch),
		"operator.attrgetter":       call(global("operator", "attrgetter"), str("system")),
		"dotted":                    short("os") + short("system") + "\x93" + tup(touch) + "R",
		"instance":                  "(" + touch + "ios\nsystem\n",
		"object":                    "(" + global("os", "system") + touch + "o",
		"new object":                global("os", "system") + tup(touch) + "\x81",
		"new object with keywords":  global("os", "system") + tup(touch) + "}\x92",
		"extension":                 "\x82\x01" + tup(touch) + "R",
		"popped result":             call(global("os", "system"), touch) + "0}",
		"duplicate":                 "}" + "2",
		"state":                     global("torch", "Tensor") + "}b",
		"state of a function":       global("torch._utils", "_rebuild_tensor_v2") + "}b",
		"called tensor":             call(six, touch),
		"called string":             call(touch),
		"called dict":               call("}"),
		"rebuild by type":           call(global("torch._tensor", "_rebuild_from_type_v2"), global("os", "system"), none, tup(touch), none),
		"rebuild of a type":         call(global("torch._tensor", "_rebuild_from_type_v2"), touch, none, tup(touch), none),
		"persistent module":         tup(str("module"), global("torch.nn", "Module"), none, none) + "Q",
		"persistent name":           str("os.system") + "Q",
		"text persistent id":        "Pos.system\n",
	}
	for name, p := range pickles {
		t.Run(name, func(t *testing.T) {
			inDict := proto + dictOf(str("w"), p) + stop
			mustRefuse(t, checkpoint(inDict), formats.ErrUnsupported, "pickle: ")
			mustRefuse(t, checkpoint(proto+p+stop), formats.ErrUnsupported, "pickle: ")
			mustRefuse(t, legacy(inDict, "]", ""), formats.ErrUnsupported, "pickle: ")
			mustRefuse(t, proto+p+stop, formats.ErrUnsupported, "pickle: ")
			if name == "instance" || name == "dotted" {
				mustRefuse(t, checkpoint("\x80\x04"+p+stop), formats.ErrUnsupported, "pickle: ")
			}
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a pickle was run: it made its file")
	}
}

// TestRefusesBrokenPickles has what is wrong by itself, at which byte or not.
func TestRefusesBrokenPickles(t *testing.T) {
	one := func(storage string, offset int64, size, stride string) string {
		return dictOf(str("w"), tensorOf(storage, offset, size, stride))
	}
	s := storageOf("FloatStorage", "0", 6)
	nested := strings.Repeat("(", 100_000)
	big := int64(1) << 62
	for _, c := range []struct {
		name   string
		pickle string // without protocol and STOP
		kind   error
		reason string
	}{
		{"offset beyond the storage", one(s, 6, nums(1), nums(1)), formats.ErrFormat, "does not fit its storage"},
		{"negative offset", one(s, -1, nums(2, 3), nums(3, 1)), formats.ErrFormat, "offset of a tensor is -1"},
		{"size beyond the storage", one(s, 0, nums(7), nums(1)), formats.ErrFormat, "does not fit its storage"},
		{"stride beyond the storage", one(s, 0, nums(2, 3), nums(4, 1)), formats.ErrFormat, "does not fit its storage"},
		{"stride that wraps to 0", one(s, 0, nums(5, 2), nums(1<<62, 1)), formats.ErrFormat, "does not fit its storage"},
		{"strides that wrap together", one(s, 0, nums(3, 3, 2), nums(big, big, 1)), formats.ErrFormat, "does not fit its storage"},
		{"offset that wraps", one(s, 1<<63-1, nums(2), nums(1<<63-1)), formats.ErrFormat, "does not fit its storage"},
		{"negative stride", one(s, 5, nums(6), nums(-1)), formats.ErrFormat, "stride of a dimension is -1"},
		{"negative size", one(s, 0, nums(-6), nums(1)), formats.ErrFormat, "size of a dimension is -6"},
		{"sizes that wrap to 0", one(s, 0, nums(1<<32, 1<<32), nums(0, 0)), formats.ErrUnsupported, "repeats its storage"},
		{"repeated without end", one(s, 0, nums(1<<40), nums(0)), formats.ErrUnsupported, "repeats its storage"},
		{"empty with huge dimensions", one(s, 0, nums(0, 1<<60, 1<<60), nums(0, 0, 0)), formats.ErrFormat, "too large"},
		{"more strides than sizes", one(s, 0, nums(6), nums(1, 1)), formats.ErrFormat, "a tensor whose size is"},
		{"65 dimensions", one(s, 0, tup(strings.Repeat("K\x01", 65)), tup(strings.Repeat("K\x01", 65))), formats.ErrFormat, "a tensor whose size is"},
		{"size that is no tuple", one(s, 0, num(6), nums(1)), formats.ErrFormat, "a tensor whose size is"},
		{"size with a float", one(s, 0, tup("G@\x18\x00\x00\x00\x00\x00\x00"), nums(1)), formats.ErrFormat, "a float"},
		{"storage smaller than its record", one(storageOf("FloatStorage", "0", 5), 0, nums(5), nums(1)), formats.ErrFormat, "has 24 bytes, and the pickle speaks of 20"},
		{"storage larger than its record", one(storageOf("FloatStorage", "0", 7), 0, nums(7), nums(1)), formats.ErrFormat, "has 24 bytes, and the pickle speaks of 28"},
		{"storage of wider numbers", one(storageOf("DoubleStorage", "0", 6), 0, nums(6), nums(1)), formats.ErrFormat, "has 24 bytes, and the pickle speaks of 48"},
		{"storage larger than the file", one(storageOf("FloatStorage", "0", 1<<61), 0, nums(6), nums(1)), formats.ErrTruncated, "the file has"},
		{"negative storage", one(storageOf("FloatStorage", "0", -6), 0, nums(6), nums(1)), formats.ErrFormat, "size of a storage is -6"},
		{"storage without a record", one(storageOf("FloatStorage", "1", 6), 0, nums(6), nums(1)), formats.ErrFormat, "no record for storage \"1\""},
		{"storage outside of data/", one(storageOf("FloatStorage", "../data.pkl", 6), 0, nums(6), nums(1)), formats.ErrFormat, "no record for storage"},
		{"storage whose key is a number", one(tup(str("storage"), global("torch", "FloatStorage"), num(0), str("cpu"), num(6))+"Q", 0, nums(6), nums(1)), formats.ErrFormat, "key is an int"},
		{"storage whose class is a dtype", one(tup(str("storage"), global("torch", "float32"), str("0"), str("cpu"), num(6))+"Q", 0, nums(6), nums(1)), formats.ErrFormat, "class is torch.float32"},
		{"tensor of a dict", one("}", 0, nums(6), nums(1)), formats.ErrFormat, "a tensor of a dict"},
		{"parameter of a string", dictOf(str("w"), call(global("torch._utils", "_rebuild_parameter"), str("x"), "\x88", orderedDict)), formats.ErrFormat, "a Parameter of a str"},
		{"too few arguments", dictOf(str("w"), call(global("torch._utils", "_rebuild_tensor_v2"), s)), formats.ErrFormat, "with 1 arguments"},
		{"arguments that are no tuple", global("collections", "OrderedDict") + "}R", formats.ErrFormat, "a dict where arguments"},
		{"number format that is a string", dictOf(str("w"), call(global("torch._utils", "_rebuild_tensor_v3"), s, num(0), nums(6), nums(1), "\x89", orderedDict, str("float32"))), formats.ErrFormat, "number format is a str"},
		{"two tensors of one name", dictOf(str("a.b"), six, str("a"), dictOf(str("b"), six)), formats.ErrFormat, "two tensors have this name"},
		{"two equal keys", dictOf(str("a"), six, str("a"), six), formats.ErrFormat, "appears twice"},
		{"name that is not UTF-8", dictOf(str("\xff"), six), formats.ErrFormat, "is no name"},
		{"name that is too long", dictOf(str(strings.Repeat("x", 5000)), six), formats.ErrFormat, "is no name"},
		{"tensor under a tuple", dictOf(tup(str("a")), six), formats.ErrUnsupported, "under a key that is a tuple"},

		{"dict that holds itself", "}q\x00" + str("a") + "h\x00s", formats.ErrFormat, "hold one another"},
		{"list that holds itself", "]q\x00h\x00a", formats.ErrFormat, "hold one another"},
		{"a billion laughs", laughs(30, six), formats.ErrFormat, "hold one another"},
		{"nested marks", nested, formats.ErrFormat, "nested more than"},
		{"nested tuples", "N" + strings.Repeat("\x85", 200_000), formats.ErrFormat, "hold one another"},
		{"nested calls", ")q\x00" + strings.Repeat("("+global("torch._tensor", "_rebuild_from_type_v2")+"Nh\x00Ntq\x00", 1000) +
			global("torch._tensor", "_rebuild_from_type_v2") + "h\x00R", formats.ErrFormat, "by itself"},
		{"nested lists", strings.Repeat("]", 70) + strings.Repeat("a", 69), formats.ErrFormat, "hold one another"},
		{"LONG4 of 2 GB", "\x8b\xff\xff\xff\x7f", formats.ErrUnsupported, "opcode 0x8b"},
		{"string of 4 GB", "X\xff\xff\xff\xff", formats.ErrFormat, "needs 4294967295 here"},
		{"string of 2^63 bytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", formats.ErrFormat, "left and needs"},
		{"string of -1 bytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", formats.ErrFormat, "left and needs"},
		{"bytes of 2^62", "\x8e\x00\x00\x00\x00\x00\x00\x00\x40", formats.ErrFormat, "left and needs"},
		{"frame of 2^62", "\x95\x00\x00\x00\x00\x00\x00\x00\x40", formats.ErrFormat, "a frame of"},
		{"many dicts", strings.Repeat("}", 60_000), formats.ErrFormat, "left over"},
		{"memo without an object", "q\x00", formats.ErrFormat, "the stack is empty"},
		{"memo that is empty", "h\x07", formats.ErrFormat, "nothing is memorized as 7"},
		{"memo at 2^32-1", "}r\xff\xff\xff\xffj\xfe\xff\xff\xff", formats.ErrFormat, "nothing is memorized as 4294967294"},
		{"nothing to pop", "\x85", formats.ErrFormat, "the stack is empty"},
		{"pop through a mark", "}(\x85", formats.ErrFormat, "the stack is empty"},
		{"no mark", "}u", formats.ErrFormat, "no mark"},
		{"key without a value", "}(" + str("a") + "u", formats.ErrFormat, "a key without a value"},
		{"entry of a list", "](" + str("a") + "Nu", formats.ErrFormat, "entries for a list"},
		{"item of a dict", "}Na", formats.ErrFormat, "items for a dict"},
		{"item of a tensor", six + "Na", formats.ErrFormat, "items for a tensor"},
		{"state of a plain dict", "}}b", formats.ErrUnsupported, "a state for a dict"},
		{"state that is a string", orderedDict + str("x") + "b", formats.ErrUnsupported, "a state for a dict"},
		{"attributes by a dotted name", "N\x8c\x01x\x93", formats.ErrFormat, "where a name was expected"},
		{"endless name", "c" + strings.Repeat("x", 5000), formats.ErrFormat, "a name is longer"},
		{"name without an end", "ctorch", formats.ErrFormat, "left and needs"},
		{"text number", "I12\n", formats.ErrUnsupported, "opcode 0x49"},
		{"buffer out of band", "\x97", formats.ErrUnsupported, "opcode 0x97"},
		{"number alone", num(5), formats.ErrUnsupported, "is an int, not a state dict"},
		{"two objects", "}}", formats.ErrFormat, "left over"},
		{"a mark left", "}(N" + "t(", formats.ErrFormat, "the stack is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, checkpoint(proto+c.pickle+stop), c.kind, c.reason)
		})
	}
	for name, pickle := range map[string]string{
		"no STOP":      proto + "}",
		"empty":        "",
		"protocol 0":   "(dp0\n.",
		"only PROTO":   "\x80",
		"no protocol":  "}.",
		"bytes behind": proto + "}." + "x",
	} {
		t.Run(name, func(t *testing.T) { mustRefuse(t, checkpoint(pickle), formats.ErrFormat, "pickle: ") })
	}
	mustRefuse(t, checkpoint("\x80\x06}."), formats.ErrUnsupported, "protocol 6")
}

// laughs is a pickle of n dicts, each of which holds the one before it twice.
func laughs(n int, inner string) string {
	p := dictOf(str("w"), inner) + "q\x00"
	for range n {
		p = "}(" + str("a") + p + str("b") + "h\x00" + "uq\x00"
	}
	return p
}

// TestRefusesLyingArchives has archives whose parts disagree.
func TestRefusesLyingArchives(t *testing.T) {
	good := proto + dictOf(str("w"), six) + stop
	pickle := zipRecord{name: "archive/data.pkl", data: good}
	data := floats("0", 6)
	with := func(r zipRecord, change func(*zipRecord)) zipRecord { change(&r); return r }
	for name, c := range map[string]struct {
		file   string
		kind   error
		reason string
	}{
		"duplicate record": {archive(pickle, data, data), formats.ErrFormat, "two records are called"},
		"second pickle":    {archive(pickle, data, pickle), formats.ErrFormat, "two records are called"},
		"two folders":      {archive(pickle, with(data, func(r *zipRecord) { r.name = "other/data/0" })), formats.ErrFormat, "one folder"},
		"no folder":        {archive(with(pickle, func(r *zipRecord) { r.name = "data.pkl" })), formats.ErrFormat, "one folder"},
		"no pickle":        {archive(data), formats.ErrFormat, "without data.pkl"},
		"no records":       {archive(), formats.ErrFormat, "not a model file"},
		"other name in the local header": {archive(pickle, with(data, func(r *zipRecord) { r.localName = "archive/data/1" })),
			formats.ErrFormat, "that of something else"},
		"other size in the local header": {archive(pickle, with(data, func(r *zipRecord) { r.localSize = 8 })), formats.ErrFormat, "speaks of 8 bytes"},
		"other size in the directory":    {archive(pickle, with(data, func(r *zipRecord) { r.size = 8 })), formats.ErrFormat, "speaks of 24 bytes"},
		"wrong checksum of the pickle":   {archive(with(pickle, func(r *zipRecord) { r.crc = 7 }), data), formats.ErrFormat, "its bytes have changed"},
		"compressed":                     {archive(pickle, with(data, func(r *zipRecord) { r.method = 8 })), formats.ErrUnsupported, "compressed"},
		"encrypted":                      {archive(pickle, with(data, func(r *zipRecord) { r.flags = 1 })), formats.ErrFormat, "encryption"},
		"records that overlap":           {archive(pickle, with(data, func(r *zipRecord) { r.header = 1 })), formats.ErrFormat, "that of something else"},
		"the same record twice": {archive(pickle, data, with(data, func(r *zipRecord) { r.header = int64(len(good)) + 30 + 16 + 1 })),
			formats.ErrFormat, "does not begin where the one before it ends"},
		"record beyond the end":     {archive(pickle, with(data, func(r *zipRecord) { r.header = 1 << 20 })), formats.ErrFormat, "in a file of"},
		"record in the directory":   {archive(pickle, with(data, func(r *zipRecord) { r.size, r.localSize = 100, 100 })), formats.ErrFormat, "reaches into the directory"},
		"hidden bytes":              {archive(pickle, with(data, func(r *zipRecord) { r.before = strings.Repeat("x", 25) })), formats.ErrFormat, "does not begin where"},
		"hidden bytes at the end":   {archiveWith(zipEnd{before: strings.Repeat("x", 25)}, pickle, data), formats.ErrFormat, "does not begin where"},
		"hidden bytes in front":     {archive(zipRecord{name: "archive/data.pkl", data: good, before: "PK\x03\x04x"}, data), formats.ErrFormat, "does not begin where"},
		"comment":                   {archiveWith(zipEnd{comment: "x"}, pickle, data), formats.ErrTruncated, "cut off"},
		"text behind the end":       {archive(pickle, data) + "x", formats.ErrTruncated, "cut off"},
		"more records promised":     {archiveWith(zipEnd{count: 1}, pickle, data), formats.ErrFormat, "directory"},
		"fewer records promised":    {archiveWith(zipEnd{count: -1}, pickle, data), formats.ErrFormat, "not the 1"},
		"65535 records promised":    {archiveWith(zipEnd{count: 65533}, pickle, data), formats.ErrFormat, "directory of 65535 records"},
		"directory elsewhere":       {archiveWith(zipEnd{offset: -4}, pickle, data), formats.ErrFormat, "does not end where"},
		"directory of another size": {archiveWith(zipEnd{size: 4}, pickle, data), formats.ErrFormat, "does not end where"},
		"huge directory":            {archiveWith(zipEnd{zip64: true, size: 1 << 40, offset: -(1 << 40)}, pickle, data), formats.ErrFormat, "a directory at byte"},
		"2^40 records promised":     {archiveWith(zipEnd{zip64: true, count: 1 << 40}, pickle, data), formats.ErrFormat, "records in"},
		"byte order":                {archive(pickle, data, zipRecord{name: "archive/byteorder", data: "middle"}), formats.ErrFormat, "neither little nor big"},
		"long byte order":           {archive(pickle, data, zipRecord{name: "archive/byteorder", data: "little "}), formats.ErrFormat, "it has 6 at most"},
		"NUL in a name":             {archive(pickle, data, zipRecord{name: "archive/data.pkl\x00"}), formats.ErrFormat, "a record called"},
		"keras":                     {archive(zipRecord{name: "m/config.json", data: "{}"}), formats.ErrFormat, "no PyTorch checkpoint"},
	} {
		t.Run(name, func(t *testing.T) { mustRefuse(t, c.file, c.kind, c.reason) })
	}
}

// TestReadsUnusualArchives has valid ones that torch writes for large files only
// or that other programs write.
func TestReadsUnusualArchives(t *testing.T) {
	good := zipRecord{name: "archive/data.pkl", data: proto + dictOf(str("w"), six) + stop}
	all := func(change func(*zipRecord)) []zipRecord {
		records := []zipRecord{good, floats("0", 6)}
		for i := range records {
			change(&records[i])
		}
		return records
	}
	for name, file := range map[string]string{
		"plain":            archive(all(func(*zipRecord) {})...),
		"data descriptors": archive(all(func(r *zipRecord) { r.descriptor = true })...),
		"64-bit end":       archiveWith(zipEnd{zip64: true}, all(func(*zipRecord) {})...),
		"64-bit records":   archiveWith(zipEnd{zip64: true}, all(func(r *zipRecord) { r.zip64 = true })...),
		"UTF-8 names":      archive(all(func(r *zipRecord) { r.flags = 1 << 11 })...),
		"legacy": legacy(proto+dictOf(str("w"), old(six))+stop, "]"+str("0")+"a",
			"\x06\x00\x00\x00\x00\x00\x00\x00"+floats("0", 6).data),
		"Python 2": legacy(proto+call(global("collections", "OrderedDict"), "](]"+"(U\x01w"+old(six)+"ee")+stop, "]"+str("0")+"a",
			"\x06\x00\x00\x00\x00\x00\x00\x00"+floats("0", 6).data),
		"shared list": checkpoint(proto + dictOf(str("w"), six, str("a"), "]q\x00(K\x01K\x02e", str("b"), "h\x00") + stop),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := openBytes(file)
			if err != nil {
				t.Fatal(err)
			}
			formatstest.Check(t, m)
			if x := m.Tensor("w"); x == nil || x.String() != "F32 [2 3]" || len(m.Tensors) != 1 {
				t.Errorf("tensors %v", m.Tensors)
			}
		})
	}
}

// TestReadsOldViews has a storage that is a part of another one, as PyTorch
// wrote them before version 0.4.
func TestReadsOldViews(t *testing.T) {
	view := tup(str("storage"), global("torch", "FloatStorage"), str("0"), str("cpu"), num(6), tup(str("9"), num(2), num(3))) + "Q"
	pickle := proto + dictOf(str("w"), tensorOf(view, 1, nums(2), nums(1))) + stop
	m, err := openBytes(legacy(pickle, "]"+str("0")+"a", "\x06\x00\x00\x00\x00\x00\x00\x00"+floats("0", 6).data))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if err := m.Tensor("w").ReadRows(t.Context(), b, 0, 1); err != nil {
		t.Fatal(err)
	}
	if want := floats("0", 6).data[12:20]; string(b) != want {
		t.Errorf("bytes % x, want % x", b, want)
	}
	for _, bounds := range [][2]int64{{3, 4}, {7, 0}, {-1, 2}, {1 << 62, 1 << 62}} {
		view := tup(str("storage"), global("torch", "FloatStorage"), str("0"), str("cpu"), num(6), tup(str("9"), num(bounds[0]), num(bounds[1]))) + "Q"
		pickle := proto + dictOf(str("w"), tensorOf(view, 0, nums(1), nums(1))) + stop
		mustRefuse(t, legacy(pickle, "]"+str("0")+"a", ""), formats.ErrFormat, " of a view")
	}
	bad := tensorOf(view, 2, nums(2), nums(1)) // leaves the view, not the storage
	mustRefuse(t, legacy(proto+dictOf(str("w"), bad)+stop, "]"+str("0")+"a", ""), formats.ErrFormat, "does not fit its storage")
}

func TestRefusesBrokenLegacyFiles(t *testing.T) {
	p := proto + dictOf(str("w"), old(six)) + stop
	data := "\x06\x00\x00\x00\x00\x00\x00\x00" + floats("0", 6).data
	key := "]" + str("0") + "a"
	for name, c := range map[string]struct {
		file   string
		kind   error
		reason string
	}{
		"other magic":         {proto + num(5) + stop, formats.ErrFormat, "not one that torch.save writes"},
		"plain pickle":        {p, formats.ErrFormat, "not one that torch.save writes"},
		"other version":       {strings.Replace(legacy(p, key, data), num(1001), num(1002), 1), formats.ErrUnsupported, "not version 1001"},
		"missing storage":     {legacy(p, "]", ""), formats.ErrFormat, "there is no storage"},
		"unknown storage":     {legacy(p, "]"+str("7")+"a", data), formats.ErrFormat, "no tensor has"},
		"storage twice":       {legacy(p, "]("+str("0")+str("0")+"e", data+data), formats.ErrFormat, "two storages"},
		"keys that are a str": {legacy(p, str("0"), data), formats.ErrFormat, "a str where the keys"},
		"key that is a tuple": {legacy(p, "])a", data), formats.ErrFormat, "no tensor has"},
		"other length":        {legacy(p, key, "\x07"+data[1:]), formats.ErrFormat, "has 7 elements in the file and 6"},
		"length of 2^63":      {legacy(p, key, "\x06\x00\x00\x00\x00\x00\x00\x80"+data[8:]), formats.ErrFormat, "elements in the file"},
		"bytes behind":        {legacy(p, key, data+"x"), formats.ErrFormat, "1 bytes behind"},
		"cut in a storage":    {legacy(p, key, data[:20]), formats.ErrTruncated, "cut off"},
		"cut in a length":     {legacy(p, key, data[:4]), formats.ErrTruncated, "ended"},
		"storage of two sizes": {legacy(old(proto+dictOf(str("w"), six, str("v"), tensorOf(storageOf("FloatStorage", "0", 5), 0, nums(5), nums(1)))+stop), key, data),
			formats.ErrFormat, "has 20 bytes here and 24 before"},
	} {
		t.Run(name, func(t *testing.T) { mustRefuse(t, c.file, c.kind, c.reason) })
	}
}

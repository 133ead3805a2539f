package pickle

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func load(t testing.TB, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Load(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/" + pattern + "-*.pickle")
	if err != nil || len(names) != 8 {
		t.Fatalf("%d files of %s: %v", len(names), pattern, err)
	}
	return names
}

func TestBatchOfEveryProtocol(t *testing.T) {
	for _, f := range files(t, "batch") {
		d, ok := load(t, f).(*Dict)
		if !ok || d.Len() != 4 || len(d.Keys()) != 4 {
			t.Fatalf("%s: %v", f, d)
		}
		v, _ := d.Get("data")
		a, ok := v.(*Array)
		if !ok || !reflect.DeepEqual(a.Shape, []int{2, 3072}) || a.Len() != 6144 {
			t.Fatalf("%s: data is %s", f, Kind(v))
		}
		for i, b := range a.Uint8() {
			if want := byte(i*7 + i/251); b != want || a.At(i) != int64(want) {
				t.Fatalf("%s: byte %d is %d, want %d", f, i, b, want)
			}
		}
		v, _ = d.Get("labels")
		if l, ok := v.(*List); !ok || !reflect.DeepEqual(l.Items, []any{int64(3), int64(8)}) {
			t.Errorf("%s: labels %v", f, v)
		}
		v, _ = d.Get("batch_label")
		if s, _ := Text(v); s != "testing batch 1 of 1" {
			t.Errorf("%s: label %v", f, v)
		}
		if _, ok := d.Get("none"); ok {
			t.Errorf("%s: a key that is not there", f)
		}
	}
}

func TestValuesOfEveryProtocol(t *testing.T) {
	want := []any{nil, true, false, int64(0), int64(-1), int64(255), int64(65535), int64(65536), int64(math.MinInt32), int64(1 << 40), int64(-1 << 40),
		1.5, -0.25, "caf\u00e9 \u20ac\n\\", Bytes("it's \"x\"\n\t\\\xff\x00")}
	for _, f := range files(t, "values") {
		got := load(t, f).(*List).Items
		if len(got) != 22 || !reflect.DeepEqual(got[:len(want)], want) {
			t.Errorf("%s: %#v", f, got[:len(want)])
		}
		for n := range 5 {
			if tuple := got[15+n].(*Tuple); len(tuple.Items) != n || n > 0 && tuple.Items[n-1] != int64(n) {
				t.Errorf("%s: tuple %d: %v", f, n, tuple)
			}
		}
		if got[20].(*Dict).Len() != 0 || len(got[21].(*List).Items) != 0 {
			t.Errorf("%s: empty containers", f)
		}
	}
}

func TestInt64OfEveryProtocol(t *testing.T) {
	for _, f := range files(t, "labels") {
		a := load(t, f).(*Array)
		if a.Uint8() != nil || a.Len() != 2 || a.At(0) != 7 || a.At(1) != -2 {
			t.Errorf("%s: %+v", f, a)
		}
	}
}

func TestSmallPickles(t *testing.T) {
	for in, want := range map[string]any{
		"I5\n.": int64(5), "K\x050K\x07.": int64(7), "(K\x011K\x02.": int64(2), "\x8a\x00.": int64(0),
		"\x8a\x01\xff.": int64(-1), "K\x01r\x00\x01\x00\x000j\x00\x01\x00\x00.": int64(1), "c__builtin__\nbytes\n)R.": Bytes{},
		"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nU\x02u1\x85RU\x01\x09tR.": int64(9), "S'\\x41'\n.": Bytes("A"), "V\\u20ac\n.": "€",
		"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nU\x02i8\x85R(K\x03U\x01>tbU\x08\x00\x00\x00\x00\x00\x00\x01\x02tR.": int64(258),
	} {
		got, err := Load("f", []byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v %v, want %v", in, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	array := "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
	u1 := "cnumpy\ndtype\nU\x02u1\x85R"
	for in, want := range map[string]string{
		"":                               "f: byte 0: the file ends where an opcode",
		"cos\nsystem\n(S'rm -rf /'\ntR.": `f: byte 0: the pickle asks for "system" of module "os"`,
		"\x8c\x02os\x8c\x06system\x93.":  `byte 12: the pickle asks for "system"`,
		"c__builtin__\neval\n.":          "nothing is executed",
		"(K\x01K\x02i__main__\nC\n.":     "(INST)",
		"\x80\x02)\x81.":                 "(NEWOBJ)",
		"PNG.":                           "(PERSID)",
		"\xff\xd8":                       "byte 0xff is no opcode",
		"\x80\x05.":                      "protocol 5",
		"K":                              "an integer of 1 bytes was expected, but only 0 are left",
		"T\x10\x00\x00\x00abc":           "a string of 16 bytes was expected, but only 3 are left; the file is cut off",
		"X\x10\x00\x00\x00abc":           "text of 16 bytes",
		"G\x00":                          "a number of 8 bytes",
		"\x8a\x09123456789.":             "up to 8",
		"I12":                            "an integer and a newline were expected",
		"I1x\n.":                         "no integer of 64 bits",
		"Fx\n.":                          "is no number",
		"S'abc\n.":                       "not between quotes",
		"S'a\\'\n.":                      "inside an escape",
		"S'a\\x1'\n.":                    "inside an escape",
		"S'a\\xzz'\n.":                   "is no escape",
		"S'a\\q'\n.":                     "is no escape that Python 2",
		"V\\u12\n.":                      "cut off",
		"V\\uzzzz\n.":                    "no character",
		".":                              "0 values on the stack",
		"NN.":                            "2 values on the stack",
		"N.x":                            "1 bytes follow",
		"(.":                             "no data",
		"cnumpy\ndtype\n.":               "no data",
		"0":                              "the stack is empty",
		"(0":                             "a mark is on the stack",
		"t":                              "no mark",
		"q\x00":                          "nothing is on the stack to remember",
		"h\x00":                          "value 0 is used but was never remembered",
		"gx\n":                           "no memo number",
		"KKa.":                           "the stack is empty",
		"K\x01K\x02a.":                   "items are added to an integer",
		"]K\x01K\x02s.":                  "items are added to a list",
		"}K\x01a.":                       "items are added to a dictionary",
		"(K\x01d.":                       "odd number",
		"}]K\x01s.":                      "a dictionary key is a list",
		"}(K\x01u.":                      "odd number",
		"]q\x00h\x00a.":                  "contains itself",
		strings.Repeat("(", 40) + strings.Repeat("t", 40) + ".": "more than 32 deep",
		"NNR.":                         "None is where arguments",
		"N)R.":                         "None is called",
		"cnumpy\ndtype\n)R.":           "called with 0 arguments",
		"NNb.":                         "instead of a tuple",
		"N)b.":                         "which only arrays have",
		u1 + ")b.":                     "a dtype's state has 0",
		u1 + "(NU\x01?tb.":             "byte order",
		"cnumpy\ndtype\nU\x02f4\x85R.": `arrays of "f4" are not read`,
		array + ".":                    "never filled",
		array + ")b.":                  "0 values instead of 5",
		array + "(NNNNNtb.":            "is None, None, None, None instead",
		array + "(K\x01(K\x02t" + u1 + "\x89U\x01atb.":                     "needs 2 bytes and has 1",
		array + "(K\x01(K\x01K\x01t" + u1 + "\x88U\x01atb.":                "column-major",
		array + "(K\x01(J\xff\xff\xff\xfft" + u1 + "\x89Utb":               "",
		array + "(K\x01(J\xff\xff\xff\xfft" + u1 + "\x89U\x00tb.":          "dimension 0",
		array + "(K\x01(KaKbKcKdKeKfKgKhKit" + u1 + "\x89U\x00tb.":         "9 dimensions",
		"c_codecs\nencode\nN\x85R.":                                        "latin1 only",
		"c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacU\x06latin1\x86R.": "U+20AC",
		"cnumpy.core.multiarray\nscalar\nNN\x86R.":                         "no bytes of its type",
		"NN\x93.": "no text",
		"cnumpy":  "a module's name and a newline",
	} {
		v, err := Load("f", []byte(in))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v %v, want %q", in, v, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := Load("f", []byte(strings.Repeat("N", maxStack+1))); err == nil || !strings.Contains(err.Error(), "on the stack") {
		t.Error(err)
	}
	if _, err := Load("f", []byte(strings.Repeat("N0", maxMade+1))); err == nil || !strings.Contains(err.Error(), "values") {
		t.Error(err)
	}
	m := &machine{bytes: maxBytes}
	if m.charge(1) == nil {
		t.Error("copied bytes are not limited")
	}
	// A tuple of twice a tuple of twice a tuple ... is small in memory.
	if _, err := Load("f", []byte(")"+strings.Repeat("2\x86", 30)+".")); err != nil {
		t.Error(err)
	}
	if _, err := Load("f", []byte(")"+strings.Repeat("2\x86", 40)+".")); err == nil {
		t.Error("40 tuples deep")
	}
}

// TestCut: no beginning of a good pickle is a good pickle.
func TestCut(t *testing.T) {
	for _, pattern := range []string{"batch", "values", "labels"} {
		for _, f := range files(t, pattern) {
			data, _ := os.ReadFile(f)
			for n := range len(data) {
				var e *Error
				if _, err := Load(f, data[:n]); !errors.As(err, &e) || e.Offset > n {
					t.Fatalf("%s cut to %d bytes: %v", f, n, err)
				}
			}
		}
	}
}

func TestReal(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: CIFAR-10's own pickles are not part of the repository")
	}
	d := load(t, filepath.Join(dir, "cifar10/batches.meta")).(*Dict)
	names, _ := d.Get("label_names")
	if l, ok := names.(*List); !ok || len(l.Items) != 10 || string(l.Items[9].(Bytes)) != "truck" {
		t.Errorf("%v", names)
	}
	file := filepath.Join(dir, "cifar10/test_batch.truncated")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load("test_batch", data)
	want := "test_batch: byte 20212: a string of 30720000 bytes was expected, but only 3125511 are left; the file is cut off, get it again"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"batch", "values", "labels"} {
		for _, name := range files(f, pattern) {
			data, _ := os.ReadFile(name)
			f.Add(data)
		}
	}
	f.Add([]byte("cos\nsystem\n(S'x'\ntR."))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Load("f", data)
		if err == nil {
			if _, err := depth(v, map[any]int{}, 0); err != nil {
				t.Fatal(err)
			}
			if a, ok := v.(*Array); ok && a.Len() > 0 {
				a.At(a.Len() - 1)
			}
		}
	})
}

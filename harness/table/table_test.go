package table

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestReadCache(t *testing.T) {
	text := "TRT-8600-EntropyCalibration2\r\n" +
		"data: 3c008912\r\n" +
		"input:0: 3f800000\r\n" +
		"a: b: 40000000\r\n" +
		"84:42e95367\n" +
		"Layer: x:3f800000\n" +
		"tiny: 1\n" +
		"\n" +
		"what is this\n" +
		"long: 3f8000000\n" +
		": 3f800000\n" +
		"nan: 7fc00001\n" +
		"inf: 7f800000\n" +
		"zero: 0\n" +
		"neg: bf800000\n" +
		"data: 3c008913"
	c, err := ReadCache("x.cache", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name string
		bits uint32
		line int
	}{
		{"data", 0x3c008912, 2}, {"input:0", 0x3f800000, 3}, {"a: b", 0x40000000, 4}, {"84", 0x42e95367, 5}, {"Layer: x", 0x3f800000, 6},
		{"tiny", 1, 7}, {"nan", 0x7fc00001, 12}, {"inf", 0x7f800000, 13}, {"zero", 0, 14}, {"neg", 0xbf800000, 15}, {"data", 0x3c008913, 16},
	} {
		if r := c.Rows[i]; r.Name != want.name || r.Bits() != want.bits || r.Line != want.line {
			t.Errorf("row %d: %+v (%08x), want %+v", i, r, r.Bits(), want)
		}
	}
	if len(c.Rows) != 11 || len(c.Unknown) != 3 || len(c.Warnings) != 3+4+1 || c.Header != "TRT-8600-EntropyCalibration2" {
		t.Errorf("%d rows, %d unknown, warnings %v", len(c.Rows), len(c.Unknown), c.Warnings)
	}
	if !strings.HasPrefix(c.Warnings[0].Error(), "x.cache:9: ") {
		t.Error(c.Warnings[0])
	}
	if _, ok := c.Row("84"); !ok {
		t.Error("no row 84")
	}
	if _, ok := c.Row("none"); ok {
		t.Error("row none")
	}
}

func TestReadCacheErrors(t *testing.T) {
	for _, s := range []string{"", "TRT-7202-EntropyCalibration2\n", "{\"data\": {}}", "\n\n"} {
		if _, err := ReadCache("f", []byte(s)); err == nil || !strings.HasPrefix(err.Error(), "f:1: ") {
			t.Errorf("%q: %v", s, err)
		}
	}
	c, err := ReadCache("f", []byte("\xef\xbb\xbfTRT-1-X\na: 3f800000"))
	if err != nil || c.Header != "TRT-1-X" || len(c.Warnings) != 0 {
		t.Error(err)
	}
	c, err = ReadCache("f", []byte("a: 3f800000"))
	if err != nil || len(c.Warnings) != 1 {
		t.Error("a missing header is a warning", err)
	}
	if _, err := WriteCache(&Table{Rows: []Row{{Name: "a\nb"}}}); err == nil {
		t.Error("line break in a name")
	}
	if b, _ := WriteCache(&Table{Rows: []Row{{Name: "a", Scale: 1}}}); string(b) != DefaultHeader+"\na: 3f800000\n" {
		t.Errorf("%q", b)
	}
}

func TestReadJSON(t *testing.T) {
	c, err := ReadJSON("x.json", []byte(`{
  "z": {"scale": 0.007845180109143257, "min": 0, "max": 0, "offset": 0},
  "a/b:0": {"min": -3.5, "max": 2},
  "o": {"scale": 1e-05, "offset": 3},
  "z": {"scale": 0}
}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{0x3c008912, math.Float32bits(float32(3.5) / 127), math.Float32bits(1e-5), 0} {
		if c.Rows[i].Bits() != want || c.Rows[i].Line != i+2 {
			t.Errorf("row %d: %08x line %d, want %08x", i, c.Rows[i].Bits(), c.Rows[i].Line, want)
		}
	}
	if len(c.Warnings) != 3 {
		t.Errorf("%v", c.Warnings)
	}
	for s, want := range map[string]string{
		"":                                     "ends early",
		"[1]":                                  "begins with",
		"{}":                                   "no entry",
		`{"a": {"scale": 1}`:                   "ends early",
		"{\"a\":\n{\"scale\": \"x\"}}":         "entry \"a\"",
		`{"a": {"min": 1}}`:                    "neither",
		`{"a": null}`:                          "neither",
		`{"a": {"scale": 1}} {`:                "follows",
		"{\"a\": {\"scale\": 1},\n\n\"b\" 3}":  "f:3",
		`{"a": {"scale": 1e999}}`:              "no number",
		`{"a": {"scale": 1, "offset": 1e999}}`: "no number",
	} {
		if _, err := ReadJSON("f", []byte(s)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
	if _, err := WriteJSON(&Table{Rows: []Row{{Name: "a", Scale: float32(math.NaN())}}}); err == nil {
		t.Error("NaN written")
	}
}

func sameRows(t testing.TB, a, b []Row) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d rows, %d rows", len(a), len(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Bits() != b[i].Bits() {
			t.Fatalf("row %d: %q %08x, %q %08x", i, a[i].Name, a[i].Bits(), b[i].Name, b[i].Bits())
		}
	}
}

func FuzzCache(f *testing.F) {
	f.Add([]byte("TRT-7202-EntropyCalibration2\ndata: 3c008912\n(Unnamed Layer* 4) [Fully Connected]_output: 3d65992f\n"))
	f.Add([]byte("a: b: 1\r\n84:42e95367\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadCache("f", b)
		if err != nil {
			return
		}
		out, err := WriteCache(c)
		if err != nil {
			if strings.ContainsAny(string(b), "\r") {
				return // a carriage return inside a name
			}
			t.Fatal(err)
		}
		again, err := ReadCache("f", out)
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, c.Rows, again.Rows)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"data": {"scale": 0.007845180109143257, "min": 0, "max": 0, "offset": 0}}`))
	f.Add([]byte(`{"a": {"min": -1, "max": 2e3}, "a": {"scale": 1e-45}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadJSON("f", b)
		if err != nil {
			return
		}
		out, err := WriteJSON(c)
		if err != nil {
			return // an infinite scale
		}
		again, err := ReadJSON("f", out)
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, c.Rows, again.Rows)
		second, _ := WriteJSON(again)
		if !bytes.Equal(out, second) {
			t.Fatal("written differently the second time")
		}
	})
}

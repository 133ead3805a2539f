package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/simulate"
)

// doubler is a program of one element a channel that multiplies by 2: SDP from
// region 0 to region 1.
func doubler(t *testing.T, channels int, p hardware.Precision) *simulate.Machine {
	t.Helper()
	q := hardware.Cube{C: channels, H: 1, W: 1, LineStride: 32, SurfStride: 32, Size: 64}
	out := q
	out.Region = 1
	prog := &hardware.Program{
		Target:  hardware.Full,
		Regions: []hardware.Region{{Name: "in", Size: 64}, {Name: "out", Size: 64}},
		Operations: []hardware.Operation{{Kind: hardware.SDP, FusedParent: -1, Src: q, Dst: out,
			SDP: &hardware.SDPDesc{SrcPrecision: hardware.Int8, DstPrecision: p, OutCvt: hardware.Converter{Scale: 2, Enable: true}}}},
		Input: hardware.Tensor{Name: "in", Cube: q}, Output: hardware.Tensor{Name: "out", Cube: out},
	}
	m, err := simulate.New(prog)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// dimg is a golden of one pixel.
func dimg(format uint32, data ...byte) string {
	b := []byte("DIMG")
	size := 1
	if format != 40 {
		size = 2
	}
	for _, v := range []uint32{0, format, 1, 1, uint32(len(data) / size), 32, 32, 64} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(append(b, data...))
}

func compareFolder(t *testing.T, m *simulate.Machine, files map[string]string) (Result, []string, error) {
	t.Helper()
	pairs, err := Pairs(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	r, err := Compare(context.Background(), m, pairs, 1)
	for jobs := range 5 {
		again, otherErr := Compare(context.Background(), m, pairs, jobs)
		if !reflect.DeepEqual(r, again) || fmt.Sprint(err) != fmt.Sprint(otherErr) {
			t.Errorf("%d jobs: %+v, %v; one: %+v, %v", jobs, again, otherErr, r, err)
		}
	}
	for _, b := range r.Mismatches {
		said = append(said, b.Error())
	}
	return r, said, err
}

func TestCompare(t *testing.T) {
	m := doubler(t, 3, hardware.Int8)
	r, said, err := compareFolder(t, m, map[string]string{
		"a.i8": "\x01\x02\xff", "a.txt": "2 4 -2 ",
		"b.i8": "\x01\x02\x7f", "b.dimg": "2 4 127\n",
		"c.i8": "\x01\x02\xff", "c.dimg": dimg(40, 2, 4, 0xfe),
	})
	if err != nil || len(said) != 0 || r.Pictures != 3 || r.Equal != 3 || r.Elements != 9 {
		t.Errorf("%+v, %v, %v", r, said, err)
	}
	if c := r.Conclusion(); !strings.HasPrefix(c, "0 mismatches in 3 pictures (9 elements): with 95 % confidence less than 100 %") || !strings.Contains(c, "exactly 63.2 %") {
		t.Error(c)
	}
	r, said, err = compareFolder(t, m, map[string]string{
		"a.i8": "\x01\x02\xff", "a.txt": "2 4 -2",
		"b.i8": "\x01\x02\x7f", "b.txt": "2 5 -128",
		"c.i8": "\x01\x02\xff", "c.dimg": dimg(40, 2, 4, 0xff),
	})
	want := []string{
		"b: 2 of 3 elements differ, by 255 at most; the first is element 1: recorded 5, simulated 4",
		"c: 1 of 3 elements differ, by 1 at most; the first is element 2: recorded -1, simulated -2",
	}
	if err != nil || !slices.Equal(said, want) || r.Equal != 1 || len(r.Mismatches) != 2 {
		t.Errorf("%+v, %q, %v", r, said, err)
	}
	if c := r.Conclusion(); !strings.HasPrefix(c, "2 mismatches in 3 pictures: the simulator is not bit for bit") {
		t.Error(c)
	}
}

func TestCompareInt16(t *testing.T) {
	m := doubler(t, 2, hardware.Int16)
	// 2*127 and 2*-128 as 16 bits.
	r, said, err := compareFolder(t, m, map[string]string{
		"a.i8": "\x7f\x80", "a.txt": "254 -256", "b.i8": "\x7f\x80", "b.dimg": dimg(41, 0xfe, 0, 0, 0xff),
	})
	if err != nil || len(said) != 0 || r.Equal != 2 {
		t.Errorf("%+v, %v, %v", r, said, err)
	}
}

// Only a pixel map can tell that a picture went through nvdla_runtime's rule.
func TestComparePicture(t *testing.T) {
	m := doubler(t, 1, hardware.Int8)
	r, said, err := compareFolder(t, m, map[string]string{"a.pgm": "P5 1 1 255\nA", "a.txt": "64"}) // 65 becomes 32
	if err != nil || len(said) != 0 || r.Equal != 1 {
		t.Errorf("%+v, %v, %v", r, said, err)
	}
}

func TestCompareErrors(t *testing.T) {
	m := doubler(t, 3, hardware.Int8)
	for what, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"short tensor":   {map[string]string{"a.i8": "\x01\x02", "a.txt": "1 2 3"}, "a.i8: input \"in\" has 2 bytes, want 3 x 1 x 1"},
		"no picture":     {map[string]string{"a.jpg": "x", "a.txt": "1 2 3"}, "a.jpg: neither a JPEG"},
		"other picture":  {map[string]string{"a.pgm": "P5 2 1 255\nab", "a.txt": "1 2 3"}, "a.pgm: picture is 1 x 1 x 2"},
		"short output":   {map[string]string{"a.i8": "\x01\x02\x03", "a.txt": "1 2"}, "a.txt: has 2 integers, the program's output \"out\" has 3 elements"},
		"words":          {map[string]string{"a.i8": "\x01\x02\x03", "a.txt": "1 2 c"}, "a.txt: word 3"},
		"damaged golden": {map[string]string{"a.i8": "\x01\x02\x03", "a.dimg": "DIMG"}, "a.dimg: not a DIMG file"},
		"other golden":   {map[string]string{"a.i8": "\x01\x02\x03", "a.dimg": dimg(40, make([]byte, 5000)...)}, "was it recorded from this program"},
	} {
		if _, _, err := compareFolder(t, m, c.files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	none := *m.Program()
	none.Output.Cube.Region = -1
	n, err := simulate.New(&none)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := compareFolder(t, n, map[string]string{"a.i8": "\x01\x02\x03", "a.dimg": dimg(40, 1, 2, 3)}); err == nil || !strings.Contains(err.Error(), "has no output") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Compare(ctx, m, []Pair{{"a", "nowhere.i8", "nowhere.txt"}}, 1); !os.IsNotExist(err) {
		t.Error(err)
	}
	cancel()
	if _, err := Compare(ctx, m, []Pair{{"a", "nowhere.i8", "nowhere.txt"}}, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPairs(t *testing.T) {
	dir := folder(t, map[string]string{"b.JPG": "", "b.txt": "", "a.i8": "", "a.dimg": "", "notes.md": "", "c.jpeg": "", "c.txt": ""})
	if err := os.Mkdir(filepath.Join(dir, "d.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	pairs, err := Pairs(dir)
	if err != nil || len(pairs) != 3 || pairs[0].Name != "a" || pairs[1].Input != filepath.Join(dir, "b.JPG") || pairs[2].Output != filepath.Join(dir, "c.txt") {
		t.Errorf("%+v, %v", pairs, err)
	}
	if _, err := Pairs(filepath.Join(dir, "nowhere")); !os.IsNotExist(err) {
		t.Error(err)
	}
	for want, names := range map[string][]string{
		"holds no pair":          {"readme"},
		"a.i8 has no recorded":   {"a.i8", "b.i8", "b.txt"},
		"a.txt has no input":     {"a.txt", "b.i8", "b.txt"},
		"are for the same name;": {"a.i8", "a.pgm", "a.txt"},
	} {
		files := map[string]string{}
		for _, n := range names {
			files[n] = ""
		}
		if _, err := Pairs(folder(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", names, err, want)
		}
	}
}

// The bound without mismatches has a closed form, and 3/n is above it.
func TestUpper(t *testing.T) {
	for _, n := range []int{1, 3, 10, 300, 3000} {
		r := Result{Pictures: n, Equal: n}
		exact := 1 - math.Pow(0.05, 1/float64(n))
		if got := r.Upper(); math.Abs(got-exact) > 1e-9 || got > RuleOfThree(n) {
			t.Errorf("n = %d: %v, want %v, at most %v", n, got, exact, RuleOfThree(n))
		}
	}
	if RuleOfThree(300) != 0.01 || RuleOfThree(0) != 1 || RuleOfThree(2) != 1 {
		t.Error("rule of three")
	}
	// With k = 1 of n the bound solves (1-p)^n + n p (1-p)^(n-1) = 0.05.
	p, n := Result{Pictures: 100, Mismatches: []*Mismatch{{}}}.Upper(), 100.0
	if tail := math.Pow(1-p, n) + n*p*math.Pow(1-p, n-1); math.Abs(tail-0.05) > 1e-9 {
		t.Errorf("upper %v leaves %v", p, tail)
	}
}

func TestIntegers(t *testing.T) {
	if got := integers([]byte{0xff, 0x7f, 0x00, 0x80}, 2); !slices.Equal(got, []int{32767, -32768}) {
		t.Error(got)
	}
	if got := integers(bytes.Repeat([]byte{0x80}, 2), 1); !slices.Equal(got, []int{-128, -128}) {
		t.Error(got)
	}
}

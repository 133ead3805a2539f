package datasets

import (
	"context"
	"strings"
	"testing"
)

func TestPreprocessString(t *testing.T) {
	for want, p := range map[string]Preprocess{
		"pixel":                      {},
		"pixel/256":                  {Scale: 1. / 256},
		"pixel/255":                  {Scale: 1. / 255},
		"255-pixel/255":              {Invert: true, Scale: 1. / 255},
		"RGB minus 128":              {Mean: []float32{128}},
		"BGR":                        {Order: "bgr"},
		"BGR minus 104/117/123":      {Order: "bgr", Mean: []float32{104, 117, 123}},
		"RGB minus 1, times 0.017":   {Mean: []float32{1}, Scale: 0.017},
		"RGB minus 1, divided by 58": {Mean: []float32{1}, Scale: 1. / 58},
		"RGB minus mean image":       {MeanImage: []float32{1}},
		"inverted RGB minus 3":       {Invert: true, Mean: []float32{3}},
		"pixel times 2":              {Scale: 2},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestPreprocessErrors(t *testing.T) {
	nan := float32(0)
	nan /= nan
	for name, p := range map[string]Preprocess{
		"order": {Order: "gbr"}, "means": {Mean: []float32{1, 2}}, "both": {Mean: []float32{1}, MeanImage: []float32{1, 2, 3}},
		"nan": {Mean: []float32{nan}}, "negative": {Scale: -1}, "mean image": {MeanImage: []float32{nan, 0, 0}}, "size": {MeanImage: []float32{1}},
	} {
		if p.Check(3, 1, 1) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := (Preprocess{Mean: []float32{1, 2, 3}}).Check(3, 1, 1); err != nil {
		t.Error(err)
	}
}

func TestBytesAndFloats(t *testing.T) {
	pic := Picture{ID: "p", Channels: 3, Height: 1, Width: 2, Pixels: []byte{1, 2, 3, 4, 5, 6}}
	dst := make([]byte, 6)
	p := Preprocess{Order: "bgr", Invert: true, Mean: []float32{10, 20, 30}, Scale: 0.5}
	if err := p.Bytes(pic, 3, 1, 2, dst); err != nil {
		t.Fatal(err)
	}
	if want := string([]byte{250, 249, 252, 251, 254, 253}); string(dst) != want {
		t.Fatalf("bytes %v", dst)
	}
	out := make([]float32, 6)
	p.Floats(dst, 3, 1, 2, out)
	for i, want := range []float32{120, 119.5, 116, 115.5, 112, 111.5} {
		if out[i] != want || p.Value(dst[i], i/2, i) != want || p.LUT(i / 2)[dst[i]] != want {
			t.Errorf("element %d: %v, want %v", i, out[i], want)
		}
	}
	m := Preprocess{MeanImage: []float32{1, 2, 3, 4, 5, 6}}
	m.Floats(pic.Pixels, 3, 1, 2, out)
	for i, v := range out {
		if v != 0 {
			t.Errorf("mean image, element %d: %v", i, v)
		}
	}
	for _, s := range [][3]int{{1, 1, 2}, {3, 2, 2}, {3, 1, 1}} {
		if err := p.Bytes(pic, s[0], s[1], s[2], dst); err == nil || !strings.HasPrefix(err.Error(), "p: ") {
			t.Errorf("%v: %v", s, err)
		}
	}
	if p.Bytes(pic, 3, 1, 2, dst[:5]) == nil {
		t.Error("short buffer accepted")
	}
	pic.Pixels = pic.Pixels[:5]
	if p.Bytes(pic, 3, 1, 2, dst) == nil {
		t.Error("short picture accepted")
	}
}

func TestPreprocessDigest(t *testing.T) {
	if (Preprocess{}).Digest() != (Preprocess{Order: "rgb", Scale: 1}).Digest() {
		t.Error("equal rules have different digests")
	}
	seen := map[string]bool{}
	for _, p := range []Preprocess{{}, {Scale: 2}, {Invert: true}, {Order: "bgr"}, {Mean: []float32{1}}, {MeanImage: []float32{1}}, {MeanImage: []float32{2}}} {
		if d := p.Digest(); seen[d] || len(d) != 64 {
			t.Errorf("%v: digest %s", p, d)
		} else {
			seen[d] = true
		}
	}
}

func small(t *testing.T) Dataset {
	t.Helper()
	m, err := NewMemory(Info{Name: "toy", Split: "test", Classes: []string{"a", "b"}}, 1, 1, 2, []byte{1, 2, 3, 4, 5, 6}, []byte{0, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemoryAndRange(t *testing.T) {
	ctx, d := context.Background(), small(t)
	// sha256 of 01 02 00000000 03 04 01000000 05 06 01000000, by Python's hashlib.
	if got := d.Info().Digest; got != "834a88b954a4e328078d34fbec799e1fef4dfb40d85f6abd2294af5587ef061a" {
		t.Errorf("digest %s", got)
	}
	r, err := Range(d, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Picture(ctx, 1)
	if err != nil || p.ID != "toy/test/00002" || p.Label != 1 || string(p.Pixels) != "\x05\x06" {
		t.Errorf("%+v %v", p, err)
	}
	if want, _ := Digest(ctx, d, 1, 3); r.Info().Len != 2 || r.Info().Digest != want {
		t.Errorf("%+v", r.Info())
	}
	if same, _ := Range(d, 0, 3); same != d {
		t.Error("the whole range is not the set itself")
	}
	for _, i := range []int{-1, 2} {
		if _, err := r.Picture(ctx, i); err == nil {
			t.Errorf("picture %d of 2", i)
		}
	}
	if _, err := d.Picture(ctx, 3); err == nil {
		t.Error("picture 3 of 3")
	}
	for _, b := range [][2]int{{-1, 2}, {0, 4}, {2, 2}} {
		if _, err := Range(d, b[0], b[1]); err == nil {
			t.Errorf("range %v", b)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Digest(done, d, 0, 3); err == nil {
		t.Error("cancelled context ignored")
	}
}

func TestMemoryErrors(t *testing.T) {
	i := Info{Name: "toy", Classes: []string{"a"}}
	if _, err := NewMemory(i, 1, 1, 1, []byte{1, 2}, []byte{0}); err == nil {
		t.Error("sizes")
	}
	if _, err := NewMemory(i, 1, 1, 1, []byte{1}, []byte{1}); err == nil {
		t.Error("label")
	}
	e := (&MissingError{"mnist/test", []string{"/a/b"}, "get it"}).Error()
	if !strings.Contains(e, "/a/b") || !strings.Contains(e, "get it") {
		t.Error(e)
	}
	if e := (&MissingError{Dataset: "x"}).Error(); !strings.Contains(e, "no folder") {
		t.Error(e)
	}
}

package folder

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"quantbench/datasets"
	ownjpeg "quantbench/datasets/jpeg"
)

// scene is a picture with edges and colours.
func scene(w, h, seed int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{byte(x * 3), byte(y*5 + seed), byte((x/8 + y/8) % 2 * 200), 255})
		}
	}
	return m
}

func grey(m image.Image) image.Image {
	g := image.NewGray(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			g.Set(x, y, m.At(x, y))
		}
	}
	return g
}

// mixed are pictures of every kind that is read, and some that are not.
func mixed(t *testing.T, channels int) *Set {
	t.Helper()
	files := fstest.MapFS{
		"a/colour.jpg": {Data: jpegOf(t, scene(70, 50, 1))}, "a/grey.jpg": {Data: jpegOf(t, grey(scene(41, 60, 2)))},
		"a/colour.png": {Data: pngOf(t, scene(45, 44, 3))}, "a/grey.png": {Data: pngOf(t, grey(scene(90, 40, 4)))},
		"a/png.jpeg": {Data: pngOf(t, scene(60, 61, 5))}, // a PNG under a JPEG's name
		"b/cmyk.jpg": {Data: cmyk()}, "b/cut.jpg": {Data: jpegOf(t, scene(64, 64, 6))[:400]}, "b/one.jpg": {Data: jpegOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))},
	}
	classes, entries := []string{"a", "b"}, []Entry(nil)
	for label, class := range classes {
		var err error
		if entries, err = Below(files, class, label, entries); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(ctx, datasets.Info{Name: "mixed", Split: "test", Channels: channels, Classes: classes}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inputs are all pictures of a set by Input, from several goroutines; the error
// stands for a picture that has one.
func inputs(s *Set, p datasets.Preprocess, side int) []string {
	out := make([]string, s.Info().Len)
	var wait sync.WaitGroup
	for i := range out {
		wait.Go(func() {
			dst := make([]byte, 3*side*side)
			if err := s.Input(ctx, i, p, 3, side, side, dst); err != nil {
				out[i] = "error: " + err.Error()
				return
			}
			out[i] = string(dst)
		})
	}
	wait.Wait()
	return out
}

// Input is Bytes of Picture, byte for byte and error for error.
func TestInputIsBytesOfPicture(t *testing.T) {
	for _, channels := range []int{0, 3} {
		s := mixed(t, channels)
		for _, p := range []datasets.Preprocess{
			{Resize: datasets.Resize{Rule: datasets.Shorter, Size: 32}, Crop: datasets.Center, Convert: true, Order: "bgr"},
			{Resize: datasets.Resize{Rule: datasets.Squash}, Invert: true},
		} {
			got := inputs(s, p, 28)
			for i := range s.Info().Len {
				want := make([]byte, 3*28*28)
				pic, err := s.Picture(ctx, i)
				if err == nil {
					err = p.Bytes(pic, 3, 28, 28, want)
				}
				if err != nil {
					want = []byte("error: " + err.Error())
				}
				if got[i] != string(want) {
					t.Errorf("%d channels, %v: %s differs: %.100q %.100q", channels, p, s.entries[i].Name, got[i], want)
				}
			}
		}
	}
}

// The planar rule resizes a JPEG's own planes; a PNG's are at one resolution.
func TestPlanarInput(t *testing.T) {
	s := mixed(t, 3)
	p := datasets.Preprocess{Resize: datasets.Resize{Rule: datasets.Shorter, Size: 32}, Crop: datasets.Center, Planar: true}
	got := inputs(s, p, 28)
	r, err := p.Resizer(28, 28)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range s.entries {
		want := make([]byte, 3*28*28)
		data, err := e.Read()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Label == 1:
			if !strings.HasPrefix(got[i], "error: mixed/test/b/") {
				t.Errorf("%s: %.60q", e.Name, got[i])
			}
			continue
		case bytes.HasPrefix(data, []byte("\xff\xd8")):
			var planes ownjpeg.Planes
			if err := r.Decode(data, &planes, want); err != nil {
				t.Fatal(err)
			}
		default:
			pic, err := s.Picture(ctx, i)
			if err == nil {
				err = p.Bytes(pic, 3, 28, 28, want)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got[i] != string(want) {
			t.Errorf("%s differs", e.Name)
		}
	}
	if err := s.Input(ctx, 99, p, 3, 28, 28, nil); err == nil {
		t.Error("picture 99 was read")
	}
}

// BenchmarkInput is a file's way to a network's input, 224x224 from the shorter
// side 256, by each rule. Pictures are those of BENCH_DATA, or made ones.
func BenchmarkInput(b *testing.B) {
	s := benchmarkSet(b)
	plain := datasets.Preprocess{Order: "bgr", Resize: datasets.Resize{Rule: datasets.Shorter, Size: 256}, Crop: datasets.Center}
	planar := plain
	planar.Planar = true
	for name, f := range map[string]func(i int, dst []byte) error{
		"picture": func(i int, dst []byte) error {
			pic, err := s.Picture(ctx, i)
			if err != nil {
				return err
			}
			return plain.Bytes(pic, 3, 224, 224, dst)
		},
		"input":  func(i int, dst []byte) error { return s.Input(ctx, i, plain, 3, 224, 224, dst) },
		"planar": func(i int, dst []byte) error { return s.Input(ctx, i, planar, 3, 224, 224, dst) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 3*224*224)
			i, used := 0, cpuTime()
			for b.Loop() {
				if err := f(i%s.Info().Len, dst); err != nil {
					b.Fatal(err)
				}
				i++
			}
			if used = cpuTime() - used; used > 0 {
				b.ReportMetric(float64(b.N)/used.Seconds(), "pictures/cpu-s")
			}
		})
	}
}

func benchmarkSet(b *testing.B) *Set {
	var fsys fs.FS = fstest.MapFS{"a.JPEG": {Data: jpegOf(b, scene(500, 375, 1))}, "b.JPEG": {Data: jpegOf(b, scene(375, 500, 2))}}
	if root := os.Getenv("BENCH_DATA"); root != "" {
		fsys = os.DirFS(filepath.Join(root, "imagenet", "full-size"))
	}
	entries, err := Below(fsys, ".", 0, nil)
	if err != nil {
		b.Skip(err)
	}
	s, err := New(context.Background(), datasets.Info{Name: "b", Split: "test", Channels: 3, Classes: []string{"x"}}, entries)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

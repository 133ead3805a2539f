package jpeg

import (
	"bytes"
	"fmt"
	"image"
	std "image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// realFiles reads the pictures of a folder under $BENCH_DATA/imagenet, at most
// max of them.
func realFiles(t testing.TB, folder string, max int) (names []string, files [][]byte) {
	t.Helper()
	root := os.Getenv("BENCH_DATA")
	if root == "" {
		t.Skip("BENCH_DATA is not set: no real pictures to test with")
	}
	names, err := filepath.Glob(filepath.Join(root, "imagenet", folder, "*.JPEG"))
	if err != nil || len(names) == 0 {
		t.Skipf("no pictures in %s (%v)", filepath.Join(root, "imagenet", folder), err)
	}
	names = names[:min(max, len(names))]
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	return names, files
}

// perSecond runs f over the files, in turn, and reports pictures per second:
// over all of them, then over those of the two usual samplings.
func perSecond(b *testing.B, f func(data []byte) error) {
	_, files := realFiles(b, "full-size", 100)
	groups := map[string][][]byte{}
	var p Planes
	for _, data := range files {
		if err := Decode(data, &p); err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("1in%dx%d", p.Plane[1].DX, p.Plane[1].DY)
		groups["all"], groups[name] = append(groups["all"], data), append(groups[name], data)
	}
	for _, name := range []string{"all", "1in1x1", "1in2x2"} {
		if files := groups[name]; len(files) > 0 {
			b.Run(name, func(b *testing.B) { cycle(b, files, f) })
		}
	}
}

func cycle(b *testing.B, files [][]byte, f func(data []byte) error) {
	b.ReportAllocs()
	size := 0
	for _, data := range files { // the memory of the steady state
		size += len(data)
		if err := f(data); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(size / len(files)))
	i, used := 0, cpuTime()
	for b.Loop() {
		if err := f(files[i%len(files)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	report(b, cpuTime()-used)
}

// report gives the rate by the clock and by processor time.
func report(b *testing.B, used time.Duration) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
	if used > 0 {
		b.ReportMetric(float64(b.N)/used.Seconds(), "pictures/cpu-s")
	}
}

func BenchmarkDecode(b *testing.B) {
	var p Planes
	perSecond(b, func(data []byte) error { return Decode(data, &p) })
}

func BenchmarkDecodeStandard(b *testing.B) {
	perSecond(b, func(data []byte) error {
		_, err := std.Decode(bytes.NewReader(data))
		return err
	})
}

func BenchmarkDecodeRGBFancy(b *testing.B) {
	var p Planes
	var dst []byte
	perSecond(b, func(data []byte) (err error) {
		if err = Decode(data, &p); err == nil {
			dst, err = p.RGB(dst, Fancy)
		}
		return err
	})
}

func BenchmarkDecodeResize(b *testing.B) {
	var p Planes
	r, _ := NewResizer(ShorterSide, 256, 224)
	dst := make([]byte, 3*224*224)
	perSecond(b, func(data []byte) error { return r.Decode(data, &p, dst) })
}

// Pictures that need no data: 500x375, 4:2:0, by image/jpeg's encoder.
func BenchmarkDecodeResizeMade(b *testing.B) {
	var files [][]byte
	for seed := range uint64(8) {
		var buf bytes.Buffer
		if err := std.Encode(&buf, painting(seed, 500, 375), &std.Options{Quality: 80}); err != nil {
			b.Fatal(err)
		}
		files = append(files, buf.Bytes())
	}
	var p Planes
	r, _ := NewResizer(ShorterSide, 256, 224)
	dst := make([]byte, 3*224*224)
	b.Run("own", func(b *testing.B) {
		cycle(b, files, func(data []byte) error { return r.Decode(data, &p, dst) })
	})
	b.Run("image-jpeg", func(b *testing.B) {
		cycle(b, files, func(data []byte) error {
			img, err := std.Decode(bytes.NewReader(data))
			if err != nil {
				return err
			}
			if err := p.take(img); err != nil {
				return err
			}
			return r.Resize(&p, dst)
		})
	})
}

// The entropy decoding alone: no block is reconstructed.
func BenchmarkDecodeEntropy(b *testing.B) {
	var p Planes
	perSecond(b, func(data []byte) error { return p.decode(data, nothing{}) })
}

type nothing struct{}

func (nothing) window(*Planes, int) rectangle { return rectangle{} }

// image/jpeg and the same resize.
func BenchmarkDecodeResizeStandard(b *testing.B) {
	var p Planes
	r, _ := NewResizer(ShorterSide, 256, 224)
	dst := make([]byte, 3*224*224)
	perSecond(b, func(data []byte) error {
		img, err := std.Decode(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if err := p.take(img); err != nil {
			return err
		}
		return r.Resize(&p, dst)
	})
}

func BenchmarkResize(b *testing.B) {
	_, files := realFiles(b, "full-size", 1)
	var p Planes
	r, _ := NewResizer(ShorterSide, 256, 224)
	dst := make([]byte, 3*224*224)
	if err := Decode(files[0], &p); err != nil {
		b.Fatal(err)
	}
	used := cpuTime()
	for b.Loop() {
		if err := r.Resize(&p, dst); err != nil {
			b.Fatal(err)
		}
	}
	report(b, cpuTime()-used)
}

// compareStd reports the largest difference from what image/jpeg decodes.
func compareStd(t testing.TB, p *Planes, img image.Image) (worst int) {
	t.Helper()
	var want Planes
	if err := want.take(img); err != nil {
		t.Fatal(err)
	}
	if p.Width != want.Width || p.Height != want.Height || p.Model != want.Model {
		t.Fatalf("%dx%d model %d, image/jpeg %dx%d model %d", p.Width, p.Height, p.Model, want.Width, want.Height, want.Model)
	}
	for i := range p.planes() {
		a, b := p.Plane[i], want.Plane[i]
		if a.Width != b.Width || a.Height != b.Height || a.DX != b.DX || a.DY != b.DY {
			t.Fatalf("plane %d: %dx%d (1/%dx%d), image/jpeg %dx%d (1/%dx%d)", i, a.Width, a.Height, a.DX, a.DY, b.Width, b.Height, b.DX, b.DY)
		}
		for y := range a.Height {
			for x := range a.Width {
				d := int(a.Pix[y*a.Stride+x]) - int(b.Pix[y*b.Stride+x])
				worst = max(worst, d, -d)
			}
		}
	}
	return worst
}

func TestRealFiles(t *testing.T) {
	for _, folder := range []string{"full-size", "val-sample"} {
		names, files := realFiles(t, folder, 100)
		var p Planes
		own, hist := 0, map[int]int{}
		for i, data := range files {
			if err := Decode(data, &p); err != nil {
				t.Fatalf("%s: %v", names[i], err)
			}
			img, err := std.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if p.Path == Own {
				own++
			}
			d := compareStd(t, &p, img)
			if d > 1 {
				t.Errorf("%s: differs by %d from image/jpeg", names[i], d)
			}
			hist[d]++
		}
		t.Logf("%s: %d of %d by the own decoder; pictures by largest difference: %v", folder, own, len(files), hist)
	}
}

package datasets

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func noise(seed uint64, c, h, w int) Picture {
	r := rand.New(rand.NewPCG(seed, 1))
	p := Picture{ID: "noise", Channels: c, Height: h, Width: w, Pixels: make([]byte, c*h*w)}
	for i := range p.Pixels {
		p.Pixels[i] = byte(r.Uint32())
	}
	return p
}

// Worked by hand from the rule in the comment of taps.
func TestScaledByHand(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		m    int
		want []byte
	}{
		{[]byte{0, 100}, 4, []byte{0, 25, 75, 100}},
		{[]byte{0, 100}, 1, []byte{50}},
		{[]byte{0, 0, 0, 100}, 2, []byte{0, 43}},     // 100 * 0.75/1.75 = 42.86
		{[]byte{10, 20, 30}, 1, []byte{20}},          // weights 2/3 1 2/3
		{[]byte{255, 0, 0}, 1, []byte{73}},           // 255 * 2/7 = 72.86
		{[]byte{7}, 3, []byte{7, 7, 7}},              // one pixel
		{[]byte{255, 255, 255}, 2, []byte{255, 255}}, // nothing darkens
	} {
		row := Scaled(Picture{Channels: 1, Height: 1, Width: len(c.in), Pixels: c.in}, 1, c.m)
		column := Scaled(Picture{Channels: 1, Height: len(c.in), Width: 1, Pixels: c.in}, c.m, 1)
		if !bytes.Equal(row.Pixels, c.want) || !bytes.Equal(column.Pixels, c.want) {
			t.Errorf("%v to %d: row %v, column %v, want %v", c.in, c.m, row.Pixels, column.Pixels, c.want)
		}
	}
}

// oracle is one output of the rule in exact rational numbers, written from its
// continuous form: max(0, 1 - d/s).
func oracle(in []byte, m, i int) byte {
	n := len(in)
	s := big.NewRat(1, 1)
	if n > m {
		s.SetFrac64(int64(n), int64(m))
	}
	at := big.NewRat(int64((2*i+1)*n), int64(2*m))
	weights, sum := make([]*big.Rat, n), new(big.Rat)
	for x := range weights {
		d := new(big.Rat).Sub(big.NewRat(int64(2*x+1), 2), at)
		w := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(d.Abs(d), s))
		if w.Sign() < 0 {
			w.SetInt64(0)
		}
		weights[x] = w
		sum.Add(sum, w)
	}
	total := int64(1 << 21)
	for x, w := range weights {
		w.Quo(w, sum).Mul(w, big.NewRat(1<<22, 1)).Add(w, big.NewRat(1, 2))
		total += new(big.Int).Quo(w.Num(), w.Denom()).Int64() * int64(in[x])
	}
	return byte(min(total>>22, 255))
}

func TestScaledAgainstRationals(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		n, m := 1+r.IntN(40), 1+r.IntN(40)
		in := noise(seed, 1, 1, n)
		out := Scaled(in, 1, m)
		for i, got := range out.Pixels {
			if want := oracle(in.Pixels, m, i); got != want {
				t.Fatalf("%d to %d, output %d: %d, want %d", n, m, i, got, want)
			}
		}
	}
}

func TestScaledPlanes(t *testing.T) {
	in := noise(3, 3, 9, 7)
	out := Scaled(in, 5, 11)
	for c := range 3 {
		plane := Scaled(Picture{Channels: 1, Height: 9, Width: 7, Pixels: in.Pixels[c*63 : (c+1)*63]}, 5, 11)
		if !bytes.Equal(plane.Pixels, out.Pixels[c*55:(c+1)*55]) {
			t.Errorf("plane %d differs when alone", c)
		}
	}
	if same := Scaled(in, 9, 7); &same.Pixels[0] != &in.Pixels[0] {
		t.Error("a picture of the right size was resized")
	}
}

func TestTapsSumAndSymmetry(t *testing.T) {
	for _, s := range [][2]int{{500, 256}, {375, 256}, {1, 9}, {256, 500}, {4000, 32}, {227, 227}} {
		ts := taps(s[0], s[1])
		for i, a := range ts {
			sum, b := 0, ts[len(ts)-1-i]
			for k, w := range a.weights {
				sum += int(w)
				if w != b.weights[len(b.weights)-1-k] {
					t.Fatalf("%v: output %d is no mirror image", s, i)
				}
			}
			if off := abs(sum - 1<<fraction); off > len(a.weights) {
				t.Errorf("%v: output %d: weights sum to 2^22 + %d", s, i, off)
			}
		}
	}
}

func BenchmarkScaled(b *testing.B) {
	in := noise(1, 3, 375, 500)
	for b.Loop() {
		Scaled(in, 256, 341)
	}
}

func bytesOf(t *testing.T, p Preprocess, pic Picture, c, h, w int) []byte {
	t.Helper()
	if err := p.Check(c, h, w); err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, c*h*w)
	if err := p.Bytes(pic, c, h, w, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// TestAgree: descriptions that mean the same give the same bytes and values.
func TestAgree(t *testing.T) {
	square, fitting := noise(1, 3, 90, 90), noise(2, 3, 27, 27)
	caffe := Transform{CropSize: 27, MeanValue: []float32{104, 117, 123}, NewSide: 32, Order: "bgr"}.Preprocess()
	for name, c := range map[string]struct {
		pic  Picture
		a, b Preprocess
	}{
		"shorter and squash of a square": {square, Preprocess{Resize: Resize{Shorter, 32}, Crop: Center}, Preprocess{Resize: Resize{Squash, 32}, Crop: Center}},
		"squash to the network's size":   {square, Preprocess{Resize: Resize{Rule: Squash}}, Preprocess{Resize: Resize{Squash, 27}}},
		"nothing to squash":              {fitting, Preprocess{Resize: Resize{Rule: Squash}}, Preprocess{}},
		"nothing to crop":                {fitting, Preprocess{Crop: Center}, Preprocess{}},
		"nothing to convert":             {fitting, Preprocess{Convert: true}, Preprocess{}},
		"transform_param":                {square, caffe, Preprocess{Order: "bgr", Mean: []float32{104, 117, 123}, Resize: Resize{Shorter, 32}, Crop: Center}},
	} {
		a, b := bytesOf(t, c.a, c.pic, 3, 27, 27), bytesOf(t, c.b, c.pic, 3, 27, 27)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %v and %v disagree", name, c.a, c.b)
		}
		x, y := make([]float32, len(a)), make([]float32, len(a))
		c.a.Floats(a, 3, 27, 27, x)
		c.b.Floats(b, 3, 27, 27, y)
		for i := range x {
			if x[i] != y[i] {
				t.Fatalf("%s: value %d: %v and %v", name, i, x[i], y[i])
			}
		}
	}
	image := Mean{3, 32, 32, make([]float32, 3*32*32)}
	for i := range image.Values {
		image.Values[i] = caffe.Mean[i/1024]
	}
	withImage := caffe
	withImage.Mean = nil
	withImage.MeanImage, _ = image.Center(3, 27, 27)
	px := bytesOf(t, withImage, square, 3, 27, 27)
	x, y := make([]float32, len(px)), make([]float32, len(px))
	caffe.Floats(px, 3, 27, 27, x)
	withImage.Floats(px, 3, 27, 27, y)
	if x[1000] != y[1000] || x[0] != y[0] || x[2100] != y[2100] {
		t.Error("a flat mean image and its mean disagree")
	}
}

func TestCropAndChannels(t *testing.T) {
	pic := Picture{ID: "p", Channels: 1, Height: 3, Width: 4, Pixels: []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	if got := bytesOf(t, Preprocess{Crop: Center}, pic, 1, 2, 1); !bytes.Equal(got, []byte{1, 5}) {
		t.Errorf("crop %v", got)
	}
	if got := bytesOf(t, Preprocess{Crop: Center, Convert: true}, pic, 3, 1, 2); !bytes.Equal(got, []byte{5, 6, 5, 6, 5, 6}) {
		t.Errorf("coloured %v", got)
	}
	colour := Picture{ID: "c", Channels: 3, Height: 1, Width: 5, Pixels: []byte{255, 0, 0, 255, 1, 0, 255, 0, 255, 2, 0, 0, 255, 255, 3}}
	if got := bytesOf(t, Preprocess{Convert: true}, colour, 1, 1, 5); !bytes.Equal(got, []byte{76, 150, 29, 255, 2}) {
		t.Errorf("grey %v", got)
	}
	dst := make([]byte, 100)
	for want, f := range map[string]func() error{
		"cannot be cropped":     func() error { return Preprocess{Crop: Center}.Bytes(pic, 1, 5, 2, dst[:10]) },
		"declare resize":        func() error { return Preprocess{}.Bytes(pic, 1, 2, 2, dst[:4]) },
		"declare convert":       func() error { return Preprocess{}.Bytes(pic, 3, 3, 4, dst[:36]) },
		"channels, the network": func() error { return Preprocess{Convert: true}.Bytes(pic, 4, 3, 4, dst[:48]) },
		"on the longer":         func() error { return Preprocess{Resize: Resize{Shorter, 16000}}.Bytes(pic, 1, 3, 4, dst[:12]) },
		"0 bytes instead of 0":  func() error { return Preprocess{Resize: Resize{Shorter, 16}}.Bytes(Picture{}, 1, 3, 4, dst[:12]) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestShorter(t *testing.T) {
	for _, c := range [][5]int{{375, 500, 256, 256, 341}, {500, 375, 256, 341, 256}, {100, 100, 7, 7, 7}, {20, 10, 30, 60, 30}} {
		h, w, err := Resize{Shorter, c[2]}.target(noise(1, 1, c[0], c[1]), 1, 1)
		if err != nil || h != c[3] || w != c[4] {
			t.Errorf("%v: %dx%d %v", c, h, w, err)
		}
	}
}

func TestSizeRules(t *testing.T) {
	for _, p := range []Preprocess{
		{Resize: Resize{Size: 3}}, {Resize: Resize{Rule: Shorter}}, {Resize: Resize{Rule: "fill", Size: 3}}, {Resize: Resize{Squash, -1}},
		{Resize: Resize{Squash, 1 << 20}}, {Crop: "left"}, {Mean: []float32{1}, MeanFile: "f"},
	} {
		if p.Validate() == nil {
			t.Errorf("%+v: accepted", p)
		}
	}
	if err := (Preprocess{MeanFile: "f"}).Check(1, 1, 1); err == nil || !strings.Contains(err.Error(), "was not read") {
		t.Error(err)
	}
	seen := map[string]Preprocess{}
	for _, p := range []Preprocess{{}, {Resize: Resize{Squash, 0}}, {Resize: Resize{Squash, 2}}, {Resize: Resize{Shorter, 2}}, {Crop: Center}, {Convert: true}} {
		if q, ok := seen[p.Digest()]; ok {
			t.Errorf("%v and %v have one digest", p, q)
		}
		seen[p.Digest()] = p
	}
	if (Preprocess{MeanFile: "f"}).Digest() != (Preprocess{}).Digest() {
		t.Error("a file's name is part of the rule")
	}
	for want, p := range map[string]Preprocess{
		"BGR minus 1, shorter side 256, center crop": {Order: "bgr", Mean: []float32{1}, Resize: Resize{Shorter, 256}, Crop: Center},
		"pixel, squashed, channels converted":        {Resize: Resize{Rule: Squash}, Convert: true},
		"pixel/255, squashed to 28":                  {Scale: 1. / 255, Resize: Resize{Squash, 28}},
	} {
		if p.String() != want {
			t.Errorf("%q, want %q", p.String(), want)
		}
	}
}

// A window of a resized picture is cut out of it, whatever is computed.
func TestScaledWindow(t *testing.T) {
	for _, c := range []struct {
		channels, h, w, th, tw int
		of                     window
	}{
		{3, 40, 50, 20, 25, window{3, 4, 10, 11}}, {1, 40, 50, 40, 25, window{0, 0, 40, 25}}, {3, 40, 50, 20, 50, window{19, 49, 1, 1}},
		{3, 9, 7, 30, 31, window{5, 6, 20, 20}}, {2, 12, 12, 12, 12, window{2, 3, 4, 5}}, {1, 1, 1, 8, 8, window{0, 0, 8, 8}}, {3, 200, 100, 32, 16, window{0, 2, 32, 12}},
	} {
		pic := noise(uint64(c.h), c.channels, c.h, c.w)
		whole := Scaled(pic, c.th, c.tw)
		want := cut(whole, c.of)
		got := scaledWindow(pic, c.th, c.tw, c.of)
		if got.Height != c.of.h || got.Width != c.of.w || !bytes.Equal(got.Pixels, want.Pixels) {
			t.Errorf("%+v: another window", c)
		}
	}
}

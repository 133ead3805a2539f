package libjpeg

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand"
	"strings"
	"testing"
)

// A block of one coefficient is flat: 8*(v-128) gives v everywhere.
func TestFlatBlock(t *testing.T) {
	for _, v := range []int{0, 1, 127, 128, 200, 255} {
		co := [64]int{8 * (v - 128)}
		out := make([]byte, 64)
		inverseDCT(&co, out, 8)
		for i, p := range out {
			if int(p) != v {
				t.Fatalf("%d: pixel %d is %d", v, i, p)
			}
		}
	}
}

// The integer transform is within one step of the real one.
func TestTransform(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 200 {
		var co [64]int
		for i := range 12 {
			co[zigzag[i]] = r.Intn(200) - 100
		}
		want := realDCT(&co)
		out := make([]byte, 64)
		inverseDCT(&co, out, 8)
		for i, p := range out {
			if w := max(0, min(255, want[i]+128)); math.Abs(float64(p)-w) >= 1 {
				t.Fatalf("pixel %d: %d, exactly %v", i, p, w)
			}
		}
	}
}

func realDCT(co *[64]int) (out [64]float64) {
	c := func(u int) float64 {
		if u == 0 {
			return math.Sqrt(0.5)
		}
		return 1
	}
	for i := range out {
		for k, v := range co {
			u, w := k%8, k/8
			out[i] += 0.25 * c(u) * c(w) * float64(v) * math.Cos(float64(2*(i%8)+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*(i/8)+1)*float64(w)*math.Pi/16)
		}
	}
	return out
}

// The triangle filter on worked numbers, in one and in two directions.
func TestUpsampling(t *testing.T) {
	line := make([]byte, 6)
	triangle([]int{10, 20, 40}, line, 2, 1, 2)
	if want := []byte{10, 13, 17, 25, 35, 40}; !bytes.Equal(line, want) {
		t.Errorf("2x1: %v, want %v", line, want)
	}
	c := component{w: 3, lines: 2, stride: 3, pix: []byte{10, 20, 40, 50, 60, 80}}
	d := decoder{w: 6, h: 4, hmax: 2, vmax: 2}
	c.h, c.v = 1, 1
	out := make([]byte, 24)
	d.upsample(&c, out)
	// Line 1 has sums 3*10+50 = 80, 120, 200: (4*80+8)>>4 = 20, (3*80+120+7)>>4 = 22, ...
	if want := []byte{20, 22, 28, 35, 45, 50}; !bytes.Equal(out[6:12], want) {
		t.Errorf("2x2: %v, want %v", out[6:12], want)
	}
	d.vmax = 1
	d.h, c.lines = 2, 2
	d.upsample(&c, out)
	if want := []byte{10, 13, 17, 25, 35, 40}; !bytes.Equal(out[:6], want) {
		t.Errorf("2x1 plane: %v", out[:6])
	}
}

func TestDecodeFlat(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 17, 9))
	for i := range grey.Pix {
		grey.Pix[i] = 77
	}
	m := decode(t, grey)
	if m.C != 1 || m.W != 17 || m.H != 9 || len(m.Pix) != 17*9 || bytes.ContainsFunc(m.Pix, func(r rune) bool { return r != 77 }) {
		t.Errorf("grey: %+v", m)
	}
	rgb := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for i := range 200 {
		rgb.Set(i%20, i/20, color.RGBA{R: 255, A: 255})
	}
	m = decode(t, rgb)
	// Pure red becomes Y 76, Cb 85, Cr 255: back again 254, 0, 0.
	if m.C != 3 || m.Pix[0] != 254 || m.Pix[200] != 0 || m.Pix[400] != 0 {
		t.Errorf("red: %v %v %v", m.Pix[0], m.Pix[200], m.Pix[400])
	}
}

func decode(t *testing.T, m image.Image) *Image {
	t.Helper()
	p, err := Decode(encode(t, m))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Noise decodes to what the standard library decodes, but for the rounding of
// the transform: luminance alone, so that no chroma filter interferes.
func TestDecodeNoise(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 33, 25))
	r := rand.New(rand.NewSource(2))
	for i := range g.Pix {
		g.Pix[i] = byte(r.Intn(256))
	}
	b := encode(t, g)
	m, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	std, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 25 {
		for x := range 33 {
			a, b := int(m.Pix[y*33+x]), int(std.(*image.Gray).GrayAt(x, y).Y)
			if a-b > 1 || b-a > 1 {
				t.Fatalf("pixel %d, %d: %d and %d", x, y, a, b)
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	good := encode(t, image.NewGray(image.Rect(0, 0, 64, 64)))
	progressive := bytes.Replace(good, []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1)
	if _, err := Decode(progressive); err == nil || !strings.Contains(err.Error(), "progressive") {
		t.Errorf("progressive: %v", err)
	}
	for n := range len(good) - 40 {
		if _, err := Decode(good[:n]); err == nil {
			t.Fatalf("cut at %d of %d: accepted", n, len(good))
		}
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x55
		_, _ = Decode(b) // must not panic
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, image.NewGray(image.Rect(0, 0, 9, 9))))
	f.Add(encode(f, image.NewRGBA(image.Rect(0, 0, 9, 9))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Decode(b); err == nil && len(m.Pix) != m.C*m.H*m.W {
			t.Errorf("%d bytes", len(m.Pix))
		}
	})
}

package jpeg

import (
	"bytes"
	"image/color"
	"math"
	"testing"
)

// reference resizes in float64: every plane from its own samples, columns and
// rows weighed at once, converted to RGB without rounding in between.
func reference(r *Resizer, p *Planes, y, x int) [3]float64 {
	w, h := r.Resized(p.Width, p.Height)
	var v [3]float64
	for i := range p.planes() {
		q := &p.Plane[i]
		x0, wx := exact(axisKey{p.Width, q.DX, q.Width, w, r.offset(w), r.Crop}, x+r.offset(w))
		y0, wy := exact(axisKey{p.Height, q.DY, q.Height, h, r.offset(h), r.Crop}, y+r.offset(h))
		for j, b := range wy {
			for k, a := range wx {
				v[i] += a * b * float64(q.Pix[(y0+j)*q.Stride+x0+k])
			}
		}
	}
	switch p.Model {
	case Grey:
		return [3]float64{v[0], v[0], v[0]}
	case RGB:
		return v
	}
	cb, cr := v[1]-128, v[2]-128
	return [3]float64{v[0] + 1.402*cr, v[0] - 0.344136*cb - 0.714136*cr, v[0] + 1.772*cb}
}

func checkResize(t *testing.T, r *Resizer, p *Planes, got []byte) (worst float64) {
	t.Helper()
	n := r.Crop
	for y := range n {
		for x := range n {
			for c, v := range reference(r, p, y, x) {
				v = max(0, min(255, v))
				worst = max(worst, math.Abs(v-float64(got[(c*n+y)*n+x])))
			}
		}
	}
	if worst > 1 {
		t.Errorf("%dx%d model %d mode %d to %d, crop %d: differs by %.3f", p.Width, p.Height, p.Model, r.Mode, r.Size, r.Crop, worst)
	}
	return worst
}

func TestResize(t *testing.T) {
	var sketches []*sketch
	for i, f := range [][]int{{11}, {11, 11, 11}, {22, 11, 11}, {21, 11, 11}, {12, 11, 11}, {41, 11, 11}} {
		sketches = append(sketches, newSketch(uint64(i), 150+i, 97, f...), newSketch(uint64(50+i), 41, 260+i, f...), newSketch(uint64(90+i), 9, 5, f...))
	}
	rgb := newSketch(3, 60, 60, 11, 11, 11)
	rgb.ids = []byte("RGB")
	sketches = append(sketches, rgb)
	var p, whole Planes
	worst := 0.0
	for _, g := range []struct {
		mode       Mode
		size, crop int
	}{{ShorterSide, 64, 56}, {ShorterSide, 33, 33}, {Squash, 40, 37}, {ShorterSide, 120, 1}, {Squash, 12, 9}, {Squash, 4, 3}, {ShorterSide, 300, 30}} {
		r, err := NewResizer(g.mode, g.size, g.crop)
		if err != nil {
			t.Fatal(err)
		}
		got, again := make([]byte, 3*g.crop*g.crop), make([]byte, 3*g.crop*g.crop)
		for _, s := range sketches {
			data := s.encode()
			if err := r.Decode(data, &p, got); err != nil {
				t.Fatal(err)
			}
			if err := Decode(data, &whole); err != nil {
				t.Fatal(err)
			}
			if err := r.Resize(&whole, again); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, again) {
				t.Fatalf("%dx%d: the crop of the needed blocks differs from that of all blocks", s.width, s.height)
			}
			worst = max(worst, checkResize(t, r, &whole, got))
		}
	}
	t.Logf("largest difference from the float reference %.3f", worst)
}

func TestResizeReal(t *testing.T) {
	names, files := realFiles(t, "full-size", 12)
	r, _ := NewResizer(ShorterSide, 256, 224)
	var p, part Planes
	got, again := make([]byte, 3*224*224), make([]byte, 3*224*224)
	for i, data := range files {
		if err := Decode(data, &p); err != nil {
			t.Fatal(err)
		}
		if err := r.Resize(&p, got); err != nil {
			t.Fatal(err)
		}
		if err := r.Decode(data, &part, again); err != nil || !bytes.Equal(got, again) {
			t.Errorf("%s: the crop of the needed blocks differs (%v)", names[i], err)
		}
		t.Logf("%s: largest difference from the float reference %.3f", names[i], checkResize(t, r, &p, got))
	}
}

// A worked example: 8 samples to 4. The scale is 2, so output 1 has its centre
// at 3 and reaches 1 to 5: samples 1 to 4 with centres 1.5 to 4.5 weigh 1/8,
// 3/8, 3/8, 1/8. Output 0 loses what lies outside: 3/7, 3/7, 1/7.
func TestWeights(t *testing.T) {
	k := axisKey{pixels: 8, d: 1, samples: 8, resized: 4, offset: 0, crop: 4}
	if s, w := triangle(k, 1); s != 1 || len(w) != 4 || w[0] != 4096 || w[1] != 12288 || w[2] != 12288 || w[3] != 4096 {
		t.Errorf("output 1: from %d, %v", s, w)
	}
	if s, w := triangle(k, 0); s != 0 || len(w) != 3 || w[0] != 14043+1 || w[1] != 14043 || w[2] != 4681 {
		t.Errorf("output 0: from %d, %v", s, w)
	}
	for _, k := range []axisKey{{500, 2, 250, 341, 58, 224}, {375, 1, 375, 256, 16, 224}, {1, 4, 1, 256, 16, 224}, {9999, 1, 9999, 7, 1, 5}, {3, 2, 2, 9, 0, 9}} {
		a := newAxis(k)
		for i := range a.start {
			sum := uint64(0)
			for _, w := range a.weight[i*a.taps : (i+1)*a.taps] {
				sum += w
			}
			if sum != 1<<weightBits || a.start[i] < 0 || a.first+a.start[i]+a.taps > k.samples || a.end > k.samples {
				t.Errorf("%v, output %d: sum %d, samples %d+%d to %d", k, i, sum, a.first, a.start[i], a.end)
			}
		}
		for i, p := range a.pairs {
			sum := uint64(0)
			for _, w := range p.weight {
				sum += w
			}
			if want := uint64(1<<weightBits) * both; sum != want && (2*i+1 < k.crop || sum != 1<<weightBits) {
				t.Errorf("%v, pair %d: sum %x", k, i, sum)
			}
		}
	}
}

func TestGeometry(t *testing.T) {
	for _, c := range []struct {
		mode                   Mode
		w, h, outW, outH, x, y int
	}{
		{ShorterSide, 500, 375, 341, 256, 58, 16}, // (341-224)/2 = 58.5, to even
		{ShorterSide, 375, 500, 256, 341, 16, 58},
		{ShorterSide, 333, 333, 256, 256, 16, 16},
		{ShorterSide, 511, 375, 348, 256, 62, 16},
		{ShorterSide, 505, 375, 344, 256, 60, 16},
		{ShorterSide, 502, 375, 342, 256, 59, 16},
		{ShorterSide, 504, 375, 344, 256, 60, 16},
		{ShorterSide, 503, 375, 343, 256, 60, 16}, // 59.5, to even
		{Squash, 500, 375, 256, 256, 16, 16},
	} {
		r, _ := NewResizer(c.mode, 256, 224)
		w, h := r.Resized(c.w, c.h)
		if w != c.outW || h != c.outH || r.offset(w) != c.x || r.offset(h) != c.y {
			t.Errorf("%dx%d: %dx%d crop at %d,%d, want %+v", c.w, c.h, w, h, r.offset(w), r.offset(h), c)
		}
	}
	for _, c := range [][2]int{{0, 0}, {5, 6}, {5, 0}, {1 << 15, 5}} {
		if _, err := NewResizer(ShorterSide, c[0], c[1]); err == nil {
			t.Errorf("%v accepted", c)
		}
	}
	if _, err := NewResizer(2, 5, 5); err == nil {
		t.Error("mode 2 accepted")
	}
	r, _ := NewResizer(Squash, 5, 5)
	if r.Resize(&Planes{}, make([]byte, 75)) == nil || r.Resize(&Planes{}, nil) == nil || r.Decode(nil, &Planes{}, nil) == nil {
		t.Error("nothing to resize accepted")
	}
	var p Planes
	if _, err := p.RGB(nil, Fancy); err == nil {
		t.Error("RGB of nothing")
	}
}

// The weights of many sizes do not pile up.
func TestAxesBounded(t *testing.T) {
	r, _ := NewResizer(Squash, 8, 8)
	for n := range 1000 {
		r.axis(axisKey{n + 1, 1, n + 1, 8, 0, 8})
	}
	if len(r.axes) > maxAxes {
		t.Errorf("%d axes kept", len(r.axes))
	}
}

func TestRGBReplicate(t *testing.T) {
	for i, f := range [][]int{{11}, {11, 11, 11}, {22, 11, 11}, {21, 11, 11}, {12, 11, 11}, {41, 11, 11}} {
		s := newSketch(uint64(20+i), 37, 22, f...)
		var p Planes
		if err := Decode(s.encode(), &p); err != nil {
			t.Fatal(err)
		}
		got, err := p.RGB(nil, Replicate)
		if err != nil {
			t.Fatal(err)
		}
		for at := range 37 * 22 {
			x, y := at%37, at/37
			var v [3]byte
			for j := range p.planes() {
				q := &p.Plane[j]
				v[j] = q.Pix[y/q.DY*q.Stride+x/q.DX]
			}
			r, g, b := v[0], v[0], v[0]
			if p.Model == YCbCr {
				r, g, b = color.YCbCrToRGB(v[0], v[1], v[2])
			}
			for c, want := range []byte{r, g, b} {
				if d := int(got[c*37*22+at]) - int(want); d < -1 || d > 1 {
					t.Fatalf("%v: pixel %d,%d channel %d: %d, image/color %d", f, x, y, c, got[c*37*22+at], want)
				}
			}
		}
	}
}

// Worked examples of the fancy rule, by hand from its definition.
func TestFancy(t *testing.T) {
	plane := func(w, h, dx, dy int, pix ...byte) *Plane { return &Plane{pix, w, w, h, dx, dy} }
	across := plane(3, 1, 2, 1, 0, 100, 40)
	both := plane(3, 2, 2, 2, 0, 100, 40, 80, 20, 200)
	down := plane(2, 2, 1, 2, 0, 100, 40, 20)
	narrow := plane(2, 1, 2, 1, 10, 20)
	for _, c := range []struct {
		name string
		p    *Plane
		y    int
		want []byte
	}{
		// (0+1)>>2, (0*3+100+2)>>2, (300+0+1)>>2, (300+40+2)>>2, (120+100+1)>>2, (120+40+2)>>2
		{"2x1", across, 0, []byte{0, 25, 75, 85, 55, 40}},
		// Row 0 has no row above: sums 0, 400, 160.
		{"2x2 top", both, 0, []byte{0, 25, 75, 85, 55, 40}},
		// Row 1: sums 3*row0+row1 = 80, 320, 320.
		{"2x2 row 1", both, 1, []byte{20, 35, 65, 80, 80, 80}},
		// Row 2: sums 3*row1+row0 = 240, 160, 640.
		{"2x2 row 2", both, 2, []byte{60, 55, 45, 70, 130, 160}},
		{"1x2 row 1", down, 1, []byte{(0 + 40 + 2) >> 2, (300 + 20 + 2) >> 2}},
		{"1x2 row 2", down, 2, []byte{(120 + 0 + 1) >> 2, (60 + 100 + 1) >> 2}},
		{"narrow", narrow, 0, []byte{10, 10, 20, 20}},
	} {
		out := make([]byte, len(c.want))
		c.p.spread(c.y, Fancy, out, make([]int32, c.p.Width))
		if !bytes.Equal(out, c.want) {
			t.Errorf("%s: %v, want %v", c.name, out, c.want)
		}
	}
	var p Planes
	if err := Decode(newSketch(1, 37, 22, 22, 11, 11).encode(), &p); err != nil {
		t.Fatal(err)
	}
	if rgb, err := p.RGB(nil, Fancy); err != nil || len(rgb) != 3*37*22 {
		t.Errorf("%d bytes, %v", len(rgb), err)
	}
	if _, err := p.RGB(nil, 7); err == nil {
		t.Error("rule 7 accepted")
	}
}

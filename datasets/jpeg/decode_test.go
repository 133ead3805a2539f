package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	std "image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
)

// checkSketch compares decoded planes with the plain transform of the sketch's
// coefficients, byte for byte, padding included.
func checkSketch(t *testing.T, s *sketch, p *Planes) {
	t.Helper()
	hMax, vMax := s.max()
	for i := range s.h {
		q := &p.Plane[i]
		if w, h := ceilDiv(s.width*s.h[i], hMax), ceilDiv(s.height*s.v[i], vMax); q.Width != w || q.Height != h {
			t.Fatalf("plane %d: %dx%d, want %dx%d", i, q.Width, q.Height, w, h)
		}
		for y := range q.Height {
			for x := range q.Width {
				b := inverseCached(s, i, y/8*s.cols[i]+x/8)
				if got, want := q.Pix[y*q.Stride+x], b[y%8*8+x%8]; got != want {
					t.Fatalf("plane %d, sample %d,%d: %d, want %d", i, x, y, got, want)
				}
			}
		}
	}
}

var inverses = map[*[64]int][64]byte{}

func inverseCached(s *sketch, comp, b int) [64]byte {
	k := &s.blocks[comp][b]
	v, ok := inverses[k]
	if !ok {
		v = inverse(k, &s.quant)
		inverses[k] = v
	}
	return v
}

func TestSamplings(t *testing.T) {
	sizes := [][2]int{{1, 1}, {7, 9}, {16, 16}, {33, 17}, {70, 45}}
	for n, factors := range [][]int{{11}, {22}, {11, 11, 11}, {21, 11, 11}, {12, 11, 11}, {22, 11, 11}, {41, 11, 11}, {42, 11, 11}, {22, 21, 21}, {22, 12, 21}, {11, 22, 11}, {21, 21, 21}, {14, 11, 11}} {
		for m, size := range sizes {
			for variant := range 5 {
				s := newSketch(uint64(100*n+m), size[0], size[1], factors...)
				s.interval = []int{0, 1, 0, 2, 3}[variant]
				s.separate, s.wide, s.fill = variant == 2 || variant == 4, variant == 3, variant == 3
				t.Run(fmt.Sprintf("%v/%v/%d", factors, size, variant), func(t *testing.T) { checkFile(t, s) })
			}
		}
	}
}

func checkFile(t *testing.T, s *sketch) {
	data := s.encode()
	var p Planes
	if err := Decode(data, &p); err != nil {
		t.Fatal(err)
	}
	if p.Path != Own || p.Reason != "" {
		t.Fatalf("decoded by %v: %s", p.Path, p.Reason)
	}
	if h, v := s.h[0], s.v[0]; len(s.h) == 1 && (h > 1 || v > 1) {
		s.h, s.v = []int{1}, []int{1}
	}
	checkSketch(t, s, &p)
	if s.separate && s.interval > 0 {
		return // image/jpeg counts the blocks of a restart interval otherwise than T.81 A.2.2
	}
	img, err := std.Decode(bytes.NewReader(data))
	if err != nil {
		if !strings.Contains(err.Error(), "unsupported") {
			t.Fatal(err)
		}
		return // a sampling that image/jpeg has not
	}
	if _, ok := img.(*image.YCbCr); !ok && len(s.h) == 3 {
		return
	}
	if m, ok := img.(*image.YCbCr); ok {
		if dx, _, _ := ratio(m.SubsampleRatio); dx != p.Plane[1].DX {
			return // image/jpeg brings unusual samplings to a usual one
		}
	}
	if d := compareStd(t, &p, img); d > 1 {
		t.Fatalf("differs by %d from image/jpeg", d)
	}
}

// grey sketches of factors other than 1x1 are laid out as one block an MCU.
func TestGreyFactors(t *testing.T) {
	s := newSketch(3, 20, 20, 11)
	s.h, s.v = []int{2}, []int{2}
	want := *s
	want.h, want.v = []int{1}, []int{1}
	data := want.encode()
	i := bytes.Index(data, []byte{0xff, mSOF0})
	data[i+11] = 0x22
	var p Planes
	if err := Decode(data, &p); err != nil {
		t.Fatal(err)
	}
	checkSketch(t, &want, &p)
}

// painting is a picture for image/jpeg's encoder.
func painting(seed uint64, w, h int) image.Image {
	r := rand.New(rand.NewPCG(seed, 2))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	a, b, noise := r.IntN(7)+1, r.IntN(7)+1, r.IntN(3)*40+1
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{byte(a*x + r.IntN(noise)), byte(b*y + r.IntN(noise)), byte(x*y/16 + r.IntN(noise)), 255})
		}
	}
	return m
}

func TestStandardEncoder(t *testing.T) {
	var p Planes
	for seed := range uint64(60) {
		var buf bytes.Buffer
		w, h := 1+int(seed*7%90), 1+int(seed*13%70)
		if err := std.Encode(&buf, painting(seed, w, h), &std.Options{Quality: int(1 + seed*97%100)}); err != nil {
			t.Fatal(err)
		}
		if err := Decode(buf.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		img, err := std.Decode(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if d := compareStd(t, &p, img); d > 1 || p.Path != Own {
			t.Errorf("seed %d, %dx%d: differs by %d, path %v", seed, w, h, d, p.Path)
		}
	}
}

func TestInverseDCT(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var quant [64]uint16
	var ws [32]int64
	for n := range 20000 {
		var b [64]int
		last := r.IntN(64)
		for k := range last + 1 {
			quant[k] = uint16(1 + r.IntN(9))
			b[k] = r.IntN(2*(1+n%90)) - n%90
		}
		table, packed := packQuant(&quant), [32]int64{}
		for k, v := range b {
			packed[packIndex[k]] += int64(v) * table[k]
		}
		var got [64]byte
		idct(&packed, &ws, last, got[:], 8)
		if want := inverse(&b, &quant); got != want {
			t.Fatalf("block %v:\n%v, want\n%v", b, got, want)
		}
	}
}

func TestColourModels(t *testing.T) {
	adobe := func(transform byte) []byte {
		return segment(mAPP14, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform)...)
	}
	jfif := segment(mAPP0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")...)
	comment := segment(0xfe, []byte("a comment with \xff\xd9 in it")...)
	for name, c := range map[string]struct {
		extra []byte
		ids   []byte
		want  Model
	}{
		"plain":     {nil, nil, YCbCr},
		"comment":   {comment, nil, YCbCr},
		"adobe 0":   {adobe(0), nil, RGB},
		"adobe 1":   {adobe(1), nil, YCbCr},
		"jfif wins": {append(jfif, adobe(0)...), nil, YCbCr},
		"RGB ids":   {nil, []byte("RGB"), RGB},
		"jfif RGB":  {jfif, []byte("RGB"), YCbCr},
	} {
		s := newSketch(8, 24, 16, 11, 11, 11)
		s.extra, s.ids = c.extra, c.ids
		var p Planes
		if err := Decode(s.encode(), &p); err != nil || p.Model != c.want {
			t.Errorf("%s: model %d, %v", name, p.Model, err)
		}
		checkSketch(t, s, &p)
		img, err := std.Decode(bytes.NewReader(s.encode()))
		if err != nil {
			t.Fatal(err)
		}
		if d := compareStd(t, &p, img); d > 1 {
			t.Errorf("%s: differs by %d from image/jpeg", name, d)
		}
	}
}

func TestOtherwise(t *testing.T) {
	cmyk := newSketch(1, 20, 20, 11, 11, 11, 11)
	cmyk.extra = segment(mAPP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)
	progressive := newSketch(2, 40, 30, 22, 11, 11)
	progressive.progressive = true
	grey := newSketch(2, 40, 30, 11)
	grey.progressive = true
	stray := newSketch(2, 40, 30, 11, 11, 11)
	stray.extra = []byte{1, 2, 3}
	for reason, s := range map[string]*sketch{"4 components": cmyk, "progressive": progressive, "progressive ": grey, "stray bytes": stray} {
		var p Planes
		data := s.encode()
		if err := Decode(data, &p); err != nil {
			t.Fatalf("%s: %v", reason, err)
		}
		if p.Path != Standard || !strings.Contains(p.Reason, strings.TrimSpace(reason)) {
			t.Errorf("%s: path %v, reason %q", reason, p.Path, p.Reason)
		}
		img, err := std.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if d := compareStd(t, &p, img); d != 0 {
			t.Errorf("%s: %d from image/jpeg", reason, d)
		}
		rgb, err := p.RGB(nil, Replicate)
		if err != nil || len(rgb) != 3*s.width*s.height {
			t.Errorf("%s: %d bytes, %v", reason, len(rgb), err)
		}
	}
	if Own.String() != "own" || Standard.String() != "image/jpeg" {
		t.Error("names of the paths")
	}
}

// Files that neither decoder reads: the error must say which path was taken.
func TestUnsupported(t *testing.T) {
	for name, change := range map[string]func(s *sketch, data []byte) []byte{
		"12 bits":        func(s *sketch, d []byte) []byte { d[bytes.Index(d, []byte{0xff, mSOF0})+4] = 12; return d },
		"arithmetic":     func(s *sketch, d []byte) []byte { d[bytes.Index(d, []byte{0xff, mSOF0})+1] = 0xc9; return d },
		"sampling 3":     func(s *sketch, d []byte) []byte { d[bytes.Index(d, []byte{0xff, mSOF0})+11] = 0x31; return d },
		"lossless":       func(s *sketch, d []byte) []byte { d[bytes.Index(d, []byte{0xff, mSOF0})+1] = 0xc3; return d },
		"arithmetic DAC": func(s *sketch, d []byte) []byte { return append(d[:2:2], append(segment(mDAC, 0, 0), d[2:]...)...) },
	} {
		s := newSketch(2, 40, 30, 22, 11, 11)
		var p Planes
		err := Decode(change(s, s.encode()), &p)
		if name == "arithmetic DAC" && err == nil {
			continue // image/jpeg passes over the marker
		}
		if err == nil || p.Path != Standard || p.Reason == "" || !strings.Contains(err.Error(), p.Reason) {
			t.Errorf("%s: %v (path %v, %q)", name, err, p.Path, p.Reason)
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, s := range []*sketch{newSketch(4, 40, 30, 22, 11, 11), newSketch(5, 30, 30, 11)} {
		s.interval = 2
		data := s.encode()
		var p Planes
		for n := range data {
			if err := Decode(data[:n], &p); err == nil {
				t.Fatalf("%d of %d bytes: accepted", n, len(data))
			}
		}
		if err := Decode(append(data, "junk behind the end"...), &p); err != nil {
			t.Error(err)
		}
		checkSketch(t, s, &p)
	}
}

// Errors of damaged headers name the byte.
func TestDamaged(t *testing.T) {
	s := newSketch(4, 40, 30, 22, 11, 11)
	s.interval = 2
	good := s.encode()
	at := func(marker byte) int { return bytes.Index(good, []byte{0xff, marker}) }
	set := func(pos int, v ...byte) []byte {
		d := bytes.Clone(good)
		copy(d[pos:], v)
		return d
	}
	sof, sos, dht, dqt := at(mSOF0), at(mSOS), at(mDHT), at(mDQT)
	for name, data := range map[string][]byte{
		"begin":              set(0, 0x00),
		"no frame":           {0xff, mSOI, 0xff, mEOI},
		"zero width":         set(sof+7, 0, 0),
		"huge":               set(sof+5, 0xff, 0xff, 0xff, 0xff),
		"large":              set(sof+5, 0x0f, 0xff, 0x0f, 0xff),
		"components":         set(sof+9, 2),
		"factors 0":          set(sof+11, 0x00),
		"table":              set(sof+12, 4),
		"undefined table":    set(sof+12, 2),
		"same id":            set(sof+13, 1),
		"dqt kind":           set(dqt+4, 0x24),
		"dht class":          set(dht+4, 0x50),
		"dht counts":         set(dht+5, 3),
		"dht short":          set(dht+2, 0, 9),
		"dri":                set(at(mDRI)+2, 0, 3),
		"scan id":            set(sos+5, 9),
		"scan table":         set(sos+6, 0x10),
		"scan table 9":       set(sos+6, 0x99),
		"scan count":         set(sos+4, 4),
		"segment length":     set(dqt+2, 0, 1),
		"segment outside":    set(dqt+2, 0xff, 0xff),
		"restart number":     set(at(mRST0)+1, mRST0+1),
		"restart is end":     set(at(mRST0)+1, mEOI),
		"second frame":       append(bytes.Clone(good[:sos]), good[sof:]...),
		"scan before frame":  append(bytes.Clone(good[:2]), good[sos:]...),
		"second scan":        append(bytes.Clone(good[:len(good)-2]), good[sos:]...),
		"marker":             set(dqt, 0xff, 0x01),
		"restart in headers": set(dqt, 0xff, mRST0),
		"mcu of 12 blocks":   set(sof+11, 0x42, 0, 2, 0x41),
		"missing scan":       append(bytes.Clone(good[:sos]), 0xff, mEOI),
		"ends in fill":       append(bytes.Clone(good[:sos]), 0xff, 0xff),
	} {
		var p Planes
		if err := Decode(data, &p); err == nil {
			t.Errorf("%s: accepted", name)
		} else if p.Path == Own && !strings.HasPrefix(err.Error(), "jpeg: byte ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := Planes{MaxPixels: 100}
	if err := Decode(good, &p); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("limit: %v", err)
	}
	s.progressive = true
	if err := Decode(s.encode(), &p); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("limit, progressive: %v", err)
	}
}

// Flipped bytes in the coded data are an error or a picture, never a panic.
func TestFlipped(t *testing.T) {
	s := newSketch(6, 60, 50, 21, 11, 11)
	s.interval = 4
	good := s.encode()
	r := rand.New(rand.NewPCG(7, 7))
	var p Planes
	failed := 0
	for range 5000 {
		data := bytes.Clone(good)
		for range 1 + r.IntN(4) {
			data[r.IntN(len(data))] = byte(r.IntN(256))
		}
		if Decode(data, &p) != nil {
			failed++
		}
	}
	if failed < 500 {
		t.Errorf("only %d of 5000 damaged files were refused", failed)
	}
	if err := Decode(good, &p); err != nil {
		t.Fatal(err)
	}
	checkSketch(t, s, &p)
}

func TestNoAllocations(t *testing.T) {
	a, b := newSketch(1, 90, 70, 22, 11, 11), newSketch(2, 90, 70, 22, 11, 11)
	a.interval = 3
	files := [][]byte{a.encode(), b.encode()}
	var p Planes
	r, err := NewResizer(ShorterSide, 48, 40)
	if err != nil {
		t.Fatal(err)
	}
	crop, rgb, i := make([]byte, 3*40*40), []byte(nil), 0
	step := func() {
		i++
		if err := Decode(files[i%2], &p); err != nil {
			t.Fatal(err)
		}
		if rgb, err = p.RGB(rgb, Fancy); err != nil {
			t.Fatal(err)
		}
		if err := r.Decode(files[i%2], &p, crop); err != nil {
			t.Fatal(err)
		}
	}
	step()
	step()
	if n := testing.AllocsPerRun(20, step); n != 0 {
		t.Errorf("%v allocations a picture in the steady state", n)
	}
}

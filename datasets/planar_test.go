package datasets

import (
	"strings"
	"testing"
)

// On planes of one resolution the planar filter is the same filter in other fixed
// point: rounded once instead of twice, it differs by 1 at most.
func TestPlanarIsTheSameFilter(t *testing.T) {
	for _, c := range []struct {
		channels, h, w int
		plain          Preprocess
	}{
		{3, 61, 90, Preprocess{Resize: Resize{Shorter, 32}, Crop: Center}},
		{3, 90, 61, Preprocess{Resize: Resize{Shorter, 33}, Crop: Center, Order: "bgr"}},
		{1, 40, 50, Preprocess{Resize: Resize{Rule: Squash}, Invert: true}},
		{1, 40, 50, Preprocess{Resize: Resize{Squash, 31}, Crop: Center}},
		{3, 20, 15, Preprocess{Resize: Resize{Shorter, 40}, Crop: Center}}, // enlarged
	} {
		pic := noise(3, c.channels, c.h, c.w)
		planar := c.plain
		planar.Planar = true
		a, b := bytesOf(t, c.plain, pic, c.channels, 28, 28), bytesOf(t, planar, pic, c.channels, 28, 28)
		for i := range a {
			if d := int(a[i]) - int(b[i]); d < -1 || d > 1 {
				t.Errorf("%v: byte %d is %d and %d", planar, i, a[i], b[i])
				break
			}
		}
		if planar.Digest() == c.plain.Digest() || planar.BytesDigest() == c.plain.BytesDigest() || !strings.Contains(planar.String(), "plane by plane") {
			t.Errorf("%v is no rule of its own", planar)
		}
	}
}

func TestPlanarErrors(t *testing.T) {
	for want, p := range map[string]Preprocess{
		"needs a resize rule":  {Planar: true, Crop: Center},
		"declare crop: center": {Planar: true, Resize: Resize{Shorter, 32}},
		"takes 28":             {Planar: true, Resize: Resize{Shorter, 20}, Crop: Center},
	} {
		if err := p.Check(3, 28, 28); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", p, err, want)
		}
	}
	p := Preprocess{Planar: true, Resize: Resize{Rule: Squash}}
	if err := p.Check(3, 28, 30); err == nil || !strings.Contains(err.Error(), "squares") {
		t.Error(err)
	}
	if err := p.Bytes(noise(1, 3, 9, 9), 3, 28, 30, make([]byte, 3*28*30)); err == nil {
		t.Error("a rectangle was made")
	}
}

// Networks that differ in mean and scale only share decoded pictures.
func TestBytesDigest(t *testing.T) {
	a := Preprocess{Order: "bgr", Mean: []float32{1, 2, 3}, Scale: 0.5, Resize: Resize{Shorter, 32}, Crop: Center}
	b := Preprocess{Order: "bgr", MeanImage: []float32{1}, Resize: Resize{Shorter, 32}, Crop: Center}
	if a.BytesDigest() != b.BytesDigest() || a.BytesText() != "BGR, shorter side 32, center crop" {
		t.Errorf("%q", a.BytesText())
	}
	seen := map[string]bool{}
	for _, p := range []Preprocess{a, {}, {Order: "bgr"}, {Invert: true}, {Resize: Resize{Shorter, 32}, Crop: Center}, {Convert: true}} {
		if seen[p.BytesDigest()] {
			t.Errorf("%v shares its bytes", p)
		}
		seen[p.BytesDigest()] = true
	}
}

package jpeg

import (
	"bytes"
	std "image/jpeg"
	"testing"
)

// FuzzDecode compares with image/jpeg wherever both decode and the coefficients
// are such as a transform of bytes can have (beyond them both transforms
// overflow, each in its own way), and resizes whatever was decoded.
func FuzzDecode(f *testing.F) {
	for i, factors := range [][]int{{11}, {11, 11, 11}, {22, 11, 11}, {21, 11, 11}, {11, 11, 11, 11}} {
		s := newSketch(uint64(i), 20+i, 17, factors...)
		s.interval = i % 3
		f.Add(s.encode())
		s.progressive, s.interval = true, 0
		f.Add(s.encode())
	}
	var buf bytes.Buffer
	if err := std.Encode(&buf, painting(1, 33, 20), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	var p, part Planes
	p.MaxPixels, part.MaxPixels = 1<<18, 1<<18
	r, err := NewResizer(ShorterSide, 16, 15)
	if err != nil {
		f.Fatal(err)
	}
	wild := false
	p.dec.inspect = func(b *[32]int64) {
		sum := int64(0)
		for _, v := range b {
			lo := int64(int32(v))
			hi := (v - lo) >> 32
			sum += max(lo, -lo) + max(hi, -hi)
		}
		wild = wild || sum > 1<<13 // image/jpeg wraps there; see TestIDCTBeyondBytes
	}
	crop, again := make([]byte, 3*15*15), make([]byte, 3*15*15)
	f.Fuzz(func(t *testing.T, data []byte) {
		wild = false
		err := Decode(data, &p)
		if errPart := r.Decode(data, &part, crop); (err == nil) != (errPart == nil) {
			t.Fatalf("all blocks: %v, needed blocks: %v", err, errPart)
		}
		if err != nil {
			return
		}
		if err := r.Resize(&p, again); err != nil || !bytes.Equal(crop, again) {
			t.Fatalf("the crop of the needed blocks differs: %v", err)
		}
		if _, err := p.RGB(nil, Fancy); err != nil {
			t.Fatal(err)
		}
		img, err := std.Decode(bytes.NewReader(data))
		if err != nil || p.Path == Standard || wild {
			return
		}
		var want Planes
		if err := want.take(img); err != nil {
			t.Fatal(err)
		}
		if want.Plane[1].DX != p.Plane[1].DX || want.Plane[1].DY != p.Plane[1].DY || want.Plane[0].DX != p.Plane[0].DX || want.Plane[0].DY != p.Plane[0].DY {
			return
		}
		if d := compareStd(t, &p, img); d > 1 {
			t.Fatalf("differs by %d from image/jpeg", d)
		}
	})
}

package loadable

import (
	"bytes"
	"fmt"
	"strconv"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/loadable/libjpeg"
)

// Picture is what nvdla_runtime makes of a picture file: bytes in channel, line,
// column order, channels blue, green, red for JPEG.
type Picture struct {
	C, H, W int
	Pixels  []byte
}

// ReadPicture decodes a JPEG or a binary PGM (P5), told apart by their first
// bytes. Errors name the file.
func ReadPicture(file string, b []byte) (*Picture, error) {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xd8}):
		return readJPEG(file, b)
	case bytes.HasPrefix(b, []byte("P5")):
		return readPGM(file, b)
	}
	return nil, fmt.Errorf("%s: neither a JPEG nor a binary PGM (P5) picture", file)
}

// readJPEG decodes as libjpeg does, which nvdla_runtime uses, and turns red,
// green, blue around.
func readJPEG(file string, b []byte) (*Picture, error) {
	m, err := libjpeg.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := &Picture{C: m.C, H: m.H, W: m.W}
	plane := m.H * m.W
	for c := m.C - 1; c >= 0; c-- {
		p.Pixels = append(p.Pixels, m.Pix[c*plane:(c+1)*plane]...)
	}
	return p, nil
}

// maxPixels bounds a picture.
const maxPixels = 1 << 26

// readPGM reads P5 with a maximum of 255; comments (#) are allowed.
func readPGM(file string, b []byte) (*Picture, error) {
	at := 2
	var n [3]int
	for i := range n {
		word := pgmWord(b, &at)
		v, err := strconv.Atoi(word)
		if err != nil || v < 1 || v > maxPixels {
			return nil, fmt.Errorf("%s: PGM header: %q is not a size", file, word)
		}
		n[i] = v
	}
	at++ // one blank ends the header
	if n[2] > 255 || n[0] > maxPixels/n[1] {
		return nil, fmt.Errorf("%s: PGM of %d x %d with maximum %d is not supported", file, n[0], n[1], n[2])
	}
	if at > len(b) || n[0]*n[1] > len(b)-at {
		return nil, fmt.Errorf("%s: PGM of %d x %d ends after %d bytes", file, n[0], n[1], len(b))
	}
	return &Picture{C: 1, H: n[1], W: n[0], Pixels: b[at : at+n[0]*n[1]]}, nil
}

// pgmWord is the next word of the header, comments skipped.
func pgmWord(b []byte, at *int) string {
	blank := func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
	for *at < len(b) && (blank(b[*at]) || b[*at] == '#') {
		if b[*at] == '#' {
			for *at < len(b) && b[*at] != '\n' {
				*at++
			}
			continue
		}
		*at++
	}
	from := *at
	for *at < len(b) && !blank(b[*at]) {
		*at++
	}
	return string(b[from:*at])
}

// Input makes the program's input of a picture with the fixed rule of
// nvdla_runtime (hardware.InputPixel). The size must be the input's; a picture
// may have fewer channels than an A8B8G8R8 input.
func (p *Picture) Input(t hardware.Tensor) ([]int8, error) {
	q := t.Cube
	if p.W != q.W || p.H != q.H || p.C > q.C {
		return nil, fmt.Errorf("picture is %d x %d x %d, input %q is %d x %d x %d", p.C, p.H, p.W, t.Name, q.C, q.H, q.W)
	}
	in := make([]int8, len(p.Pixels))
	for i, v := range p.Pixels {
		in[i] = hardware.InputPixel(v)
	}
	return in, nil
}

// Package libjpeg decodes baseline JPEG pictures to exactly the bytes that
// libjpeg gives by default: its slow integer DCT, its triangle filter for
// chroma, its integer colour conversion. The decoder of the standard library
// differs by a few steps a pixel, enough to change a network's integers.
//
// Only what nvdla_runtime is fed with: 8-bit sequential Huffman pictures in one
// interleaved scan, grey or YCbCr. Progressive pictures are refused.
package libjpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Image is a decoded picture: C planes (grey, or red, green, blue) of H lines of
// W bytes, one after the other.
type Image struct {
	C, H, W int
	Pix     []byte
}

// maxPixels bounds a picture.
const maxPixels = 1 << 26

// component is one colour component of the frame.
type component struct {
	id             byte
	h, v           int // sampling factors
	quant, dc, ac  int // tables
	w, lines       int // true size of the plane
	stride, height int // size in whole MCUs
	pix            []byte
	pred           int
}

// decoder holds the tables and the frame.
type decoder struct {
	b              []byte
	quant          [4][64]int
	huff           [2][4]huffman
	comps          []component
	w, h           int
	hmax, vmax     int
	restart        int
	adobeTransform int // -1 if no Adobe marker
	bits           bitReader
}

// zigzag is the order of coefficients in the file.
var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// Decode reads a picture.
func Decode(b []byte) (*Image, error) {
	d := &decoder{b: b, adobeTransform: -1}
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xd8 {
		return nil, errors.New("not a JPEG picture")
	}
	at := 2
	for {
		marker, body, next, err := d.segment(at)
		if err != nil {
			return nil, err
		}
		at = next
		if marker == 0xda {
			if err := d.scan(body, b[at:]); err != nil {
				return nil, err
			}
			return d.image()
		}
		if err := d.table(marker, body); err != nil {
			return nil, fmt.Errorf("JPEG marker %#x at byte %d: %w", marker, next-len(body)-2, err)
		}
	}
}

// segment cuts out the marker segment at a position.
func (d *decoder) segment(at int) (marker byte, body []byte, next int, err error) {
	for at+1 < len(d.b) && d.b[at] == 0xff && d.b[at+1] == 0xff {
		at++
	}
	if at+4 > len(d.b) || d.b[at] != 0xff {
		return 0, nil, 0, fmt.Errorf("byte %d of %d: no JPEG marker", at, len(d.b))
	}
	n := int(binary.BigEndian.Uint16(d.b[at+2:]))
	if n < 2 || n > len(d.b)-at-2 {
		return 0, nil, 0, fmt.Errorf("byte %d: JPEG segment of %d bytes in a file of %d", at, n, len(d.b))
	}
	return d.b[at+1], d.b[at+4 : at+2+n], at + 2 + n, nil
}

// table takes in a segment before the scan.
func (d *decoder) table(marker byte, body []byte) error {
	switch {
	case marker == 0xdb:
		return d.quantTables(body)
	case marker == 0xc4:
		return d.huffmanTables(body)
	case marker == 0xc0 || marker == 0xc1:
		return d.frame(body)
	case marker == 0xc2:
		return errors.New("progressive JPEG is not supported, save it as baseline")
	case marker > 0xc2 && marker < 0xd0 && marker != 0xc8 && marker != 0xcc:
		return errors.New("this kind of JPEG is not supported, save it as baseline")
	case marker == 0xdd && len(body) >= 2:
		d.restart = int(binary.BigEndian.Uint16(body))
	case marker == 0xee && len(body) >= 12 && string(body[:5]) == "Adobe":
		d.adobeTransform = int(body[11])
	}
	return nil
}

func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		wide, id := int(b[0]>>4), b[0]&15
		n := 64 * (1 + wide)
		if wide > 1 || id > 3 || len(b) < 1+n {
			return errors.New("damaged quantization table")
		}
		for i, z := range zigzag {
			if wide == 1 {
				d.quant[id][z] = int(binary.BigEndian.Uint16(b[1+2*i:]))
			} else {
				d.quant[id][z] = int(b[1+i])
			}
		}
		b = b[1+n:]
	}
	return nil
}

func (d *decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return errors.New("damaged Huffman table")
		}
		total := 0
		for _, n := range b[1:17] {
			total += int(n)
		}
		if total > 256 || len(b) < 17+total {
			return errors.New("damaged Huffman table")
		}
		d.huff[b[0]>>4][b[0]&15] = newHuffman(b[1:17], b[17:17+total])
		b = b[17+total:]
	}
	return nil
}

// frame reads the picture's size and components.
func (d *decoder) frame(b []byte) error {
	if len(b) < 6 || b[0] != 8 || len(d.comps) > 0 {
		return errors.New("damaged frame, or not 8 bits a sample")
	}
	d.h, d.w = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	n := int(b[5])
	if (n != 1 && n != 3) || len(b) < 6+3*n || d.w == 0 || d.h == 0 || d.w*d.h > maxPixels {
		return fmt.Errorf("%d x %d pixels of %d components are not supported", d.w, d.h, n)
	}
	for i := range n {
		c := component{id: b[6+3*i], h: int(b[7+3*i] >> 4), v: int(b[7+3*i] & 15), quant: int(b[8+3*i])}
		if c.h < 1 || c.h > 2 || c.v < 1 || c.v > 2 || c.quant > 3 {
			return fmt.Errorf("sampling %d x %d is not supported", c.h, c.v)
		}
		if n == 1 {
			c.h, c.v = 1, 1
		}
		d.hmax, d.vmax = max(d.hmax, c.h), max(d.vmax, c.v)
		d.comps = append(d.comps, c)
	}
	return d.allocate()
}

func (d *decoder) allocate() error {
	up := func(a, b int) int { return (a + b - 1) / b }
	mx, my := up(d.w, 8*d.hmax), up(d.h, 8*d.vmax)
	for i := range d.comps {
		c := &d.comps[i]
		if d.hmax%c.h != 0 || d.vmax%c.v != 0 {
			return errors.New("sampling factors do not divide each other")
		}
		c.w, c.lines = up(d.w*c.h, d.hmax), up(d.h*c.v, d.vmax)
		c.stride, c.height = mx*8*c.h, my*8*c.v
		c.pix = make([]byte, c.stride*c.height)
	}
	return nil
}

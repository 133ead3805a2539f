package jpeg

import (
	"encoding/binary"
	"fmt"
)

// Marker bytes of ITU-T T.81, table B.1, behind 0xff.
const (
	mSOF0  = 0xc0
	mSOF1  = 0xc1
	mDHT   = 0xc4
	mDAC   = 0xcc
	mSOF15 = 0xcf
	mRST0  = 0xd0
	mSOI   = 0xd8
	mEOI   = 0xd9
	mSOS   = 0xda
	mDQT   = 0xdb
	mDRI   = 0xdd
	mAPP0  = 0xe0
	mAPP14 = 0xee
)

// component is one component of the frame in progress.
type component struct {
	id       byte
	h, v     int // sampling factors
	quant    int // quantization table
	dc, ac   int // Huffman tables of the scan in progress
	pred     int64
	seen     bool      // its scan was read
	want     rectangle // the blocks to reconstruct
	plane    *Plane
	quantize [64]int64
}

// rectangle is x0 <= x < x1, y0 <= y < y1.
type rectangle struct{ x0, y0, x1, y1 int }

// decoder is what the decoding of one file needs; the memory is used again.
type decoder struct {
	data     []byte
	pos      int // the next byte to read
	out      *Planes
	quant    [4][64]uint16
	hasQuant [4]bool
	huff     [2][4]huffman // DC, AC
	interval int           // MCUs between restart markers; 0: none
	frame    bool          // SOF was read
	comp     [3]component
	nComp    int
	hMax     int
	vMax     int
	jfif     bool
	adobe    int      // the Adobe marker's transform; -1: no such marker
	window   windower // which samples the caller will look at; nil: all
	bits     bitReader
	rows     rowBuffers
	set      scanSet
	inspect  func(b *[32]int64) // sees every block's coefficients; nil but in tests

	coefficients, ws [32]int64 // a block, and the work memory of its inverse DCT
}

// windower says which samples of a plane will be looked at.
type windower interface {
	window(p *Planes, plane int) rectangle
}

// otherwise is the error of files that image/jpeg must read.
type otherwise string

func (o otherwise) Error() string { return string(o) }

// Decode decodes a JPEG file into dst, whose memory is used again: pictures of
// equal size and sampling, decoded by this package, allocate nothing. After an
// error the contents of dst are undefined, but it can be used again.
func Decode(data []byte, dst *Planes) error {
	return dst.decode(data, nil)
}

func (p *Planes) decode(data []byte, w windower) error {
	p.Path, p.Reason = Own, ""
	err := p.dec.run(data, p, w)
	p.dec.data, p.dec.out, p.dec.window = nil, nil, nil
	if o, ok := err.(otherwise); ok {
		return p.standard(data, string(o))
	}
	return err
}

// run decodes a whole file.
func (d *decoder) run(data []byte, out *Planes, w windower) error {
	d.data, d.out, d.window, d.pos = data, out, w, 0
	d.interval, d.frame, d.jfif, d.adobe = 0, false, false, -1
	d.hasQuant = [4]bool{}
	for i := range d.huff {
		for j := range d.huff[i] {
			d.huff[i][j].defined = false
		}
	}
	if len(data) < 2 || data[0] != 0xff || data[1] != mSOI {
		return d.bad("the file does not begin with ff d8; it is no JPEG")
	}
	d.pos = 2
	for {
		marker, err := d.marker()
		if err != nil {
			return err
		}
		if marker == mEOI {
			return d.finish()
		}
		if err := d.segment(marker); err != nil {
			return err
		}
	}
}

// bad is an error at the current position.
func (d *decoder) bad(format string, args ...any) error {
	return fmt.Errorf("jpeg: byte %d: %s", d.pos, fmt.Sprintf(format, args...))
}

// finish checks that every component had its scan.
func (d *decoder) finish() error {
	if !d.frame {
		return d.bad("the file ends without a picture")
	}
	for i := range d.nComp {
		if !d.comp[i].seen {
			return d.bad("component %d has no scan; the file is damaged", i)
		}
	}
	return nil
}

// marker reads the next marker.
func (d *decoder) marker() (byte, error) {
	if d.pos+2 > len(d.data) {
		return 0, d.bad("the file ends before its end marker; it is truncated")
	}
	if d.data[d.pos] != 0xff {
		return 0, otherwise("stray bytes between segments")
	}
	for d.pos+1 < len(d.data) && d.data[d.pos+1] == 0xff {
		d.pos++
	}
	if d.pos+2 > len(d.data) {
		return 0, d.bad("the file ends in fill bytes; it is truncated")
	}
	m := d.data[d.pos+1]
	d.pos += 2
	return m, nil
}

// segment reads the marker segment that follows a marker.
func (d *decoder) segment(marker byte) error {
	if marker >= mRST0 && marker < mSOI && d.frame {
		return nil // some encoders write one more behind the last interval
	}
	if marker < 0xc0 || marker >= mRST0 && marker <= mSOI {
		return d.bad("marker ff %02x has no place here; the file is damaged", marker)
	}
	if d.pos+2 > len(d.data) {
		return d.bad("the file ends in marker ff %02x; it is truncated", marker)
	}
	n := int(binary.BigEndian.Uint16(d.data[d.pos:]))
	if n < 2 || d.pos+n > len(d.data) {
		return d.bad("segment ff %02x of %d bytes leaves the file; it is truncated or damaged", marker, n)
	}
	body := d.data[d.pos+2 : d.pos+n]
	if err := d.read(marker, body); err != nil {
		return err
	}
	d.pos += n
	if marker == mSOS {
		return d.scan(body)
	}
	return nil
}

// read interprets the body of a marker segment, and passes over those that do
// not matter.
func (d *decoder) read(marker byte, body []byte) error {
	switch {
	case marker == mDHT:
		return d.readHuffman(body)
	case marker == mDAC:
		return otherwise("arithmetic coding")
	case marker == mSOF0 || marker == mSOF1:
		return d.readFrame(body)
	case marker == 0xc2:
		return otherwise("progressive")
	case marker > mSOF1 && marker <= mSOF15:
		return otherwise(fmt.Sprintf("frame type SOF%d", marker-mSOF0))
	case marker == mDQT:
		return d.readQuant(body)
	case marker == mDRI:
		if len(body) != 2 {
			return d.bad("restart interval of %d bytes instead of 2", len(body))
		}
		d.interval = int(binary.BigEndian.Uint16(body))
	case marker == mAPP0:
		d.jfif = d.jfif || len(body) >= 5 && string(body[:5]) == "JFIF\x00"
	case marker == mAPP14:
		if len(body) >= 12 && string(body[:5]) == "Adobe" {
			d.adobe = int(body[11])
		}
	}
	return nil
}

// readQuant reads quantization tables.
func (d *decoder) readQuant(body []byte) error {
	for len(body) > 0 {
		id, wide := body[0]&15, body[0]>>4
		size := 64 * (int(wide) + 1)
		if id > 3 || wide > 1 || len(body) < 1+size {
			return d.bad("quantization table %d, kind %d, is damaged", id, wide)
		}
		for k := range 64 {
			if wide == 1 {
				d.quant[id][k] = binary.BigEndian.Uint16(body[1+2*k:])
			} else {
				d.quant[id][k] = uint16(body[1+k])
			}
		}
		d.hasQuant[id] = true
		body = body[1+size:]
	}
	return nil
}

// readHuffman reads Huffman tables.
func (d *decoder) readHuffman(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return d.bad("a Huffman table of %d bytes is damaged", len(body))
		}
		class, id, total := body[0]>>4, body[0]&15, 0
		for _, n := range body[1:17] {
			total += int(n)
		}
		if class > 1 || id > 3 || total == 0 || total > 256 || len(body) < 17+total {
			return d.bad("Huffman table %d of class %d with %d codes is damaged", id, class, total)
		}
		if msg := d.huff[class][id].build(body[1:17], body[17:17+total], class == 1); msg != "" {
			return d.bad("%s", msg)
		}
		body = body[17+total:]
	}
	return nil
}

// readFrame reads the frame header and makes the planes.
func (d *decoder) readFrame(body []byte) error {
	if d.frame {
		return d.bad("a second frame header; hierarchical files are not supported")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return d.bad("a frame header of %d bytes is damaged", len(body))
	}
	if body[0] != 8 {
		return otherwise(fmt.Sprintf("%d bits a sample", body[0]))
	}
	if n := body[5]; n != 1 && n != 3 {
		return otherwise(fmt.Sprintf("%d components", n))
	}
	p := d.out
	p.Height, p.Width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if err := p.checkSize(); err != nil {
		return d.bad("%v", err)
	}
	d.nComp, d.hMax, d.vMax = int(body[5]), 1, 1
	for i := range d.nComp {
		if err := d.readComponent(i, body[6+3*i:]); err != nil {
			return err
		}
	}
	return d.layout()
}

// checkSize refuses empty and too large pictures.
func (p *Planes) checkSize() error {
	limit := p.MaxPixels
	if limit == 0 {
		limit = DefaultMaxPixels
	}
	if p.Width < 1 || p.Height < 1 {
		return fmt.Errorf("the picture is %dx%d pixels", p.Width, p.Height)
	}
	if int64(p.Width)*int64(p.Height) > int64(limit) {
		return fmt.Errorf("the picture of %dx%d pixels exceeds the limit of %d pixels; raise MaxPixels if it is meant", p.Width, p.Height, limit)
	}
	return nil
}

func (d *decoder) readComponent(i int, b []byte) error {
	c := &d.comp[i]
	c.id, c.h, c.v, c.quant, c.seen = b[0], int(b[1]>>4), int(b[1]&15), int(b[2]), false
	for j := range i {
		if d.comp[j].id == c.id {
			return d.bad("two components have the identifier %d", c.id)
		}
	}
	if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
		return d.bad("component %d has sampling %dx%d and quantization table %d; the file is damaged", i, c.h, c.v, c.quant)
	}
	if c.h == 3 || c.v == 3 {
		return otherwise("sampling factor 3")
	}
	if d.nComp == 1 { // T.81 A.2.2: the order is by rows whatever the factors
		c.h, c.v = 1, 1
	}
	d.hMax, d.vMax = max(d.hMax, c.h), max(d.vMax, c.v)
	return nil
}

// layout sizes the planes: whole MCUs, so that no block needs clipping.
func (d *decoder) layout() error {
	p := d.out
	mcuX, mcuY := ceilDiv(p.Width, 8*d.hMax), ceilDiv(p.Height, 8*d.vMax)
	// Every block that is not mere padding takes a bit for DC and one for AC.
	need := 0
	for i := range d.nComp {
		c := &d.comp[i]
		need += p.Width * c.h / d.hMax * (p.Height * c.v / d.vMax) / 256
	}
	if need > len(d.data)-d.pos {
		return d.bad("%d bytes cannot hold a picture of %dx%d; the file is truncated or damaged", len(d.data), p.Width, p.Height)
	}
	p.Model = d.model()
	for i := range d.nComp {
		d.layoutPlane(i, mcuX, mcuY)
	}
	for i := d.nComp; i < 3; i++ {
		p.Plane[i] = Plane{Pix: p.Plane[i].Pix[:0]}
	}
	d.frame = true
	return nil
}

func (d *decoder) layoutPlane(i, mcuX, mcuY int) {
	p, c := d.out, &d.comp[i]
	c.plane = &p.Plane[i]
	c.plane.DX, c.plane.DY = d.hMax/c.h, d.vMax/c.v
	c.plane.Width, c.plane.Height = ceilDiv(p.Width, c.plane.DX), ceilDiv(p.Height, c.plane.DY)
	c.plane.resize(8*mcuX*c.h, 8*mcuY*c.v)
	c.want = rectangle{0, 0, mcuX * c.h, mcuY * c.v}
	if d.window == nil {
		return
	}
	r := d.window.window(p, i)
	c.want = rectangle{r.x0 / 8, r.y0 / 8, ceilDiv(r.x1, 8), ceilDiv(r.y1, 8)}
}

// model is decided as the IJG library and image/jpeg do: JFIF means YCbCr, then
// the Adobe marker's word counts, then the identifiers R, G, B.
func (d *decoder) model() Model {
	switch {
	case d.nComp == 1:
		return Grey
	case d.jfif:
		return YCbCr
	case d.adobe >= 0:
		if d.adobe == 0 {
			return RGB
		}
		return YCbCr
	case d.comp[0].id == 'R' && d.comp[1].id == 'G' && d.comp[2].id == 'B':
		return RGB
	}
	return YCbCr
}

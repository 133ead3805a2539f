package libjpeg

import (
	"errors"
	"fmt"
)

// huffman decodes one table: for each length the first code, the number of
// codes, and where their values begin.
type huffman struct {
	first, count, index [17]int
	values              []byte
}

func newHuffman(counts, values []byte) huffman {
	h := huffman{values: values}
	code, k := 0, 0
	for n := 1; n <= 16; n++ {
		h.first[n], h.count[n], h.index[n] = code, int(counts[n-1]), k
		code = (code + int(counts[n-1])) << 1
		k += int(counts[n-1])
	}
	return h
}

// bitReader reads entropy-coded data; after its end it gives zeros.
type bitReader struct {
	b    []byte
	at   int
	acc  uint
	have int
	over int // bits read after the end
}

func (r *bitReader) bit() int {
	if r.have == 0 {
		r.fill()
	}
	r.have--
	return int(r.acc>>r.have) & 1
}

// fill takes the next byte, without the zero stuffed after 0xff.
func (r *bitReader) fill() {
	r.have = 8
	if r.at >= len(r.b) || (r.b[r.at] == 0xff && (r.at+1 >= len(r.b) || r.b[r.at+1] != 0)) {
		r.acc = 0
		r.over += 8
		return
	}
	r.acc = uint(r.b[r.at])
	if r.b[r.at] == 0xff {
		r.at++
	}
	r.at++
}

// signed reads an n-bit value in JPEG's signed form.
func (r *bitReader) signed(n int) int {
	v := 0
	for range n {
		v = v<<1 | r.bit()
	}
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// symbol decodes one Huffman symbol.
func (r *bitReader) symbol(h *huffman) (int, error) {
	code := 0
	for n := 1; n <= 16; n++ {
		code = code<<1 | r.bit()
		if i := code - h.first[n]; i >= 0 && i < h.count[n] {
			return int(h.values[h.index[n]+i]), nil
		}
	}
	return 0, errors.New("damaged JPEG: no such Huffman code")
}

// restartMarker skips to the data after a restart marker.
func (r *bitReader) restartMarker() {
	r.have = 0
	for r.at+1 < len(r.b) && (r.b[r.at] != 0xff || r.b[r.at+1] < 0xd0 || r.b[r.at+1] > 0xd7) {
		r.at++
	}
	r.at += 2
}

// scan decodes the one scan of all components.
func (d *decoder) scan(head, data []byte) error {
	if len(d.comps) == 0 || len(head) < 1 || int(head[0]) != len(d.comps) || len(head) < 1+2*len(d.comps) {
		return errors.New("JPEG with several scans is not supported")
	}
	for i := range d.comps {
		c := &d.comps[i]
		if head[1+2*i] != c.id || head[2+2*i]>>4 > 3 || head[2+2*i]&15 > 3 {
			return errors.New("damaged JPEG: components of the scan do not match the frame")
		}
		c.dc, c.ac = int(head[2+2*i]>>4), int(head[2+2*i]&15)
	}
	d.bits = bitReader{b: data}
	c0 := &d.comps[0]
	mx, my := c0.stride/(8*c0.h), c0.height/(8*c0.v)
	for m := range mx * my {
		if d.restart > 0 && m > 0 && m%d.restart == 0 {
			d.bits.restartMarker()
			for i := range d.comps {
				d.comps[i].pred = 0
			}
		}
		if err := d.mcu(m%mx, m/mx); err != nil {
			return err
		}
		if d.bits.over > 64 {
			return fmt.Errorf("JPEG ends in unit %d of %d", m, mx*my)
		}
	}
	return nil
}

// mcu decodes the blocks of one unit.
func (d *decoder) mcu(x, y int) error {
	for i := range d.comps {
		c := &d.comps[i]
		for v := range c.v {
			for h := range c.h {
				var co [64]int
				if err := d.block(c, &co); err != nil {
					return err
				}
				at := (y*c.v+v)*8*c.stride + (x*c.h+h)*8
				inverseDCT(&co, c.pix[at:], c.stride)
			}
		}
	}
	return nil
}

// block decodes and dequantizes one block.
func (d *decoder) block(c *component, co *[64]int) error {
	q := &d.quant[c.quant]
	n, err := d.bits.symbol(&d.huff[0][c.dc])
	if err != nil {
		return err
	}
	c.pred += d.bits.signed(min(n, 16))
	co[0] = c.pred * q[0]
	for k := 1; k < 64; k++ {
		s, err := d.bits.symbol(&d.huff[1][c.ac])
		if err != nil {
			return err
		}
		run, size := s>>4, s&15
		if size == 0 {
			if run != 15 {
				break
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return errors.New("damaged JPEG: too many coefficients")
		}
		z := zigzag[k]
		co[z] = d.bits.signed(size) * q[z]
	}
	return nil
}

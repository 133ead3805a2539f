package jpeg

// maxUnits is the largest number of blocks in an MCU (T.81 B.2.3).
const maxUnits = 10

// scanSet is what a scan interleaves: the blocks of an MCU, in order.
type scanSet struct {
	unit         [maxUnits]unit
	n            int // units
	across, down int // MCUs
}

// unit is one block of an MCU: block (x*stepX+dx, y*stepY+dy) of its component
// in MCU (x, y).
type unit struct {
	c            *component
	dc, ac       *huffman
	stepX, stepY int
	dx, dy       int
}

// scan reads the entropy-coded data behind the scan header body, up to the
// marker after it.
func (d *decoder) scan(body []byte) error {
	if !d.frame {
		return d.bad("a scan comes before the frame header; the file is damaged")
	}
	if err := d.prepare(body); err != nil {
		return err
	}
	total := d.set.across * d.set.down
	run := total
	if d.interval > 0 {
		run = min(run, d.interval)
	}
	for first := 0; first < total; first += run {
		if first > 0 {
			if err := d.expectRestart((first/run - 1) % 8); err != nil {
				return err
			}
		}
		if err := d.restart(); err != nil {
			return err
		}
		if err := d.mcus(first, min(run, total-first)); err != nil {
			return err
		}
	}
	return nil
}

// prepare reads the scan header. A scan of one component has its true blocks
// alone, one an MCU (T.81 A.2.2).
func (d *decoder) prepare(body []byte) error {
	if len(body) < 1 || len(body) != 4+2*int(body[0]) || body[0] < 1 || int(body[0]) > d.nComp {
		return d.bad("a scan header of %d bytes is damaged", len(body))
	}
	s, comps := &d.set, int(body[0])
	s.n = 0
	s.across, s.down = ceilDiv(d.out.Width, 8*d.hMax), ceilDiv(d.out.Height, 8*d.vMax)
	for i := range comps {
		c, err := d.scanComponent(body[1+2*i], body[2+2*i])
		if err != nil {
			return err
		}
		h, v := c.h, c.v
		if comps == 1 {
			h, v = 1, 1
			s.across, s.down = ceilDiv(c.plane.Width, 8), ceilDiv(c.plane.Height, 8)
		}
		if s.n+h*v > maxUnits {
			return otherwise("more than 10 blocks in an MCU")
		}
		s.add(c, &d.huff[0][c.dc], &d.huff[1][c.ac], h, v)
	}
	return nil
}

// add enters the h x v blocks of a component.
func (s *scanSet) add(c *component, dc, ac *huffman, h, v int) {
	for y := range v {
		for x := range h {
			s.unit[s.n] = unit{c, dc, ac, h, v, x, y}
			s.n++
		}
	}
}

// scanComponent finds the component with an identifier, and readies it.
func (d *decoder) scanComponent(id, tables byte) (*component, error) {
	for i := range d.nComp {
		c := &d.comp[i]
		if c.id != id {
			continue
		}
		if c.seen {
			return nil, d.bad("component %d is coded twice; the file is damaged", i)
		}
		c.dc, c.ac = int(tables>>4), int(tables&15)
		if c.dc > 3 || c.ac > 3 || !d.huff[0][c.dc].defined || !d.huff[1][c.ac].defined {
			return nil, d.bad("component %d uses the undefined Huffman tables %d and %d", i, c.dc, c.ac)
		}
		if !d.hasQuant[c.quant] {
			return nil, d.bad("component %d uses the undefined quantization table %d", i, c.quant)
		}
		c.quantize, c.seen = packQuant(&d.quant[c.quant]), true
		return c, nil
	}
	return nil, d.bad("the scan names component %d, which the frame has not", id)
}

// restart resets the predictors and loads the next restart interval.
func (d *decoder) restart() error {
	for i := range d.comp {
		d.comp[i].pred = 0
	}
	n := d.bits.load(d.data[d.pos:])
	if n < 0 {
		return d.bad("the coded data has no end marker; the file is truncated")
	}
	d.pos += n
	return nil
}

// expectRestart passes over the restart marker with number n.
func (d *decoder) expectRestart(n int) error {
	m, err := d.marker()
	if err == nil && int(m) != mRST0+n {
		return d.bad("marker ff %02x instead of restart %d; the file is damaged", m, n)
	}
	return err
}

// mcus decodes n MCUs from number first on.
func (d *decoder) mcus(first, n int) error {
	x, y := first%d.set.across, first/d.set.across
	for range n {
		if !d.mcu(x, y) || d.bits.overrun() {
			return d.bad("the coded data of MCU %d,%d is damaged or truncated", x, y)
		}
		if x++; x == d.set.across {
			x, y = 0, y+1
		}
	}
	return nil
}

// mcu decodes the MCU in column x, row y.
func (d *decoder) mcu(x, y int) bool {
	s, b := &d.set, &d.coefficients
	for i := range s.unit[:s.n] {
		u := &s.unit[i]
		c, bx, by := u.c, x*u.stepX+u.dx, y*u.stepY+u.dy
		if bx < c.want.x0 || bx >= c.want.x1 || by < c.want.y0 || by >= c.want.y1 {
			if !d.bits.skip(u.dc, u.ac, &c.pred) {
				return false
			}
			continue
		}
		*b = [32]int64{}
		last := d.bits.block(u.dc, u.ac, &c.quantize, b, &c.pred)
		if last < 0 {
			return false
		}
		if d.inspect != nil {
			d.inspect(b)
		}
		stride := c.plane.Stride
		idct(b, &d.ws, last, c.plane.Pix[8*(by*stride+bx):], stride)
	}
	return true
}

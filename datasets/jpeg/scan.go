package jpeg

// scan reads the entropy-coded data behind the scan header body, up to the
// marker after it.
func (d *decoder) scan(body []byte) error {
	if !d.frame {
		return d.bad("a scan comes before the frame header; the file is damaged")
	}
	comps, err := d.scanComponents(body)
	if err != nil {
		return err
	}
	across, down := d.mcus(comps)
	run := across * down
	if d.interval > 0 {
		run = min(run, d.interval)
	}
	for first := 0; first < across*down; first += run {
		if first > 0 {
			if err := d.expectRestart((first/run - 1) % 8); err != nil {
				return err
			}
		}
		if err := d.restart(comps); err != nil {
			return err
		}
		if err := d.mcuRun(comps, first, min(run, across*down-first), across); err != nil {
			return err
		}
	}
	return nil
}

// scanSet is the components of a scan, by index in decoder.comp.
type scanSet struct {
	index [3]int
	n     int
}

func (d *decoder) scanComponents(body []byte) (s scanSet, err error) {
	if len(body) < 1 || len(body) != 4+2*int(body[0]) || body[0] < 1 || int(body[0]) > d.nComp {
		return s, d.bad("a scan header of %d bytes is damaged", len(body))
	}
	s.n = int(body[0])
	blocks := 0
	for i := range s.n {
		k, err := d.scanComponent(body[1+2*i], body[2+2*i])
		if err != nil {
			return s, err
		}
		s.index[i] = k
		blocks += d.comp[k].h * d.comp[k].v
	}
	if s.n > 1 && blocks > 10 {
		return s, d.bad("%d blocks in an MCU; 10 are allowed", blocks)
	}
	return s, nil
}

// scanComponent finds the component with an identifier, and readies it.
func (d *decoder) scanComponent(id, tables byte) (int, error) {
	for i := range d.nComp {
		c := &d.comp[i]
		if c.id != id {
			continue
		}
		if c.seen {
			return 0, d.bad("component %d is coded twice; the file is damaged", i)
		}
		c.dc, c.ac = int(tables>>4), int(tables&15)
		if c.dc > 3 || c.ac > 3 || !d.huff[0][c.dc].defined || !d.huff[1][c.ac].defined {
			return 0, d.bad("component %d uses the undefined Huffman tables %d and %d", i, c.dc, c.ac)
		}
		if !d.hasQuant[c.quant] {
			return 0, d.bad("component %d uses the undefined quantization table %d", i, c.quant)
		}
		c.quantize, c.seen = packQuant(&d.quant[c.quant]), true
		return i, nil
	}
	return 0, d.bad("the scan names component %d, which the frame has not", id)
}

// mcus is the number of MCUs of a scan across and down. A scan of one component
// has its true blocks alone (T.81 A.2.2).
func (d *decoder) mcus(s scanSet) (int, int) {
	if c := &d.comp[s.index[0]]; s.n == 1 {
		return c.width, c.height
	}
	return ceilDiv(d.out.Width, 8*d.hMax), ceilDiv(d.out.Height, 8*d.vMax)
}

// restart resets the predictors and loads the next restart interval.
func (d *decoder) restart(s scanSet) error {
	for i := range s.n {
		d.comp[s.index[i]].pred = 0
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

// mcuRun decodes n MCUs from number first on.
func (d *decoder) mcuRun(s scanSet, first, n, across int) error {
	x, y := first%across, first/across
	for range n {
		ok := false
		if s.n == 1 {
			ok = d.one(&d.comp[s.index[0]], x, y)
		} else {
			ok = d.mcu(s, x, y)
		}
		if !ok || d.bits.overrun() {
			return d.bad("the coded data of MCU %d,%d is damaged or truncated", x, y)
		}
		if x++; x == across {
			x, y = 0, y+1
		}
	}
	return nil
}

// mcu decodes the MCU in column x, row y.
func (d *decoder) mcu(s scanSet, x, y int) bool {
	for i := range s.n {
		c := &d.comp[s.index[i]]
		for v := range c.v {
			for h := range c.h {
				if !d.one(c, x*c.h+h, y*c.v+v) {
					return false
				}
			}
		}
	}
	return true
}

// one decodes the block in column x, row y of a component.
func (d *decoder) one(c *component, x, y int) bool {
	dc, ac := &d.huff[0][c.dc&3], &d.huff[1][c.ac&3]
	if x < c.want.x0 || x >= c.want.x1 || y < c.want.y0 || y >= c.want.y1 {
		return d.bits.skip(dc, ac, &c.pred)
	}
	var b [32]int64
	last := d.bits.block(dc, ac, &c.quantize, &b, &c.pred)
	if last < 0 {
		return false
	}
	stride := c.plane.Stride
	idct(&b, last, c.plane.Pix[8*(y*stride+x):], stride)
	return true
}

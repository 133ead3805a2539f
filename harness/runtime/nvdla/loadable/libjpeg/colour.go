package libjpeg

// image brings the components to full size and converts their colours
// (jdcolor.c: integer tables with 16 bits after the point).
func (d *decoder) image() (*Image, error) {
	plane := d.w * d.h
	m := &Image{C: len(d.comps), H: d.h, W: d.w, Pix: make([]byte, len(d.comps)*plane)}
	for i := range d.comps {
		d.upsample(&d.comps[i], m.Pix[i*plane:(i+1)*plane])
	}
	if m.C == 1 || d.adobeTransform == 0 {
		return m, nil
	}
	for i := range plane {
		l := int(m.Pix[i])
		u, v := int(m.Pix[plane+i])-128, int(m.Pix[2*plane+i])-128
		m.Pix[i] = clamp(l + (91881*v+1<<15)>>16)
		m.Pix[plane+i] = clamp(l + (-22554*u-46802*v+1<<15)>>16)
		m.Pix[2*plane+i] = clamp(l + (116130*u+1<<15)>>16)
	}
	return m, nil
}

// upsample brings one component to the picture's size: a triangle filter where
// libjpeg has one (jdsample.c: halved width, or both halved, and more than two
// columns), repetition elsewhere.
func (d *decoder) upsample(c *component, out []byte) {
	sx, sy := d.hmax/c.h, d.vmax/c.v
	smooth := sx == 2 && c.w > 2
	row := make([]int, c.w)
	for y := range d.h {
		line := out[y*d.w : (y+1)*d.w]
		switch {
		case smooth && sy == 2:
			c.columnSums(y, row)
			triangle(row, line, 4, 8, 7)
		case smooth && sy == 1:
			for x := range row {
				row[x] = int(c.pix[y*c.stride+x])
			}
			triangle(row, line, 2, 1, 2)
		default:
			for x := range line {
				line[x] = c.pix[y/sy*c.stride+x/sx]
			}
		}
	}
}

// columnSums weighs the nearer line 3 and the further one 1.
func (c *component) columnSums(y int, row []int) {
	near := y / 2
	far := max(0, min(c.lines-1, near-1+2*(y%2)))
	for x := range row {
		row[x] = 3*int(c.pix[near*c.stride+x]) + int(c.pix[far*c.stride+x])
	}
}

// triangle doubles a line: 3 parts of the nearer sample, 1 of the further; bits
// is the scale of the result, even and odd are the biases.
func triangle(row []int, line []byte, bits uint, even, odd int) {
	for x := range line {
		i := x / 2
		far, bias := max(0, i-1), even
		if x%2 == 1 {
			far, bias = min(len(row)-1, i+1), odd
		}
		line[x] = byte((3*row[i] + row[far] + bias) >> bits)
	}
}

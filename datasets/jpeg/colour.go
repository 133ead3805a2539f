package jpeg

import "fmt"

// Upsampling is the rule that spreads a chroma sample over its pixels.
type Upsampling uint8

const (
	// Replicate gives every pixel (x, y) the sample (x/DX, y/DY), as image/jpeg
	// and image/color do.
	Replicate Upsampling = iota
	// Fancy weighs the nearer sample 3/4 and the farther 1/4, along each
	// subsampled axis: the IJG library's default for DX 2, DY 1 or 2 (planes more
	// than 2 samples wide), and for DX 1, DY 2. Its roundings alternate: with
	// a = 3*near + far, DX 2, DY 1 gives (a+1)>>2 on even and (a+2)>>2 on odd
	// columns; DX 1, DY 2 likewise on even and odd rows; DX 2, DY 2 takes a along
	// the column first, then (3*near + far + 8)>>4 on even and (... + 7)>>4 on
	// odd columns. At an edge the far sample is the near one. Other samplings are
	// replicated.
	Fancy
)

// RGB writes the picture as 3*Height*Width bytes into dst's memory, if that is
// enough: a red, a green and a blue plane, as in datasets.Picture.Pixels. A grey
// picture gives three equal planes. YCbCr is converted by the IJG library's
// rule: R = Y + ((91881*(Cr-128) + 32768) >> 16) and so on, clamped to 0..255;
// that is within 1 of image/color's.
func (p *Planes) RGB(dst []byte, up Upsampling) ([]byte, error) {
	if p.Width < 1 || p.Height < 1 || len(p.Plane[0].Pix) == 0 {
		return dst, fmt.Errorf("jpeg: no picture was decoded yet")
	}
	if up > Fancy {
		return dst, fmt.Errorf("jpeg: upsampling rule %d is unknown; use Replicate or Fancy", up)
	}
	n := p.Width * p.Height
	dst = grow(dst, 3*n)
	w := &p.dec.rows
	w.c = grow(w.c, 3*(p.Width+4))
	w.sum = grow(w.sum, p.Width+4)
	for y := range p.Height {
		at := y * p.Width
		r, g, b := dst[at:at+p.Width], dst[n+at:][:p.Width], dst[2*n+at:][:p.Width]
		p.row(y, up, r, g, b)
	}
	return dst, nil
}

// rowBuffers hold rows at the picture's resolution.
type rowBuffers struct {
	c   []byte
	sum []int32
}

// row converts one row of pixels.
func (p *Planes) row(y int, up Upsampling, r, g, b []byte) {
	work, w := &p.dec.rows, p.Width+4
	switch p.Model {
	case Grey:
		p.Plane[0].spread(y, up, r, work.sum)
		copy(g, r)
		copy(b, r)
	case RGB:
		for i, out := range [3][]byte{r, g, b} {
			p.Plane[i].spread(y, up, out, work.sum)
		}
	default:
		c := [3][]byte{work.c[:p.Width], work.c[w:][:p.Width], work.c[2*w:][:p.Width]}
		for i := range c {
			p.Plane[i].spread(y, up, c[i], work.sum)
		}
		toRGB(c[0], c[1], c[2], r, g, b)
	}
}

// Factors of the conversion, times 2^16.
const (
	crRed   = 91881  // 1.402
	cbGreen = 22554  // 0.34414
	crGreen = 46802  // 0.71414
	cbBlue  = 116130 // 1.772
)

// toRGB converts pixels. All slices have the same length.
func toRGB(y, cb, cr, r, g, b []byte) {
	n := len(y)
	cb, cr, r, g, b = cb[:n], cr[:n], r[:n], g[:n], b[:n]
	for i, l := range y {
		l, u, v := int32(l), int32(cb[i])-128, int32(cr[i])-128
		r[i] = clamp32(l + (crRed*v+1<<15)>>16)
		g[i] = clamp32(l + (-cbGreen*u-crGreen*v+1<<15)>>16)
		b[i] = clamp32(l + (cbBlue*u+1<<15)>>16)
	}
}

func clamp32(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31)
	}
	return byte(v)
}

// spread writes row y of the plane at the picture's resolution, len(out) pixels.
// sum is work memory of at least p.Width elements.
func (p *Plane) spread(y int, up Upsampling, out []byte, sum []int32) {
	near := p.Pix[y/p.DY*p.Stride:][:p.Width]
	if p.DX == 1 && p.DY == 1 {
		copy(out, near)
		return
	}
	if up == Fancy {
		far := p.Pix[p.neighbour(y)*p.Stride:][:p.Width]
		switch {
		case p.DX == 1 && p.DY == 2:
			fancyDown(near, far, out, int32(1+y&1))
			return
		case p.DX == 2 && p.DY == 1 && p.Width > 2:
			fancyAcross(near, out)
			return
		case p.DX == 2 && p.DY == 2 && p.Width > 2:
			fancyBoth(near, far, out, sum[:p.Width])
			return
		}
	}
	replicate(near, out, p.DX)
}

// neighbour is the second nearest row of samples of row y of pixels, for DY 2.
func (p *Plane) neighbour(y int) int {
	return min(max(y/p.DY+y&1*2-1, 0), p.Height-1)
}

func replicate(in, out []byte, dx int) {
	for x := range out {
		out[x] = in[x/dx]
	}
}

func fancyDown(near, far, out []byte, round int32) {
	for x := range out {
		out[x] = byte((3*int32(near[x]) + int32(far[x]) + round) >> 2)
	}
}

func fancyAcross(in, out []byte) {
	prev, here := int32(in[0]), int32(in[0])
	for i := range in {
		next := here
		if i+1 < len(in) {
			next = int32(in[i+1])
		}
		out[2*i] = byte((3*here + prev + 1) >> 2)
		if 2*i+1 < len(out) {
			out[2*i+1] = byte((3*here + next + 2) >> 2)
		}
		prev, here = here, next
	}
}

func fancyBoth(near, far, out []byte, sum []int32) {
	for i := range sum {
		sum[i] = 3*int32(near[i]) + int32(far[i])
	}
	prev, here := sum[0], sum[0]
	for i := range sum {
		next := here
		if i+1 < len(sum) {
			next = sum[i+1]
		}
		out[2*i] = byte((3*here + prev + 8) >> 4)
		if 2*i+1 < len(out) {
			out[2*i+1] = byte((3*here + next + 7) >> 4)
		}
		prev, here = here, next
	}
}

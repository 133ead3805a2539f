package simulate

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// conv is a convolution made ready: weights unpacked, addresses worked out. A
// picture's convolution is the same with S*C4 kernel channels cut into S columns
// of C4 channels.
type conv struct {
	src     source
	kernels []int16 // k, r, s, c
	out     struct{ w, h, k int }
	// The padded window: its extents, and where the source begins in it.
	winW, winH, padX, padY int
	strideX, strideY       int
	segments               []int // offsets in the window of the contiguous pieces of a kernel
	segment                int   // elements of one piece
	padValue               int16
	truncate               uint8
}

// source reads pixels of a convolution's input.
type source struct {
	cube    cube
	picture bool
	signed  bool
	convert func(int32) int32 // nil for the identity
}

// maxWork bounds a kernel and a window in elements, so that a damaged program
// cannot ask for more memory than any network needs.
const maxWork = 1 << 26

// prepareConv makes a convolution ready.
func (m *Machine) prepareConv(op *hardware.Operation) (*conv, error) {
	d := op.Conv
	c := &conv{
		padX: d.PadLeft, padY: d.PadTop, strideX: max(d.StrideX, 1), strideY: max(d.StrideY, 1),
		padValue: d.PadValue, truncate: d.OutCvt.Truncate,
	}
	c.out.w, c.out.h, c.out.k = op.Dst.W, op.Dst.H, op.Dst.C
	channels, columns := d.KernelC, d.KernelW
	if px := hardware.PixelBytes(d.DataFormat); px > 0 && !hardware.IsFeature(d.DataFormat) {
		if d.KernelW != 1 || d.KernelC%px != 0 {
			return nil, fmt.Errorf("picture kernel is %d x %d channels, want 1 x a multiple of %d", d.KernelW, d.KernelC, px)
		}
		channels, columns = px, d.KernelC/px
	}
	dx, dy := max(d.DilationX, 1), max(d.DilationY, 1)
	c.winW = (c.out.w-1)*c.strideX + (columns-1)*dx + 1
	c.winH = (c.out.h-1)*c.strideY + (d.KernelH-1)*dy + 1
	if min(columns, d.KernelH, channels, c.out.w, c.out.h, c.out.k) < 1 {
		return nil, fmt.Errorf("kernel of %d x %d x %d for %d x %d x %d outputs is empty", d.KernelC, d.KernelH, d.KernelW, c.out.k, c.out.h, c.out.w)
	}
	if c.winW*c.winH > maxWork/channels || d.KernelC*d.KernelH*d.KernelW > maxWork/c.out.k {
		return nil, fmt.Errorf("kernel of %d x %d x %d for %d x %d x %d outputs is too large", d.KernelC, d.KernelH, d.KernelW, c.out.k, c.out.h, c.out.w)
	}
	c.pieces(d.KernelH, columns, channels, dx, dy)
	if err := c.src.open(m.prog, op, channels); err != nil {
		return nil, err
	}
	return c, m.unpack(c, op)
}

// pieces works out which contiguous pieces of the window one kernel covers.
func (c *conv) pieces(rows, columns, channels, dx, dy int) {
	c.segment = channels
	if dx == 1 {
		c.segment, columns = channels*columns, 1
	}
	for r := range rows {
		for s := range columns {
			c.segments = append(c.segments, (r*dy*c.winW+s*dx)*channels)
		}
	}
}

// open checks the source cube; channels is how many of it are read.
func (s *source) open(p *hardware.Program, op *hardware.Operation, channels int) error {
	d := op.Conv
	s.convert = inputConverter(d)
	if hardware.IsFeature(d.DataFormat) {
		var err error
		q := op.Src
		q.C = channels
		s.cube, err = newCube(p, q, d.InPrecision)
		return err
	}
	s.picture, s.signed = true, d.PixelOverride != 0
	s.cube = cube{
		region: op.Src.Region, base: op.Src.Offset, line: op.Src.LineStride,
		atom: channels, per: channels, w: op.Src.W, h: op.Src.H, c: channels,
	}
	if op.Src.W < 1 || op.Src.H < 1 {
		return fmt.Errorf("picture of %d x %d is empty", op.Src.H, op.Src.W)
	}
	return inRegion(p, op.Src.Region, op.Src.Offset, (op.Src.H-1)*op.Src.LineStride+op.Src.W*channels, op.Src.W*channels, op.Src.H)
}

// inputConverter is CDMA's converter, or nil where it is the identity.
func inputConverter(d *hardware.ConvDesc) func(int32) int32 {
	v := d.InCvt
	if !v.Enable || (v.Scale == 1 && v.Offset == 0 && v.Truncate == 0) {
		return nil
	}
	bits := d.InPrecision.Bits()
	return func(x int32) int32 {
		t := (int64(x) - int64(v.Offset)) * int64(v.Scale)
		return int32(hardware.Saturate(hardware.RoundHalfAway(t, uint(v.Truncate)), bits))
	}
}

// read copies one pixel into out.
func (s *source) read(mem []byte, y, x int, out []int16, tmp []int32) {
	s.cube.read(mem, y, x, tmp)
	for i := range out {
		v := tmp[i]
		if s.picture && !s.signed {
			v &= 0xff
		}
		if s.convert != nil {
			v = s.convert(v)
		}
		out[i] = int16(v)
	}
}

// unpack reads the weights from the program's initial memory.
func (m *Machine) unpack(c *conv, op *hardware.Operation) error {
	d, q := op.Conv, op.Weights
	shape := hardware.KernelShape{K: c.out.k, C: d.KernelC, R: d.KernelH, S: d.KernelW}
	n := shape.K * shape.C * shape.R * shape.S
	if err := inRegion(m.prog, q.Region, q.Offset, n*d.InPrecision.Bytes()); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if !m.consts[q.Region] {
		return fmt.Errorf("weights lie in region %d, which the program itself changes", q.Region)
	}
	mem := m.mem[q.Region][q.Offset:]
	lines := hardware.PostExtensionLines(d.PostExtension)
	c.kernels = make([]int16, 0, n)
	for k := range shape.K {
		for r := range shape.R {
			for s := range shape.S {
				for ch := range shape.C {
					i := shape.WeightIndex(m.prog.Target, d.InPrecision, k, ch, r, s)
					if lines > 1 {
						i = shape.ExtendedIndex(m.prog.Target, d.InPrecision, lines, k, ch, r)
					}
					c.kernels = append(c.kernels, int16(element(mem, i*d.InPrecision.Bytes(), d.InPrecision)))
				}
			}
		}
	}
	return nil
}

// run leaves the accumulator's output in the machine's scratch, y, x, k.
func (c *conv) run(m *Machine) []int32 {
	c.fill(m)
	channels := c.src.cube.c
	acc := grow(&m.scratch.acc, c.out.w*c.out.h*c.out.k)
	for y := range c.out.h {
		for x := range c.out.w {
			at := (y*c.strideY*c.winW + x*c.strideX) * channels
			o := (y*c.out.w + x) * c.out.k
			c.pixel(m.scratch.window[at:], acc[o:o+c.out.k])
		}
	}
	return acc
}

// fill copies the source into the padded window.
func (c *conv) fill(m *Machine) {
	q := &c.src.cube
	win := grow(&m.scratch.window, c.winW*c.winH*q.c)
	tmp := make([]int32, q.c)
	for y := range c.winH {
		for x := range c.winW {
			out := win[(y*c.winW+x)*q.c:][:q.c]
			if sy, sx := y-c.padY, x-c.padX; sy >= 0 && sy < q.h && sx >= 0 && sx < q.w {
				c.src.read(m.mem[q.region], sy, sx, out, tmp)
				continue
			}
			for i := range out {
				out[i] = c.padValue
			}
		}
	}
}

// pixel computes all kernels at one position.
func (c *conv) pixel(win []int16, out []int32) {
	size := c.segment * len(c.segments)
	k := 0
	for ; k+4 <= len(out); k += 4 {
		var sum [4]int64
		for i, at := range c.segments {
			w := c.kernels[k*size+i*c.segment:]
			dot4(win[at:at+c.segment], w, size, &sum)
		}
		for i, s := range sum {
			out[k+i] = hardware.CACCOutput(s, c.truncate)
		}
	}
	for ; k < len(out); k++ {
		var sum int64
		for i, at := range c.segments {
			w := c.kernels[k*size+i*c.segment:][:c.segment]
			for j, v := range win[at : at+c.segment] {
				sum += int64(v) * int64(w[j])
			}
		}
		out[k] = hardware.CACCOutput(sum, c.truncate)
	}
}

// dot4 adds the products of v with four kernels, which lie size elements apart.
func dot4(v, w []int16, size int, sum *[4]int64) {
	w0, w1 := w[:len(v)], w[size:][:len(v)]
	w2, w3 := w[2*size:][:len(v)], w[3*size:][:len(v)]
	a, b, c, d := sum[0], sum[1], sum[2], sum[3]
	for i, x := range v {
		t := int64(x)
		a += t * int64(w0[i])
		b += t * int64(w1[i])
		c += t * int64(w2[i])
		d += t * int64(w3[i])
	}
	sum[0], sum[1], sum[2], sum[3] = a, b, c, d
}

// grow gives n elements of a buffer that is kept between runs.
func grow[T any](b *[]T, n int) []T {
	if cap(*b) < n {
		*b = make([]T, n)
	}
	*b = (*b)[:n]
	return *b
}

package lower

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// imageChannels is the number of channels of a picture in memory (A8B8G8R8),
// whatever the network's input has.
const imageChannels = 4

// imageInput makes the convolutions that read the network's input take a
// picture (nhwc). Their weights are quantized at once, before any merge, so
// that nothing folds into them (ConvCoreNode.cpp, preProcessAuxData).
func imageInput(g *graph) error {
	if g.opt.InputFormat != NHWC {
		return nil
	}
	if c := g.input.shape.C; c > imageChannels {
		return g.input.layer.Errorf("has %d channels; image input (nhwc) has at most %d. Compile with --informat ncxhwx", c, imageChannels)
	}
	for _, n := range g.input.consumers {
		op, ok := n.layer.Op.(models.Convolution)
		if n.kind != kConv || !ok {
			return n.layer.Errorf("reads the picture itself; with image input (nhwc) only a convolution can, nvdla_compiler stops with \"Proposed surf format NVDLA_IMG_A8B8G8R8 is not supported\". Compile with --informat ncxhwx")
		}
		if op.DilationH > 1 || op.DilationW > 1 || op.Groups > 1 {
			return n.layer.Errorf("is dilated or grouped, which image input (nhwc) does not support. Compile with --informat ncxhwx")
		}
		c := n.conv
		c.quantize(g.opt.Mode)
		c.image = true
		c.lines = extensionLines(c, g.opt.Target.AtomicC)
		g.checkRows(n)
	}
	return nil
}

// line is the number of values of one kernel line: columns times channels.
func (c *convolution) line() int { return c.s * imageChannels }

// extensionLines is how many kernel lines the hardware takes in one step
// (channel post-extension): 4, 2, or 1 for none. Fewer than two whole groups of
// lines are not extended.
func extensionLines(c *convolution, atomicC int) int {
	line, step := c.line(), imageChannels*c.window.StrideW
	lines := 1
	switch {
	case c.window.StrideW > c.s:
	case 3*step+line <= atomicC && line <= atomicC/4:
		lines = 4
	case step+line <= atomicC && line <= atomicC/2:
		lines = 2
	}
	if c.r/lines <= 1 {
		return 1
	}
	return lines
}

// checkRows warns of kernel lines that the compiler leaves out.
func (g *graph) checkRows(n *node) {
	c := n.conv
	if c.lines == 1 || g.opt.fixed(FixLostKernelRow) {
		return
	}
	stride := g.opt.Target.AtomicC / c.line()
	if stride == c.lines {
		return
	}
	used := make([]int, c.r)
	for _, y := range rowOrder(c, stride) {
		if y < c.r {
			used[y]++
		}
	}
	var lost []int
	for y, times := range used {
		if times == 0 {
			lost = append(lost, y)
		}
	}
	g.warn(n.layer, LostKernelRow, fmt.Sprintf("with image input the compiler packs the kernel's lines in a wrong order on %s: lines %v of %d are lost and others used twice or out of place. Use --informat ncxhwx", g.opt.Target.Name, lost, c.r))
}

// rowOrder lists the kernel lines in the order in which they are stored: the
// whole groups, then the rest. The compiler steps from group to group by
// stride = AtomicC / line lines instead of by the group's size.
func rowOrder(c *convolution, stride int) []int {
	whole := c.r / c.lines
	var rows []int
	for g := range whole {
		for y := range c.lines {
			rows = append(rows, g*stride+y)
		}
	}
	for y := whole * c.lines; y < c.r; y++ {
		rows = append(rows, y)
	}
	return rows
}

// extended lays one line's values out as channels: column, then channel, with
// zeros for the channels that the network does not have.
func (c *convolution) extended() *convolution {
	e := &convolution{k: c.k, c: c.line(), r: c.r, s: 1, quantized: make([]int8, c.k*c.line()*c.r)}
	for k := range c.k {
		for ch := range c.c {
			for y := range c.r {
				for x := range c.s {
					e.quantized[(k*e.c+x*imageChannels+ch)*c.r+y] = c.quantized[((k*c.c+ch)*c.r+y)*c.s+x]
				}
			}
		}
	}
	return e
}

// imageWeights are the bytes of an image convolution's weights.
func (e *emitter) imageWeights(c *convolution) []byte {
	x, t := c.extended(), e.opt.Target
	if c.lines == 1 {
		return directWeights(x, t)
	}
	stride := t.AtomicC / x.c
	if e.opt.fixed(FixLostKernelRow) {
		stride = c.lines
	}
	rows := rowOrder(c, stride)
	out := make([]byte, 0, roundUp(len(x.quantized), t.WeightAlign))
	for k0 := 0; k0 < x.k; k0 += t.AtomicK {
		for at := 0; at < len(rows); at += c.lines {
			for k := k0; k < min(k0+t.AtomicK, x.k); k++ {
				out = x.appendLines(out, k, rows[at:min(at+c.lines, len(rows))])
			}
		}
	}
	return out[:cap(out)]
}

// appendLines appends lines of one kernel. A line beyond the kernel reads what
// lies behind it in memory, as the compiler does.
func (c *convolution) appendLines(out []byte, k int, rows []int) []byte {
	for _, y := range rows {
		for ch := range c.c {
			var v int8
			if at := (k*c.c+ch)*c.r + y; at < len(c.quantized) {
				v = c.quantized[at]
			}
			out = append(out, byte(v))
		}
	}
	return out
}

// imageLineAlign is what a picture's line stride is a multiple of.
const imageLineAlign = 32

// imageCube is the picture's cube: 4 bytes a pixel.
func imageCube(s models.Shape) hardware.Cube {
	line := roundUp(s.W*imageChannels, imageLineAlign)
	return hardware.Cube{Region: -1, W: s.W, H: s.H, C: imageChannels, LineStride: line, Size: line * s.H}
}

// asImage changes the descriptor of a feature convolution to one of a picture.
func asImage(d *hardware.ConvDesc, c *convolution, w int, t hardware.Target) {
	d.DataFormat = hardware.FormatA8B8G8R8
	d.KernelW, d.KernelC, d.InputC = 1, c.line(), imageChannels
	d.BytesPerKernel = c.line() * c.r
	d.EntryPerSlice = ceilDiv((w+d.PadLeft+d.PadRight)*imageChannels, t.EntryBytes)
	d.PostExtension = uint8(c.lines / 2)
}

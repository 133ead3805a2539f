package compute

import (
	"fmt"
	"math"
	"slices"

	"quantbench/harness/compute/kernel"
)

// Conv describes a convolution; fields left 0 mean 1 (kernel, stride, dilation,
// groups) or 0 (padding). Weights are Out x In/Groups x KernelH x KernelW, in
// Float32 or Int8 as the input is.
//
// A Float32 convolution adds Bias, then Residual, then applies ReLU. An Int8
// convolution goes through TensorRT or NVDLA to int8; with neither its output
// is the int32 sum, plus BiasInt32 if there is one.
type Conv struct {
	Out                  int
	KernelH, KernelW     int
	StrideH, StrideW     int
	PadH, PadW           int
	DilationH, DilationW int
	Groups               int
	// OutH and OutW override floor((in+2*pad-window)/stride)+1; rows and
	// columns beyond the padded input read as 0.
	OutH, OutW int

	Float32   []float32
	Bias      []float32 // nil for none
	Int8      []int8
	BiasInt32 []int32 // nil for none

	// Residual is a tensor of the output's shape (Float32, or Int8 for an int8
	// output) that is added; 0 for none.
	Residual Tensor
	ReLU     bool
	TensorRT *TensorRT
	NVDLA    *NVDLA
}

// weightBudget is the number of bytes of weights that one pass over the picture
// uses, so that they stay in the second-level cache.
const weightBudget = 256 << 10

// windowBudget is the number of bytes of inputs that one segment of a line
// reads, so that they stay in the second-level cache beside the weights.
const windowBudget = 256 << 10

// conv is a compiled convolution.
type conv struct {
	Conv
	in, res, out *tensor
	twin         *conv // whose blocks this one shares, for one picture
	blocks       []block
	fused        *fused    // nil: sums go through the scratch buffer
	winograd     *winograd // nil: direct sums
	perPass      int       // blocks
	segment      int       // pixels of a line that all blocks of a pass compute in turn
}

// block is what 4 output channels need.
type block struct {
	offsets []int32
	weights []uint32 // len(offsets) x 4
	init    [kernel.Block]uint32
	sums    [kernel.Block]span // int8: what the sums can be
	requant requant
}

// Conv adds a convolution.
func (b *Builder) Conv(x Tensor, c Conv) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	for _, p := range []*int{&c.KernelH, &c.KernelW, &c.StrideH, &c.StrideW, &c.DilationH, &c.DilationW, &c.Groups} {
		*p = max(*p, 1)
	}
	spanH, spanW := (c.KernelH-1)*c.DilationH+1, (c.KernelW-1)*c.DilationW+1
	if c.OutH == 0 {
		c.OutH = outputs(in.h, c.PadH, spanH, c.StrideH)
	}
	if c.OutW == 0 {
		c.OutW = outputs(in.w, c.PadW, spanW, c.StrideW)
	}
	op := &conv{Conv: c, in: in}
	kind, err := op.check(b)
	if err != nil {
		return b.fail("convolution: %w", err)
	}
	if b.Winograd && op.suitsWinograd() {
		op.winograd = &winograd{}
		in.widen(c.PadH, even(c.OutH)+2-c.PadH-in.h, c.PadW, even(c.OutW)+2-c.PadW-in.w)
	}
	in.widen(c.PadH, (c.OutH-1)*c.StrideH+spanH-c.PadH-in.h, c.PadW, (c.OutW-1)*c.StrideW+spanW-c.PadW-in.w)
	reads := []Tensor{x}
	if c.Residual != 0 {
		reads = append(reads, c.Residual)
	}
	y := b.add(op, kind, c.Out, c.OutH, c.OutW, reads...)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

// outputs is the number of windows along one side, rounded down.
func outputs(in, pad, span, stride int) int {
	if in+2*pad < span {
		return 0
	}
	return (in+2*pad-span)/stride + 1
}

// FullyConnected adds a fully connected layer: weights Out x C*H*W, in the order
// of C x H x W.
func (b *Builder) FullyConnected(x Tensor, c Conv) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	c.KernelH, c.KernelW = in.h, in.w
	return b.Conv(x, c)
}

// check verifies a layer's arrays and finds the type of its output.
func (c *conv) check(b *Builder) (Type, error) {
	if c.Out < 1 || c.in.c%c.Groups != 0 || c.Out%c.Groups != 0 {
		return 0, fmt.Errorf("%d channels to %d in %d groups", c.in.c, c.Out, c.Groups)
	}
	n := c.Out * c.in.c / c.Groups * c.KernelH * c.KernelW
	switch c.in.kind {
	case Float32:
		if len(c.Float32) != n || c.Bias != nil && len(c.Bias) != c.Out {
			return 0, fmt.Errorf("%d weights and %d biases, want %d and %d", len(c.Float32), len(c.Bias), n, c.Out)
		}
	case Int8:
		if len(c.Int8) != n || c.BiasInt32 != nil && len(c.BiasInt32) != c.Out {
			return 0, fmt.Errorf("%d weights and %d biases, want %d and %d", len(c.Int8), len(c.BiasInt32), n, c.Out)
		}
	default:
		return 0, fmt.Errorf("an int32 input")
	}
	kind, err := c.outputType()
	if err != nil || c.Residual == 0 {
		return kind, err
	}
	c.res = b.get(c.Residual)
	if r := c.res; r == nil || r.kind != kind || kind == Int32 || r.c != c.Out || r.h != c.OutH || r.w != c.OutW {
		return 0, fmt.Errorf("the residual's shape or type differs from the output's")
	}
	return kind, nil
}

func (c *conv) outputType() (Type, error) {
	switch {
	case c.in.kind == Float32 && c.TensorRT == nil && c.NVDLA == nil:
		return Float32, nil
	case c.in.kind == Float32 || c.TensorRT != nil && c.NVDLA != nil:
		return 0, fmt.Errorf("more than one kind of output")
	case c.TensorRT != nil:
		return Int8, c.TensorRT.check(c.Out)
	case c.NVDLA != nil:
		return Int8, c.NVDLA.check(c.Out)
	case c.ReLU || c.Residual != 0:
		return 0, fmt.Errorf("an int32 output takes no residual and no ReLU")
	}
	return Int32, nil
}

// across is true of layers with one pixel: there the groups of pictures take the
// place of pixels, and a weight that was loaded serves them all.
func (c *conv) across() bool { return c.OutH == 1 && c.OutW == 1 }

// prepare packs the weights: for every 4 output channels a list of steps.
func (c *conv) prepare(b *Builder) error {
	if c.winograd != nil {
		return c.prepareWinograd(b)
	}
	tables := map[[2]int][]int32{}
	if c.twin != nil {
		c.blocks = slices.Clone(c.twin.blocks)
	}
	for o := 0; o < c.Out; o += kernel.Block {
		lo, hi := c.inputs(o)
		key := [2]int{lo, hi}
		if tables[key] == nil {
			tables[key] = c.offsets(lo, hi)
		}
		if c.twin != nil {
			c.blocks[o/kernel.Block].offsets = tables[key]
			continue
		}
		blk := block{offsets: tables[key]}
		c.pack(&blk, o, lo)
		if err := c.requantize(&blk, o); err != nil {
			return fmt.Errorf("convolution to channels %d..: %w", o, err)
		}
		c.blocks = append(c.blocks, blk)
	}
	c.joinWeights()
	c.fuse(b.program.kernels)
	c.perPass = max(1, weightBudget/(16*len(c.blocks[0].offsets)))
	c.chooseSegment(b.program.groups)
	if c.in.kind == Int8 {
		pixels := c.OutW
		if c.across() {
			pixels = b.program.groups
		}
		b.program.scratch = max(b.program.scratch, pixels*kernel.Block*kernel.VectorBytes)
	}
	c.Float32, c.Int8 = nil, nil
	return c.checkBounds()
}

// chooseSegment cuts lines into whole tiles whose windows fit windowBudget.
func (c *conv) chooseSegment(groups int) {
	c.segment = max(c.OutW, groups)
	column := len(c.blocks[0].offsets) / c.KernelW * c.StrideW * kernel.VectorBytes
	if !c.across() && c.OutW*column > windowBudget {
		tiles := max(1, windowBudget/column/kernel.MaxTile)
		c.segment = tiles * kernel.MaxTile
	}
}

// perPlane is the number of channels in one plane of the input.
func (c *conv) perPlane() int {
	if c.in.kind == Int8 {
		return kernel.Block
	}
	return 1
}

// inputs is the range of input planes that output channels o..o+3 read; where
// groups are narrow it spans several, with zero weights.
func (c *conv) inputs(o int) (lo, hi int) {
	last := min(o+kernel.Block, c.Out) - 1
	perGroup, outs := c.in.c/c.Groups, c.Out/c.Groups
	return o / outs * perGroup / c.perPlane(), ((last/outs+1)*perGroup-1)/c.perPlane() + 1
}

// tapStep is the number of horizontal taps that one step consumes.
func (c *conv) tapStep() int {
	if c.in.taps {
		return kernel.Block
	}
	return 1
}

// offsets are the positions of the steps relative to the window's first value.
func (c *conv) offsets(lo, hi int) []int32 {
	var list []int32
	for plane := lo; plane < hi; plane++ {
		for ky := 0; ky < c.KernelH; ky++ {
			for kx := 0; kx < c.KernelW; kx += c.tapStep() {
				list = append(list, int32(c.in.at(plane, ky*c.DilationH, kx*c.DilationW)-c.in.at(0, 0, 0)))
			}
		}
	}
	return list
}

// pack fills a block's weights and the start values of its sums.
func (c *conv) pack(blk *block, o, lo int) {
	blk.weights = make([]uint32, len(blk.offsets)*kernel.Block)
	perRow := (c.KernelW + c.tapStep() - 1) / c.tapStep()
	for j := 0; j < kernel.Block && o+j < c.Out; j++ {
		c.eachWeight(o+j, func(channel, ky, kx, i int) {
			step := ((channel/c.perPlane()-lo)*c.KernelH+ky)*perRow + kx/c.tapStep()
			word := &blk.weights[step*kernel.Block+j]
			switch {
			case c.in.kind == Float32:
				*word = math.Float32bits(c.Float32[i])
			case c.in.taps:
				*word |= uint32(byte(c.Int8[i])) << (8 * (kx % kernel.Block))
			default:
				*word |= uint32(byte(c.Int8[i])) << (8 * (channel % kernel.Block))
			}
		})
		if c.in.kind == Float32 && c.Bias != nil {
			blk.init[j] = math.Float32bits(c.Bias[o+j])
		}
	}
}

// eachWeight calls f with the input channel, kernel position and index of every
// weight of output channel o.
func (c *conv) eachWeight(o int, f func(channel, ky, kx, i int)) {
	perGroup := c.in.c / c.Groups
	first := o / (c.Out / c.Groups) * perGroup
	i := o * perGroup * c.KernelH * c.KernelW
	for ch := 0; ch < perGroup; ch++ {
		for ky := 0; ky < c.KernelH; ky++ {
			for kx := 0; kx < c.KernelW; kx++ {
				f(first+ch, ky, kx, i)
				i++
			}
		}
	}
}

// checkBounds proves that no step of any window leaves the input's buffer.
func (c *conv) checkBounds() error {
	first := c.in.at(0, -c.PadH, -c.PadW)
	last := c.in.at(0, (c.OutH-1)*c.StrideH-c.PadH, (c.OutW-1)*c.StrideW-c.PadW)
	for _, blk := range c.blocks {
		for _, off := range blk.offsets {
			if first+int(off) < 0 || last+int(off)+kernel.VectorBytes > c.in.size() {
				return fmt.Errorf("convolution reads %d..%d of a buffer of %d bytes", first+int(off), last+int(off), c.in.size())
			}
		}
	}
	return nil
}

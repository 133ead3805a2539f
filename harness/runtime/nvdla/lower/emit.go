package lower

import (
	"errors"
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// emitter writes the operations and places their memory.
type emitter struct {
	*graph
	p     *hardware.Program
	index map[*node]int // of the operation
	// waiting is a split convolution that has not been written yet.
	waiting hardware.Operation
	err     error // the first reason why an operation cannot be written
}

// weightRegion is the region of all constant data; each blob begins at a
// multiple of blobAlign in it, as in the compiler's files.
const (
	weightRegion = 0
	blobAlign    = 4096
)

// emit turns the graph into a program: every tensor has a region of its own,
// except the inputs of a Concat, which lie side by side in that of its result.
func emit(g *graph) (*hardware.Program, error) {
	order, err := g.schedule()
	if err != nil {
		return nil, err
	}
	e := &emitter{graph: g, p: &hardware.Program{Target: g.opt.Target}, index: map[*node]int{}}
	e.p.Regions = []hardware.Region{{Name: "weights"}}
	e.placeParts()
	e.p.Input = hardware.Tensor{Name: g.input.layer.Name, Cube: e.cube(g.input), Scale: e.inputScale()}
	for _, n := range order {
		if e.operation(n); e.err != nil {
			return nil, e.err
		}
	}
	e.p.Regions[weightRegion].Size = len(e.p.Regions[weightRegion].Init)
	out := g.of[g.net.Output().Index]
	if out.producer == nil {
		return nil, fmt.Errorf("%s: the network has no layer that computes anything", g.net.File)
	}
	e.p.Output = hardware.Tensor{Name: out.layer.Name, Cube: e.cube(out), Scale: out.scale}
	return e.p, nil
}

// placeParts gives each input of a Concat its offset in the result: behind the
// surfaces of those before it. Where a part's channels do not fill its last
// surface, the compiler leaves the gap, and later channels are read from the
// wrong place.
func (e *emitter) placeParts() {
	for _, n := range e.nodes {
		if n.kind != kConcat {
			continue
		}
		at := 0
		for i, t := range n.in {
			t.offset = at
			at += e.shaped(t.shape.W, t.shape.H, t.shape.C).Size
			if !n.whole && i < len(n.in)-1 && t.shape.C%e.opt.Target.Atom != 0 {
				e.warn(n.layer, Unaligned, fmt.Sprintf("%q has %d channels, no multiple of the %d that %s keeps together: everything behind it is read from the wrong place",
					t.layer.Name, t.shape.C, e.opt.Target.Atom, e.opt.Target.Name))
			}
		}
	}
}

// cube is the tensor's place in memory; a tensor without one gets it now.
func (e *emitter) cube(t *tensor) hardware.Cube {
	c := e.place(t)
	root, offset := t, 0
	for root.parent != nil {
		offset += root.offset
		root = root.parent
	}
	if root.region == 0 {
		e.p.Regions = append(e.p.Regions, hardware.Region{Name: root.layer.Name, Size: e.extent(root)})
		root.region = len(e.p.Regions)
	}
	c.Region, c.Offset = root.region-1, offset
	return c
}

// place is the tensor's cube, still without a region.
func (e *emitter) place(t *tensor) hardware.Cube {
	if t == e.input && e.opt.InputFormat == NHWC {
		return imageCube(t.shape)
	}
	return e.shaped(t.shape.W, t.shape.H, t.shape.C)
}

// extent is the memory of a tensor: that of its cube or of its parts, if gaps
// make them larger.
func (e *emitter) extent(t *tensor) int {
	size := e.place(t).Size
	if t.producer == nil || t.producer.kind != kConcat {
		return size
	}
	for _, part := range t.producer.in {
		size = max(size, part.offset+e.extent(part))
	}
	return size
}

// blob stores constant data and returns its offset.
func (e *emitter) blob(data []byte) int {
	r := &e.p.Regions[weightRegion]
	at := roundUp(len(r.Init), blobAlign)
	r.Init = append(append(r.Init, make([]byte, at-len(r.Init))...), data...)
	return at
}

func (e *emitter) operation(n *node) {
	op := hardware.Operation{Index: len(e.p.Operations), FusedParent: -1, Layer: n.out.layer.Name, DstScale: n.out.scale}
	switch n.kind {
	case kConcat:
		return
	case kConv:
		e.conv(n, &op)
	case kPool:
		e.pool(n, &op)
	case kRubik:
		e.rubik(n, &op)
	case kLRN:
		e.lrn(n, &op)
	case kSoftmax:
		op.Kind, op.Src, op.Dst = hardware.CPUSoftmax, e.cube(n.in[0]), e.cube(n.out)
		op.Softmax = &hardware.SoftmaxDesc{InScale: n.in[0].scale, OutScale: n.out.scale}
	case kPower:
		e.power(n, &op)
	default:
		e.sdp(n, &op)
	}
	e.append(n, op)
}

// append adds an operation to the program. A split convolution waits for its
// SDP operation.
func (e *emitter) append(n *node, op hardware.Operation) {
	if n.kind == kConv && n.conv.strips != nil {
		e.waiting = op
		return
	}
	if n.kind.sdp() {
		if c := n.fused(); c != nil && c.conv.strips != nil {
			e.emitStrips(e.waiting, op, c.conv.strips)
			return
		}
	}
	e.index[n] = op.Index
	e.p.Operations = append(e.p.Operations, op)
}

func (e *emitter) power(n *node, op *hardware.Operation) {
	l := n.layer.Op.(models.Power)
	op.Kind, op.Src, op.Dst = hardware.CPUPower, e.cube(n.in[0]), e.cube(n.out)
	op.Power = &hardware.PowerDesc{InScale: n.in[0].scale, OutScale: n.out.scale, Power: l.Power, Scale: l.Scale, Shift: l.Shift}
}

// lrn is normalisation with the table that the compiler writes in int8: nothing
// but zeros, exponential, and a second table that is switched off.
func (e *emitter) lrn(n *node, op *hardware.Operation) {
	op.Kind, op.Src, op.Dst = hardware.CDP, e.cube(n.in[0]), e.cube(n.out)
	op.CDP = &hardware.CDPDesc{InCvt: identity, OutCvt: identity, LocalSize: n.layer.Op.(models.LRN).Size, LUTIndex: n.table,
		LUT: &hardware.LUT{LOOffset: -128, LOStart: 1, LOEnd: 1}}
}

// stream is the cube of data that goes from one engine to the next without
// memory between.
func (e *emitter) stream(t *tensor) hardware.Cube {
	c := e.shaped(t.shape.W, t.shape.H, t.shape.C)
	c.Kind = hardware.CubeOnTheFly
	return c
}

// format numbers of dla_conv_op_desc.data_format.
const formatFeature = 36

func (e *emitter) conv(n *node, op *hardware.Operation) {
	c, in, t := n.conv, n.in[0], e.opt.Target
	weights := e.weights(c)
	op.Kind, op.Src, op.Dst, op.Layer = hardware.Conv, e.cube(in), e.stream(n.out), ""
	op.Weights = hardware.Cube{Region: weightRegion, Offset: e.blob(weights), Size: len(weights), W: c.s, H: c.r, C: c.c}
	if c.image {
		op.Weights.W, op.Weights.C = 1, c.line()
	}
	w := c.window
	op.Conv = &hardware.ConvDesc{
		DataFormat: formatFeature, PixelOverride: pixelOverride(n), Batch: 1,
		KernelW: c.s, KernelH: c.r, KernelC: c.c,
		InputW: in.shape.W, InputH: in.shape.H, InputC: in.shape.C,
		StrideX: w.StrideW, StrideY: w.StrideH,
		PadLeft: w.PadW, PadRight: w.PadW, PadTop: w.PadH, PadDown: w.PadH,
		DilationX: w.DilationW, DilationY: w.DilationH,
		InCvt: identity, OutCvt: identity,
		EntryPerSlice: entriesPerLine(in.shape, t), FetchGrain: 1, Release: in.shape.H,
		BytesPerKernel: c.c * c.r * c.s,
	}
	d := op.Conv
	if c.image {
		asImage(d, c, in.shape.W, t)
	}
	if _, ok := n.layer.Op.(models.Deconvolution); ok {
		d.InCvt = hardware.Converter{}
	}
	if len(n.before) > 0 && n.before[0].kind == kConv {
		d.Reserved = map[string]int{hardware.Follows: 1}
	}
	e.share(n, d)
}

// share gives the convolution its part of the buffer, in strips if need be.
func (e *emitter) share(n *node, d *hardware.ConvDesc) {
	split, err := banks(d, n.conv.k, e.opt.Target)
	if err == nil && split {
		n.conv.strips, err = strips(d, e.opt.Target)
	}
	if _, ok := n.layer.Op.(models.Deconvolution); ok && err == nil && split && !e.opt.Whole {
		err = errors.New("is a deconvolution whose input exceeds the convolution buffer; how the compiler cuts it is not known here. Make the picture or the number of channels smaller")
	}
	if err != nil {
		e.err = n.layer.Errorf("%w", err)
	}
	if e.opt.Whole {
		n.conv.strips = nil
	}
}

func (e *emitter) weights(c *convolution) []byte {
	if c.image {
		return e.imageWeights(c)
	}
	return directWeights(c, e.opt.Target)
}

// pixelOverride has no effect on feature data; the compiler sets it for
// convolutions and leaves it 0 for inner products and deconvolutions.
func pixelOverride(n *node) uint8 {
	switch n.layer.Op.(type) {
	case models.InnerProduct, models.Deconvolution:
		return 0
	}
	return 1
}

// entriesPerLine is how many entries of the convolution buffer one line of a
// feature cube takes (ConvCoreNode.cpp, calculateEPS).
func entriesPerLine(s models.Shape, t hardware.Target) int {
	atoms, each := ceilDiv(s.C, t.Atom), t.EntryBytes/t.Atom
	rest := atoms % each
	if rest == 3 {
		return atoms/each*s.W + s.W
	}
	return atoms/each*s.W + ceilDiv(rest*s.W, each)
}

func (e *emitter) sdp(n *node, op *hardware.Operation) {
	op.Kind, op.Src, op.Dst = hardware.SDP, e.source(n, op), e.cube(n.out)
	d := &hardware.SDPDesc{OutCvt: n.out1, Batch: 1}
	op.SDP = d
	if n.kind != kSuper {
		d.X1, op.X1 = e.stage(n)
		if n.kind == kEltwise {
			op.X1 = e.cube(n.in[1])
		}
		return
	}
	d.X1, op.X1 = e.stage(n.x1)
	d.X2, op.X2 = e.stage(n.x2)
	if n.x2.kind == kEltwise {
		op.X2 = e.cube(n.in[1])
	}
	for _, f := range []struct {
		n *node
		s *hardware.SDPStage
		c *hardware.Cube
	}{{n.x1, &d.X1, &op.X1}, {n.x2, &d.X2, &op.X2}} {
		if f.n.perLayer {
			// The compiler stores the operands but leaves the registers alone.
			*f.c = e.operands(f.n)
			if !e.opt.fixed(FixConstantMultiplier) {
				f.s.ALUOperand, f.s.MulOperand = 0, 1
			}
		}
	}
}

// source is the cube that an SDP operation reads: its convolution's stream or
// memory.
func (e *emitter) source(n *node, op *hardware.Operation) hardware.Cube {
	if conv := n.fused(); conv != nil {
		op.FusedParent = e.index[conv]
		return e.stream(n.in[0])
	}
	return e.cube(n.in[0])
}

// stage programs one SDP stage and stores its operands.
func (e *emitter) stage(n *node) (hardware.SDPStage, hardware.Cube) {
	s := hardware.SDPStage{Enable: true, ALU: hardware.ALUSum, Mode: hardware.PerChannel, Precision: hardware.Int16, MulOperand: 1, Shift: n.shift, Truncate: n.truncate}
	if n.relu {
		s.Act = hardware.ActReLU
	}
	switch {
	case n.kind == kAct:
		s.Type, s.Mode, s.Precision = hardware.SDPNone, hardware.PerLayer, hardware.Int8
		return s, hardware.Cube{}
	case n.kind == kEltwise:
		s.Type, s.Mode, s.Precision = hardware.SDPAdd, hardware.PerPoint, hardware.Int8
		return s, hardware.Cube{}
	case n.kind == kScale:
		s.Type = hardware.SDPMul
	case n.kind == kNorm || n.both:
		s.Type = hardware.SDPBoth
	default:
		s.Type = hardware.SDPAdd
	}
	if n.perLayer {
		return perLayer(s, n), hardware.Cube{}
	}
	return s, e.operands(n)
}

// perLayer puts the operands into the descriptor.
func perLayer(s hardware.SDPStage, n *node) hardware.SDPStage {
	s.Mode = hardware.PerLayer
	if n.addInt != nil {
		s.ALUOperand = int32(n.addInt[0])
	}
	if n.mulInt != nil {
		s.MulOperand = int32(n.mulInt[0])
	}
	return s
}

// operands stores the per-channel operands of a stage.
func (e *emitter) operands(n *node) hardware.Cube {
	data := operandBytes(n)
	c := max(len(n.addInt), len(n.mulInt))
	line := e.opt.Target.Atom * 2
	if n.both {
		line *= 2
	}
	return hardware.Cube{Region: weightRegion, Offset: e.blob(data), Size: len(data), W: 1, H: 1, C: c, LineStride: line, SurfStride: line}
}

package lower

import (
	"fmt"
	"slices"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// deconvolution adds what the compiler makes of a transposed convolution
// (DeconvolutionOp.cpp, RubikNode.cpp): for every position in a stride's
// rectangle, line by line, a convolution with stride 1 over the whole input,
// whose kernel is every stride-th weight, with the SDP operation behind it. The
// results lie side by side like the parts of a Concat, each filling whole atoms;
// Rubik then puts every pixel's parts next to each other (contract).
//
// All this happens before anything is merged, so nothing folds into the weights.
func (b *layerBuilder) deconvolution(op models.Deconvolution) error {
	if err := b.checkDeconvolution(op); err != nil {
		return err
	}
	blobs, err := b.blobs(1 + flag(op.Bias))
	if err != nil {
		return err
	}
	in, w := b.in(), op.Window
	if n := op.Out * in.shape.C * w.KernelH * w.KernelW; len(blobs[0].Data) != n {
		return b.l.Errorf("has %d weights, needs %d", len(blobs[0].Data), n)
	}
	parts := deconvolutionParts(op, in.shape.C, blobs[0].Data, b.opt.Mode)
	joined := b.newTensor(b.l, models.Shape{}, b.scale)
	var writes []*tensor
	var convs, ends []*node
	for i, c := range parts {
		c.inputScale = in.scale
		conv, end, err := b.part(op, c, in)
		if err != nil {
			return err
		}
		end.out.parent = joined
		writes, convs, ends = append(writes, end.out), append(convs, conv), append(ends, end)
		if i > 0 {
			follow(convs[i-1], conv)
			follow(ends[i-1], end)
		}
	}
	atoms := roundUp(op.Out, b.opt.Target.AtomicK)
	joined.shape = models.Shape{C: len(parts) * atoms, H: writes[0].shape.H, W: writes[0].shape.W}
	b.add(b.node(node{kind: kConcat, whole: true}), joined, writes...)
	b.add(b.node(node{kind: kRubik, stride: [2]int{w.StrideW, w.StrideH}}), b.output(), joined)
	if !b.opt.Target.Rubik {
		b.warn(b.l, DriverLimit, fmt.Sprintf("the compiler ends it with an operation of the Rubik engine, which the driver refuses on %s; only nv_full has it", b.opt.Target.Name))
	}
	return nil
}

// follow makes next come after n although it reads nothing of it.
func follow(n, next *node) {
	n.after, next.before = append(n.after, next), append(next.before, n)
}

// checkDeconvolution refuses what the compiler refuses: groups, and a size that
// is not a whole number of strides, because it pads neither side.
func (b *layerBuilder) checkDeconvolution(op models.Deconvolution) error {
	if op.Groups > 1 {
		return b.l.Errorf("is a deconvolution in %d groups, which nvdla_compiler's parser does not take; use one group, with zero weights between the groups", op.Groups)
	}
	w, in, out := op.Window, b.in().shape, b.l.Out
	h := (in.H - ceilDiv(w.KernelH, w.StrideH) + 1) * w.StrideH
	width := (in.W - ceilDiv(w.KernelW, w.StrideW) + 1) * w.StrideW
	if h != out.H || width != out.W {
		return b.l.Errorf("deconvolves %s to %s, but nvdla_compiler makes convolutions without padding of it, which give %dx%d, and stops with \"Padding issue, dims difference\". Kernels as large as their stride without pad fit, and kernels twice as large with pad equal to the stride", in, out, h, width)
	}
	if w.DilationH > 1 || w.DilationW > 1 {
		b.warn(b.l, Ignored, "dilation of a deconvolution is not programmed; the device computes with dilation 1")
	}
	return nil
}

// part adds one of the convolutions with the SDP operation behind it.
func (b *layerBuilder) part(op models.Deconvolution, c *convolution, in *tensor) (conv, end *node, err error) {
	shape := models.Shape{C: op.Out, H: in.shape.H - c.r + 1, W: in.shape.W - c.s + 1}
	stream := b.newTensor(b.l, shape, 0)
	conv = b.add(b.node(node{kind: kConv, conv: c}), stream, in)
	end, err = b.writer(c.k, op.Bias)
	if err != nil {
		return nil, nil, err
	}
	return conv, b.add(end, b.newTensor(b.l, shape, b.scale), stream), nil
}

// deconvolutionParts are the convolutions' weights. They are quantized together,
// in the order kernel, channel, line, column, and then dealt out; where the
// kernel is no multiple of the stride, the rest of a part is 0. Each part is
// turned by 180 degrees.
func deconvolutionParts(op models.Deconvolution, channels int, weights []float32, mode Mode) []*convolution {
	w := op.Window
	all := &convolution{k: op.Out, c: channels, r: w.KernelH, s: w.KernelW, merged: len(weights)}
	size := w.KernelH * w.KernelW
	for k := range all.k {
		for ch := range all.c {
			all.weights = append(all.weights, weights[(ch*all.k+k)*size:][:size]...)
		}
	}
	all.quantize(mode)
	var parts []*convolution
	for y := range w.StrideH {
		for x := range w.StrideW {
			part := &convolution{k: all.k, c: all.c, r: ceilDiv(w.KernelH, w.StrideH), s: ceilDiv(w.KernelW, w.StrideW), scales: all.scales}
			part.window = models.Window{KernelH: part.r, KernelW: part.s, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
			for kc := range all.k * all.c {
				part.quantized = append(part.quantized, turned(all, part, kc, y, x, w)...)
			}
			parts = append(parts, part)
		}
	}
	return parts
}

// turned is one kernel's channel of the part that begins at line y, column x.
func turned(all, part *convolution, kc, y, x int, w models.Window) []int8 {
	q := make([]int8, 0, part.r*part.s)
	for r := range part.r {
		for s := range part.s {
			v := int8(0)
			if line, column := y+r*w.StrideH, x+s*w.StrideW; line < all.r && column < all.s {
				v = all.quantized[(kc*all.r+line)*all.s+column]
			}
			q = append(q, v)
		}
	}
	slices.Reverse(q)
	return q
}

// rubik writes the operation that contracts a deconvolution's parts.
func (e *emitter) rubik(n *node, op *hardware.Operation) {
	op.Kind, op.Src, op.Dst = hardware.Rubik, e.cube(n.in[0]), e.cube(n.out)
	op.Dst.C = roundUp(op.Dst.C, e.opt.Target.AtomicK)
	op.Rubik = &hardware.RubikDesc{StrideX: n.stride[0], StrideY: n.stride[1]}
}

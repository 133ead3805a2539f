package compute

import "quantbench/harness/compute/kernel"

// Deconv adds a deconvolution (transposed convolution). Of c, strides and
// padding are those of the deconvolution, everything else is as for Conv; its
// weights must be in the order of Transposed.
//
// It is computed as the convolution that it equals: the input with Stride-1
// zeros between its elements, under the turned kernel, with a padding of
// (Kernel-1)*Dilation - Pad. A padding below zero cuts the input's border off.
func (b *Builder) Deconv(x Tensor, c Conv) Tensor {
	for _, p := range []*int{&c.KernelH, &c.KernelW, &c.StrideH, &c.StrideW, &c.DilationH, &c.DilationW, &c.Groups} {
		*p = max(*p, 1)
	}
	padH, padW := (c.KernelH-1)*c.DilationH-c.PadH, (c.KernelW-1)*c.DilationW-c.PadW
	wide := b.spread(x, c.StrideH, c.StrideW, max(0, -padH), max(0, -padW))
	c.StrideH, c.StrideW, c.PadH, c.PadW, c.OutH, c.OutW = 1, 1, max(0, padH), max(0, padW), 0, 0
	return b.Conv(wide, c)
}

// Transposed reorders a deconvolution's weights, In x Out/groups x kh x kw as
// Caffe stores them, for Deconv: Out x In/groups x kh x kw, each kernel turned
// by 180 degrees.
func Transposed(w []float32, in, out, groups, kh, kw int) []float32 {
	t := make([]float32, len(w))
	ins, outs, size := in/groups, out/groups, kh*kw
	for o := range out {
		for i := range ins {
			src := w[((o/outs*ins+i)*outs+o%outs)*size:][:size]
			dst := t[(o*ins+i)*size:][:size]
			for k, v := range src {
				dst[size-1-k] = v
			}
		}
	}
	return t
}

// spread puts zeros between the elements of a tensor.
type spread struct {
	in, out          *tensor
	strideH, strideW int
	cropH, cropW     int
}

// spread adds zeros between elements, then cuts cropH lines and cropW columns
// off on each side.
func (b *Builder) spread(x Tensor, strideH, strideW, cropH, cropW int) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	if in.kind == Int32 {
		return b.fail("deconvolution: an int32 input")
	}
	if strideH*strideW == 1 && cropH+cropW == 0 {
		return x
	}
	op := &spread{in: in, strideH: strideH, strideW: strideW, cropH: cropH, cropW: cropW}
	y := b.add(op, in.kind, in.c, (in.h-1)*strideH+1-2*cropH, (in.w-1)*strideW+1-2*cropW, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (s *spread) prepare(*Builder) error { return nil }
func (s *spread) across() bool           { return false }

func (s *spread) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for plane := 0; plane < s.out.planes(); plane++ {
			for y := 0; y < s.out.h; y++ {
				s.line(w, g, plane, y)
			}
		}
	}
}

// line writes one line of the result. Its buffer may have held another tensor,
// so the zeros are written too.
func (s *spread) line(w *Worker, g, plane, y int) {
	dst, zero := row[uint32](w, s.out, g, plane, y), s.out.zero()
	for i := range dst {
		dst[i] = zero
	}
	from := y + s.cropH
	if from%s.strideH != 0 {
		return
	}
	src := row[uint32](w, s.in, g, plane, from/s.strideH)
	for x := range s.in.w {
		if to := x*s.strideW - s.cropW; to >= 0 && to < s.out.w {
			copy(dst[to*kernel.Lanes:(to+1)*kernel.Lanes], src[x*kernel.Lanes:])
		}
	}
}

// interleave takes the pixels of its inputs in turn.
type interleave struct {
	in               []*tensor
	out              *tensor
	strideH, strideW int
}

// Interleave puts strideH x strideW tensors of one shape and type together: pixel
// (y, x) of the result is pixel (y/strideH, x/strideW) of tensor
// (y mod strideH)*strideW + x mod strideW.
func (b *Builder) Interleave(strideH, strideW int, xs ...Tensor) Tensor {
	if strideH < 1 || strideW < 1 || len(xs) != strideH*strideW {
		return b.fail("interleave: %d tensors for strides %d and %d", len(xs), strideH, strideW)
	}
	op := &interleave{strideH: strideH, strideW: strideW}
	for _, x := range xs {
		t := b.get(x)
		if t == nil {
			return 0
		}
		op.in = append(op.in, t)
		if f := op.in[0]; t.kind != f.kind || t.c != f.c || t.h != f.h || t.w != f.w {
			return b.fail("interleave: operands of different shapes or types")
		}
	}
	f := op.in[0]
	y := b.add(op, f.kind, f.c, f.h*strideH, f.w*strideW, xs...)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (o *interleave) prepare(*Builder) error { return nil }
func (o *interleave) across() bool           { return false }

func (o *interleave) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for plane := 0; plane < o.out.planes(); plane++ {
			for y := 0; y < o.out.h; y++ {
				dst := row[uint32](w, o.out, g, plane, y)
				for phase := range o.strideW {
					src := row[uint32](w, o.in[y%o.strideH*o.strideW+phase], g, plane, y/o.strideH)
					for x := phase; x < o.out.w; x += o.strideW {
						copy(dst[x*kernel.Lanes:(x+1)*kernel.Lanes], src[x/o.strideW*kernel.Lanes:])
					}
				}
			}
		}
	}
}

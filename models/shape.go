package models

import "math"

// InferShapes computes Out of every layer from the layers before it, with
// Caffe's rules. The layers must be linked. The window of a global Pooling is
// set to its whole input.
func (n *Network) InferShapes() error {
	for _, l := range n.Layers {
		out, err := inferShape(l)
		if err != nil {
			return err
		}
		if err := checkSize(l, out); err != nil {
			return err
		}
		l.Out = out
	}
	return nil
}

// checkSize keeps shapes within Caffe's own limit: a blob has 1 to 2^31-1
// elements.
func checkSize(l *Layer, s Shape) error {
	if s.C < 1 || s.H < 1 || s.W < 1 {
		return l.Errorf("output %s is empty; every size must be at least 1", s)
	}
	if s.C > math.MaxInt32 || s.H > math.MaxInt32/s.C || s.W > math.MaxInt32/(s.C*s.H) {
		return l.Errorf("output %s has more than 2^31-1 elements", s)
	}
	return nil
}

func inferShape(l *Layer) (Shape, error) {
	in := l.In()
	switch op := l.Op.(type) {
	case Input:
		return op.Shape, nil
	case Convolution:
		return convolved(l, op)
	case Deconvolution:
		return deconvolved(l, op)
	case Pooling:
		return pooled(l, op)
	case InnerProduct:
		return vector(l, op.Out)
	case Flatten:
		return Shape{in.Len(), 1, 1}, nil
	case Reshape:
		return reshaped(l, op.Shape)
	case Concat:
		return joined(l)
	case Eltwise:
		return in, sameShapes(l, op)
	case LRN:
		if op.Size < 1 || op.Size%2 == 0 {
			return in, l.Errorf("local_size is %d; Caffe takes odd sizes only", op.Size)
		}
	}
	return in, nil
}

func vector(l *Layer, out int) (Shape, error) {
	if out < 1 || out > math.MaxInt32/l.In().Len() {
		return Shape{}, l.Errorf("%d outputs of %d inputs: the weights must have 1 to 2^31-1 elements", out, l.In().Len())
	}
	return Shape{out, 1, 1}, nil
}

// checkWindow refuses sizes that Caffe refuses.
func checkWindow(l *Layer, w Window) error {
	if w.KernelH < 1 || w.KernelW < 1 {
		return l.Errorf("kernel is %dx%d; it must be at least 1x1 (kernel_size, or kernel_h and kernel_w)", w.KernelH, w.KernelW)
	}
	if w.StrideH < 1 || w.StrideW < 1 || w.DilationH < 1 || w.DilationW < 1 {
		return l.Errorf("stride %dx%d, dilation %dx%d: each must be at least 1", w.StrideH, w.StrideW, w.DilationH, w.DilationW)
	}
	if w.PadH < 0 || w.PadW < 0 {
		return l.Errorf("padding %dx%d is negative", w.PadH, w.PadW)
	}
	for _, v := range []int{w.KernelH, w.KernelW, w.StrideH, w.StrideW, w.DilationH, w.DilationW, w.PadH, w.PadW} {
		if v > 1<<24 {
			return l.Errorf("window has a size of %d; more than 2^24 is surely a mistake", v)
		}
	}
	return nil
}

// checkGroups refuses group counts that do not divide the channels, and
// weights beyond Caffe's limit of 2^31-1 elements.
func checkGroups(l *Layer, w Window, out, groups int) error {
	in := l.In()
	if out < 1 || out > math.MaxInt32 {
		return l.Errorf("num_output is %d; it must be 1 to 2^31-1", out)
	}
	if groups < 1 || in.C%groups != 0 || out%groups != 0 {
		return l.Errorf("group %d must divide both the %d input and the %d output channels", groups, in.C, out)
	}
	if limit := math.MaxInt32 / out; w.KernelH > limit/w.KernelW || in.C/groups > limit/(w.KernelH*w.KernelW) {
		return l.Errorf("weights have more than 2^31-1 elements")
	}
	return nil
}

// convolved is Caffe's convolution size, rounded down:
// (in + 2*pad - (dilation*(kernel-1)+1)) / stride + 1.
func convolved(l *Layer, op Convolution) (Shape, error) {
	w := op.Window
	if err := checkWindow(l, w); err != nil {
		return Shape{}, err
	}
	if err := checkGroups(l, w, op.Out, op.Groups); err != nil {
		return Shape{}, err
	}
	in := l.In()
	h := in.H + 2*w.PadH - (w.DilationH*(w.KernelH-1) + 1)
	x := in.W + 2*w.PadW - (w.DilationW*(w.KernelW-1) + 1)
	if h < 0 || x < 0 {
		return Shape{}, l.Errorf("kernel %dx%d does not fit into its input %s", w.KernelH, w.KernelW, in)
	}
	return Shape{op.Out, h/w.StrideH + 1, x/w.StrideW + 1}, nil
}

// deconvolved is stride*(in-1) + (dilation*(kernel-1)+1) - 2*pad.
func deconvolved(l *Layer, op Deconvolution) (Shape, error) {
	w := op.Window
	if err := checkWindow(l, w); err != nil {
		return Shape{}, err
	}
	if err := checkGroups(l, w, op.Out, op.Groups); err != nil {
		return Shape{}, err
	}
	in := l.In()
	return Shape{
		C: op.Out,
		H: w.StrideH*(in.H-1) + w.DilationH*(w.KernelH-1) + 1 - 2*w.PadH,
		W: w.StrideW*(in.W-1) + w.DilationW*(w.KernelW-1) + 1 - 2*w.PadW,
	}, nil
}

func pooled(l *Layer, op Pooling) (Shape, error) {
	in := l.In()
	if op.Global {
		op.KernelH, op.KernelW = in.H, in.W
		l.Op = op
		return Shape{in.C, 1, 1}, nil
	}
	w := op.Window
	if err := checkWindow(l, w); err != nil {
		return Shape{}, err
	}
	if w.DilationH != 1 || w.DilationW != 1 {
		return Shape{}, l.Errorf("pooling has no dilation")
	}
	if w.PadH >= w.KernelH || w.PadW >= w.KernelW {
		return Shape{}, l.Errorf("padding %dx%d must be less than the kernel %dx%d", w.PadH, w.PadW, w.KernelH, w.KernelW)
	}
	if in.H+2*w.PadH < w.KernelH || in.W+2*w.PadW < w.KernelW {
		return Shape{}, l.Errorf("kernel %dx%d does not fit into its input %s", w.KernelH, w.KernelW, in)
	}
	padded := w.PadH > 0 || w.PadW > 0
	h := poolSize(in.H, w.KernelH, w.StrideH, w.PadH, op.Floor, padded)
	x := poolSize(in.W, w.KernelW, w.StrideW, w.PadW, op.Floor, padded)
	if (h-1)*w.StrideH >= in.H+w.PadH || (x-1)*w.StrideW >= in.W+w.PadW {
		return Shape{}, l.Errorf("the last window lies outside the input %s: stride %dx%d is too large for kernel %dx%d", in, w.StrideH, w.StrideW, w.KernelH, w.KernelW)
	}
	return Shape{in.C, h, x}, nil
}

// poolSize is Caffe's pooling size along one axis: rounded up, less the last
// window if that begins beyond the picture and its leading padding. Caffe
// looks for such a window only if there is padding on either axis.
func poolSize(in, kernel, stride, pad int, floor, padded bool) int {
	span := in + 2*pad - kernel
	if !floor {
		span += stride - 1
	}
	out := span/stride + 1
	if padded && (out-1)*stride >= in+pad {
		out--
	}
	return out
}

// reshaped resolves 0 (as in the bottom) and a single -1 (what remains).
func reshaped(l *Layer, want Shape) (Shape, error) {
	in, known, free := l.In(), 1, 0
	from, dims := [3]int{in.C, in.H, in.W}, [3]int{want.C, want.H, want.W}
	for i, d := range dims {
		switch {
		case d == 0:
			dims[i] = from[i]
		case d == -1:
			free++
			continue
		case d < 0 || d > math.MaxInt32:
			return Shape{}, l.Errorf("dimension %d: must be a size, 0 (copied) or -1 (inferred)", d)
		}
		if known > math.MaxInt32/dims[i] {
			return Shape{}, l.Errorf("output has more than 2^31-1 elements")
		}
		known *= dims[i]
	}
	if free > 1 || free == 1 && in.Len()%known != 0 || free == 0 && in.Len() != known {
		return Shape{}, l.Errorf("cannot make %s of the %d elements of %s", want, in.Len(), in)
	}
	for i, d := range dims {
		if d == -1 {
			dims[i] = in.Len() / known
		}
	}
	return Shape{dims[0], dims[1], dims[2]}, nil
}

func joined(l *Layer) (Shape, error) {
	out := l.In()
	for _, f := range l.From[1:] {
		if f.Out.H != out.H || f.Out.W != out.W {
			return Shape{}, l.Errorf("bottom of %q is %s, that of %q is %s: height and width must agree", f.Name, f.Out, l.From[0].Name, l.In())
		}
		out.C += f.Out.C
	}
	return out, nil
}

func sameShapes(l *Layer, op Eltwise) error {
	for _, f := range l.From[1:] {
		if f.Out != l.In() {
			return l.Errorf("bottom of %q is %s, that of %q is %s: the shapes must be equal", f.Name, f.Out, l.From[0].Name, l.In())
		}
	}
	if op.Coeff == nil {
		return nil
	}
	if op.Operation != EltwiseSum || len(op.Coeff) != len(l.From) {
		return l.Errorf("has %d coeff for %d bottoms; only a SUM takes them, one for each bottom", len(op.Coeff), len(l.From))
	}
	return nil
}

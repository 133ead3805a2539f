package compute

import (
	"quantbench/harness/compute/kernel"
)

// Combine is what Eltwise does with its operands.
type Combine uint8

// The ways to combine.
const (
	Sum Combine = iota
	Product
	Maximum
)

// eltwise combines Float32 tensors of one shape, in the order of the operands.
type eltwise struct {
	how   Combine
	coeff []float32
	in    []*tensor
	out   *tensor
}

// Eltwise adds an element by element combination of Float32 tensors; coeff, for
// a Sum, holds a factor for each, nil means ones.
func (b *Builder) Eltwise(how Combine, coeff []float32, xs ...Tensor) Tensor {
	op := &eltwise{how: how, coeff: coeff}
	for _, x := range xs {
		t := b.float(x)
		if t == nil {
			return 0
		}
		op.in = append(op.in, t)
		if t.c != op.in[0].c || t.h != op.in[0].h || t.w != op.in[0].w {
			return b.fail("eltwise: operands of different shapes")
		}
	}
	if len(xs) == 0 || coeff != nil && len(coeff) != len(xs) {
		return b.fail("eltwise: %d operands, %d coefficients", len(xs), len(coeff))
	}
	y := b.add(op, Float32, op.in[0].c, op.in[0].h, op.in[0].w, xs...)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (e *eltwise) prepare(*Builder) error { return nil }
func (e *eltwise) across() bool           { return false }

func (e *eltwise) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for c := 0; c < e.out.c; c++ {
			for y := 0; y < e.out.h; y++ {
				dst := row[float32](w, e.out, g, c, y)
				copy(dst, row[float32](w, e.in[0], g, c, y))
				if e.coeff != nil && e.how == Sum {
					scale(dst, e.coeff[0])
				}
				for i, t := range e.in[1:] {
					e.combine(dst, row[float32](w, t, g, c, y), i+1)
				}
			}
		}
	}
}

func scale(dst []float32, f float32) {
	for i := range dst {
		dst[i] *= f
	}
}

func (e *eltwise) combine(dst, src []float32, operand int) {
	switch {
	case e.how == Product:
		for i, v := range src {
			dst[i] *= v
		}
	case e.how == Maximum:
		for i, v := range src {
			dst[i] = max(dst[i], v)
		}
	case e.coeff == nil:
		for i, v := range src {
			dst[i] += v
		}
	default:
		for i, v := range src {
			dst[i] += float32(v * e.coeff[operand])
		}
	}
}

// AddInt8 adds two Int8 tensors through a requantization, the first in the place
// of the convolution's sum and the second as the residual: it is a convolution
// with a 1x1 kernel of ones, each channel on its own. Of c only BiasInt32, ReLU,
// TensorRT and NVDLA are used.
func (b *Builder) AddInt8(x, y Tensor, c Conv) Tensor {
	if b.get(y) == nil {
		return 0
	}
	c.Residual = y
	return b.Requantize(x, c)
}

// Requantize sends an Int8 tensor through a requantization alone.
func (b *Builder) Requantize(x Tensor, c Conv) Tensor {
	n, _, _ := b.Shape(x)
	c.Out, c.Groups = n, n
	c.Int8 = make([]int8, n)
	for i := range c.Int8 {
		c.Int8[i] = 1
	}
	return b.Conv(x, c)
}

// arrange copies elements to other places: Concat and Reshape.
type arrange struct {
	in  []*tensor
	out *tensor
}

// Concat joins tensors of one type and size along the channels.
func (b *Builder) Concat(xs ...Tensor) Tensor {
	if len(xs) == 0 {
		return b.fail("concat of nothing")
	}
	op := &arrange{}
	channels := 0
	for _, x := range xs {
		t := b.get(x)
		if t == nil {
			return 0
		}
		op.in = append(op.in, t)
		if f := op.in[0]; t.kind != f.kind || t.h != f.h || t.w != f.w {
			return b.fail("concat: operands of different sizes or types")
		}
		channels += t.c
	}
	return b.arrange(op, channels, op.in[0].h, op.in[0].w, xs...)
}

// Reshape gives the elements, in C x H x W order, another shape.
func (b *Builder) Reshape(x Tensor, c, h, w int) Tensor {
	t := b.get(x)
	if t == nil {
		return 0
	}
	if t.c*t.h*t.w != c*h*w {
		return b.fail("reshape of %dx%dx%d to %dx%dx%d", t.c, t.h, t.w, c, h, w)
	}
	if t.c == c && t.h == h {
		return x
	}
	return b.arrange(&arrange{in: []*tensor{t}}, c, h, w, x)
}

func (b *Builder) arrange(op *arrange, c, h, w int, xs ...Tensor) Tensor {
	y := b.add(op, op.in[0].kind, c, h, w, xs...)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (a *arrange) prepare(*Builder) error { return nil }
func (a *arrange) across() bool           { return false }

func (a *arrange) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		element := 0 // of the output, in C x H x W order
		for _, t := range a.in {
			if a.wholeRows(t) {
				element = a.copyRows(w, t, g, element)
			} else {
				element = a.copyElements(w, t, g, element)
			}
		}
	}
}

// wholeRows: rows stay rows and no byte changes its place in an element.
func (a *arrange) wholeRows(t *tensor) bool {
	return t.w == a.out.w && t.h == a.out.h && t.kind != Int8
}

func (a *arrange) copyRows(w *Worker, t *tensor, g, element int) int {
	first := element / (t.h * t.w)
	for c := 0; c < t.c; c++ {
		for y := 0; y < t.h; y++ {
			copy(row[uint32](w, a.out, g, first+c, y), row[uint32](w, t, g, c, y))
		}
	}
	return element + t.c*t.h*t.w
}

// copyElements moves 16 pictures' elements one position at a time.
func (a *arrange) copyElements(w *Worker, t *tensor, g, element int) int {
	for c := 0; c < t.c; c++ {
		for y := 0; y < t.h; y++ {
			for x := 0; x < t.w; x++ {
				ox, oy, oc := element%a.out.w, element/a.out.w%a.out.h, element/(a.out.w*a.out.h)
				a.move(w, t, g, [3]int{c, y, x}, [3]int{oc, oy, ox})
				element++
			}
		}
	}
	return element
}

func (a *arrange) move(w *Worker, t *tensor, g int, from, to [3]int) {
	if t.kind != Int8 {
		*(*[kernel.Lanes]uint32)(w.pointer(a.out, g, a.out.at(to[0], to[1], to[2]))) =
			*(*[kernel.Lanes]uint32)(w.pointer(t, g, t.at(from[0], from[1], from[2])))
		return
	}
	src := (*[kernel.Lanes][kernel.Block]byte)(w.pointer(t, g, t.at(from[0]/kernel.Block, from[1], from[2])))
	dst := (*[kernel.Lanes][kernel.Block]byte)(w.pointer(a.out, g, a.out.at(to[0]/kernel.Block, to[1], to[2])))
	f, d := from[0]%kernel.Block, to[0]%kernel.Block
	for l := range dst {
		dst[l][d] = src[l][f]
	}
}

package compute

import (
	"math"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// each is an operation that maps whole planes of a Float32 tensor, one row at a
// time, to a tensor of the same shape.
type each struct {
	in, out *tensor
	f       func(w *Worker, c int, dst, src []float32)
}

func (e *each) prepare(*Builder) error { return nil }
func (e *each) across() bool           { return false }

func (e *each) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for c := 0; c < e.in.c; c++ {
			for y := 0; y < e.in.h; y++ {
				e.f(w, c, row[float32](w, e.out, g, c, y), row[float32](w, e.in, g, c, y))
			}
		}
	}
}

// rows adds an each.
func (b *Builder) rows(x Tensor, f func(w *Worker, c int, dst, src []float32)) Tensor {
	in := b.float(x)
	if in == nil {
		return 0
	}
	op := &each{in: in, f: f}
	y := b.add(op, Float32, in.c, in.h, in.w, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

// Affine adds y = x*scale[c] + bias[c], then ReLU if relu; nil means ones, or
// zeros. The product is rounded before the sum.
func (b *Builder) Affine(x Tensor, scale, bias []float32, relu bool) Tensor {
	c, _, _ := b.Shape(x)
	if scale != nil && len(scale) != c || bias != nil && len(bias) != c {
		return b.fail("affine: %d factors and %d offsets for %d channels", len(scale), len(bias), c)
	}
	floor := float32(-math.MaxFloat32)
	if relu {
		floor = 0
	}
	return b.rows(x, func(w *Worker, c int, dst, src []float32) {
		a := &w.affine
		*a = kernel.Affine{In: unsafe.Pointer(&src[0]), Out: unsafe.Pointer(&dst[0]),
			N: int64(len(src) / kernel.Lanes), Mul: 1, Floor: floor}
		if scale != nil {
			a.Mul = scale[c]
		}
		if bias != nil {
			a.Bias = bias[c]
		}
		w.p.kernels.Affine(a)
	})
}

// ReLU adds max(x, 0) + slope*min(x, 0).
func (b *Builder) ReLU(x Tensor, slope float32) Tensor {
	if slope == 0 {
		return b.Affine(x, nil, nil, true)
	}
	return b.PReLU(x, []float32{slope})
}

// PReLU is ReLU with one slope a channel, or one for all.
func (b *Builder) PReLU(x Tensor, slopes []float32) Tensor {
	c, _, _ := b.Shape(x)
	if len(slopes) != 1 && len(slopes) != c {
		return b.fail("prelu: %d slopes for %d channels", len(slopes), c)
	}
	return b.rows(x, func(_ *Worker, c int, dst, src []float32) {
		slope := slopes[min(c, len(slopes)-1)]
		for i, v := range src {
			if v < 0 {
				v *= slope
			}
			dst[i] = v
		}
	})
}

// Map adds y = f(x) for every element.
func (b *Builder) Map(x Tensor, f func(float32) float32) Tensor {
	return b.rows(x, func(_ *Worker, _ int, dst, src []float32) {
		for i, v := range src {
			dst[i] = f(v)
		}
	})
}

// Power adds (shift + scale*x)^power.
func (b *Builder) Power(x Tensor, power, scale, shift float32) Tensor {
	return b.Map(x, func(v float32) float32 {
		v = shift + float32(scale*v)
		if power == 1 {
			return v
		}
		return float32(math.Pow(float64(v), float64(power)))
	})
}

// Sigmoid adds 1/(1+exp(-x)).
func (b *Builder) Sigmoid(x Tensor) Tensor {
	return b.Map(x, func(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) })
}

// TanH adds the hyperbolic tangent.
func (b *Builder) TanH(x Tensor) Tensor {
	return b.Map(x, func(v float32) float32 { return float32(math.Tanh(float64(v))) })
}

// ELU adds x where positive, alpha*(exp(x)-1) elsewhere.
func (b *Builder) ELU(x Tensor, alpha float32) Tensor {
	return b.Map(x, func(v float32) float32 {
		if v > 0 {
			return v
		}
		return float32(float64(alpha) * math.Expm1(float64(v)))
	})
}

// Abs adds the absolute value.
func (b *Builder) Abs(x Tensor) Tensor {
	return b.Map(x, func(v float32) float32 { return float32(math.Abs(float64(v))) })
}

// Softmax adds the softmax over the channels: exp(x - max) / sum.
func (b *Builder) Softmax(x Tensor) Tensor {
	return b.perPixel(x, func(in, out *tensor, src, dst unsafe.Pointer) {
		for l := 0; l < kernel.Lanes; l++ {
			softmax(in, out, unsafe.Add(src, 4*l), unsafe.Add(dst, 4*l))
		}
	})
}

func softmax(in, out *tensor, src, dst unsafe.Pointer) {
	top := float32(math.Inf(-1))
	for c := 0; c < in.c; c++ {
		top = max(top, *(*float32)(unsafe.Add(src, c*in.planeBytes())))
	}
	var sum float64
	for c := 0; c < in.c; c++ {
		e := math.Exp(float64(*(*float32)(unsafe.Add(src, c*in.planeBytes())) - top))
		sum += e
		*(*float32)(unsafe.Add(dst, c*out.planeBytes())) = float32(e)
	}
	for c := 0; c < in.c; c++ {
		p := (*float32)(unsafe.Add(dst, c*out.planeBytes()))
		*p = float32(float64(*p) / sum)
	}
}

// LRN adds local response normalisation over size channels:
// x / (k + alpha/size * sum of x^2)^beta.
func (b *Builder) LRN(x Tensor, size int, alpha, beta, k float32) Tensor {
	return b.perPixel(x, func(in, out *tensor, src, dst unsafe.Pointer) {
		for l := 0; l < kernel.Lanes; l++ {
			for c := 0; c < in.c; c++ {
				var sum float64
				for i := max(0, c-size/2); i <= min(in.c-1, c+size/2); i++ {
					v := float64(*(*float32)(unsafe.Add(src, i*in.planeBytes()+4*l)))
					sum += v * v
				}
				v := float64(*(*float32)(unsafe.Add(src, c*in.planeBytes()+4*l)))
				*(*float32)(unsafe.Add(dst, c*out.planeBytes()+4*l)) = normalise(v, sum, float64(alpha)/float64(size), beta, k)
			}
		}
	})
}

func normalise(v, sum, alpha float64, beta, k float32) float32 {
	base := float64(k) + alpha*sum
	if beta == 0.75 {
		root := math.Sqrt(base)
		return float32(v / (root * math.Sqrt(root)))
	}
	return float32(v * math.Pow(base, -float64(beta)))
}

// LRNWithin adds local response normalisation over a size x size window of each
// channel; the sum is always divided by size*size.
func (b *Builder) LRNWithin(x Tensor, size int, alpha, beta, k float32) Tensor {
	half := (size - 1) / 2
	return b.perPixelAt(x, func(in, out *tensor, src, dst unsafe.Pointer, y, x int) {
		for c := 0; c < in.c; c++ {
			for l := 0; l < kernel.Lanes; l++ {
				var sum float64
				for dy := max(-half, -y); dy <= min(half, in.h-1-y); dy++ {
					for dx := max(-half, -x); dx <= min(half, in.w-1-x); dx++ {
						v := float64(*(*float32)(unsafe.Add(src, c*in.planeBytes()+dy*in.rowBytes()+dx*kernel.VectorBytes+4*l)))
						sum += v * v
					}
				}
				v := float64(*(*float32)(unsafe.Add(src, c*in.planeBytes()+4*l)))
				*(*float32)(unsafe.Add(dst, c*out.planeBytes()+4*l)) = normalise(v, sum, float64(alpha)/float64(size*size), beta, k)
			}
		}
	})
}

// pixels is an operation on one pixel at a time, all its channels.
type pixels struct {
	in, out *tensor
	f       func(in, out *tensor, src, dst unsafe.Pointer, y, x int)
	alone   bool // reads nothing of other pixels
}

func (p *pixels) prepare(*Builder) error { return nil }
func (p *pixels) across() bool           { return false }

func (p *pixels) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for y := 0; y < p.in.h; y++ {
			for x := 0; x < p.in.w; x++ {
				p.f(p.in, p.out, w.pointer(p.in, g, p.in.at(0, y, x)), w.pointer(p.out, g, p.out.at(0, y, x)), y, x)
			}
		}
	}
}

func (b *Builder) perPixel(x Tensor, f func(in, out *tensor, src, dst unsafe.Pointer)) Tensor {
	y := b.perPixelAt(x, func(in, out *tensor, src, dst unsafe.Pointer, _, _ int) { f(in, out, src, dst) })
	if y != 0 {
		b.ops[len(b.ops)-1].(*pixels).alone = true
	}
	return y
}

func (b *Builder) perPixelAt(x Tensor, f func(in, out *tensor, src, dst unsafe.Pointer, y, x int)) Tensor {
	in := b.float(x)
	if in == nil {
		return 0
	}
	op := &pixels{in: in, f: f}
	y := b.add(op, Float32, in.c, in.h, in.w, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

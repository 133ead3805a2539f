package compute

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/harness/compute/kernel"
)

// layer is a random convolution with an input, for comparison with sums done
// the long way.
type layer struct {
	c, h, w  int
	conv     Conv
	floats   []float32
	ints     []int8
	pictures int
}

func pick(r *rand.Rand, list ...int) int { return list[r.IntN(len(list))] }

// randomLayer draws a geometry; extreme fills with -128 and 127 only.
func randomLayer(r *rand.Rand) *layer {
	l := &layer{pictures: pick(r, 1, 5, 16, 17, 40)}
	g := pick(r, 1, 1, 1, 2, 3)
	l.c, l.h, l.w = g*pick(r, 1, 1, 2, 3, 4, 5, 8), 1+r.IntN(12), 1+r.IntN(17)
	c := Conv{Out: g * (1 + r.IntN(9)), Groups: g, KernelH: 1 + r.IntN(5), KernelW: 1 + r.IntN(5),
		StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: pick(r, 1, 1, 2), DilationW: pick(r, 1, 1, 2),
		PadH: r.IntN(3), PadW: r.IntN(3)}
	if r.IntN(5) == 0 {
		c.KernelH, c.KernelW, c.PadH, c.PadW, c.DilationH, c.DilationW = l.h, l.w, 0, 0, 1, 1
	}
	l.conv = c
	return l
}

func (l *layer) outputs() (h, w int) {
	c := &l.conv
	return outputs(l.h, c.PadH, (c.KernelH-1)*c.DilationH+1, c.StrideH), outputs(l.w, c.PadW, (c.KernelW-1)*c.DilationW+1, c.StrideW)
}

// terms calls f with every pair of input index and weight index of one output.
func (l *layer) terms(o, y, x int, f func(i, k int)) {
	c := &l.conv
	per := l.c / c.Groups
	first := o / (c.Out / c.Groups) * per
	for ch := 0; ch < per; ch++ {
		for ky := 0; ky < c.KernelH; ky++ {
			for kx := 0; kx < c.KernelW; kx++ {
				iy, ix := y*c.StrideH-c.PadH+ky*c.DilationH, x*c.StrideW-c.PadW+kx*c.DilationW
				if iy >= 0 && iy < l.h && ix >= 0 && ix < l.w {
					f(((first+ch)*l.h+iy)*l.w+ix, ((o*per+ch)*c.KernelH+ky)*c.KernelW+kx)
				}
			}
		}
	}
}

func randomInt8(r *rand.Rand, n int, extreme bool) []int8 {
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(r.IntN(256) - 128)
		if extreme {
			v[i] = int8(pick(r, -128, 127, -128))
		}
	}
	return v
}

func randomFloats(r *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64() * scale)
	}
	return v
}

// checkInt8 compares one random int8 layer on every set of kernels with the
// definition; mode is 0 for int32, 1 for TensorRT, 2 for NVDLA. It counts the
// sets that had a fused form.
func checkInt8(t *testing.T, seed uint64, mode int) (fused int) {
	r := rand.New(rand.NewPCG(seed, uint64(mode)))
	l := randomLayer(r)
	oh, ow := l.outputs()
	if oh < 1 || ow < 1 {
		return fused
	}
	extreme := r.IntN(3) == 0
	c := &l.conv
	c.Int8 = randomInt8(r, c.Out*l.c/c.Groups*c.KernelH*c.KernelW, extreme)
	in := randomInt8(r, l.pictures*l.c*l.h*l.w, extreme)
	l.ints = in
	if r.IntN(2) == 0 {
		c.BiasInt32 = make([]int32, c.Out)
		for i := range c.BiasInt32 {
			c.BiasInt32[i] = int32(r.IntN(200000) - 100000)
		}
	}
	withResidual := mode > 0 && r.IntN(2) == 0
	c.ReLU = mode > 0 && r.IntN(2) == 0
	switch mode {
	case 1:
		c.TensorRT = &TensorRT{Mul: randomFloats(r, c.Out, 1e-3), Bias: randomFloats(r, c.Out, 1), ResidualMul: r.Float32(), OutMul: 1 / (0.01 + r.Float32())}
	case 2:
		c.NVDLA = randomNVDLA(r, c.Out)
	}
	for _, set := range kernel.Sets() {
		b := NewBuilder()
		b.Kernels = set
		x := b.Input(Int8, l.c, l.h, l.w)
		var res Tensor
		layer := *c
		if withResidual {
			// The residual is the input through a convolution that makes int8.
			plain := *c
			plain.TensorRT, plain.NVDLA, plain.ReLU, plain.BiasInt32 = &TensorRT{Mul: ones(c.Out, 1e-3), OutMul: 3}, nil, false, nil
			res = b.Conv(x, plain)
			b.Keep(res)
			layer.Residual = res
		}
		y := b.Conv(x, layer)
		b.Keep(y)
		p, err := b.Build()
		if errors.Is(err, ErrRange) {
			return fused
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		w := p.NewWorker()
		if err := w.RunInt8(in); err != nil {
			t.Fatal(err)
		}
		l.compare(t, seed, w, y, res, mode, oh, ow)
		if p.ops[len(p.ops)-1].(*conv).fused != nil {
			fused++
		}
	}
	return fused
}

func ones(n int, v float32) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func randomNVDLA(r *rand.Rand, out int) *NVDLA {
	n := &NVDLA{ReLU: r.IntN(3) == 0, ResidualShift: r.IntN(6), Offset: int32(r.IntN(100) - 50), Scale: int16(r.IntN(1<<15) - 1<<13), Shift: r.IntN(30)}
	if r.IntN(2) == 0 {
		n.Mul = make([]int16, pick(r, 1, out))
		for i := range n.Mul {
			n.Mul[i] = int16(r.IntN(1<<16) - 1<<15)
		}
		n.MulShift = r.IntN(30)
	}
	switch r.IntN(3) { // forms that a fused kernel can take
	case 0:
		n.Offset, n.ReLU, n.Scale = 0, false, int16(r.IntN(1<<15))
	case 1: // with ties
		n.Offset, n.ReLU, n.Scale = 0, false, 1<<r.IntN(15)
		for i := range n.Mul {
			n.Mul[i] = int16(pick(r, 1, -1)) << r.IntN(15)
		}
	}
	return n
}

func (l *layer) compare(t *testing.T, seed uint64, w *Worker, y, res Tensor, mode, oh, ow int) {
	t.Helper()
	c := &l.conv
	n := c.Out * oh * ow
	got, residual, raw := make([]int8, n), make([]int8, n), make([]int32, n)
	for p := 0; p < l.pictures; p++ {
		if mode == 0 {
			w.Int32(y, p, raw)
		} else {
			w.Int8(y, p, got)
		}
		if res != 0 {
			w.Int8(res, p, residual)
		}
		in := l.ints[p*l.c*l.h*l.w:]
		for i := range got {
			o := i / (oh * ow)
			var sum int64
			l.terms(o, i/ow%oh, i%ow, func(a, k int) { sum += int64(in[a]) * int64(c.Int8[k]) })
			if c.BiasInt32 != nil {
				sum += int64(c.BiasInt32[o])
			}
			if mode == 0 {
				if int64(raw[i]) != sum {
					t.Fatalf("seed %d %s: picture %d element %d: %d, want %d", seed, w.p.Kernels(), p, i, raw[i], sum)
				}
				continue
			}
			want := c.TensorRT.want(c, o, sum, residual[i], res != 0)
			if mode == 2 {
				want = c.NVDLA.want(c, o, sum, int64(residual[i]), res != 0)
			}
			if got[i] != want {
				t.Fatalf("seed %d %s mode %d: picture %d element %d: %d, want %d (%+v)", seed, w.p.Kernels(), mode, p, i, got[i], want, c)
			}
		}
	}
}

func (n *TensorRT) want(c *Conv, o int, sum int64, residual int8, withResidual bool) int8 {
	if n == nil {
		return 0
	}
	m := float32(sum) * n.Mul[o]
	y := m + n.Bias[o]
	if withResidual {
		r := float32(residual) * n.ResidualMul
		y += r
	}
	if c.ReLU && y < 0 {
		y = 0
	}
	y *= n.OutMul
	v := math.RoundToEven(float64(y))
	if v > 127 {
		return 127
	}
	if v < -128 {
		return -128
	}
	return int8(v)
}

// want is the definition of the NVDLA requantization in big floats: exact,
// because all values stay below 2^53.
func (n *NVDLA) want(c *Conv, o int, v, residual int64, withResidual bool) int8 {
	rha := func(v int64, t int) int64 { return int64(math.Round(math.Ldexp(float64(v), -t))) }
	if n.Mul != nil {
		v = rha(v*int64(n.Mul[min(o, len(n.Mul)-1)]), n.MulShift)
	}
	if n.ReLU {
		v = max(v, 0)
	}
	if withResidual {
		v += residual * (1 << n.ResidualShift)
	}
	if c.ReLU {
		v = max(v, 0)
	}
	v = rha((v-int64(n.Offset))*int64(n.Scale), n.Shift)
	return int8(max(-128, min(127, v)))
}

func TestRandomInt8(t *testing.T) {
	for mode, name := range []string{"int32", "tensorrt", "nvdla"} {
		t.Run(name, func(t *testing.T) {
			fused := 0
			for seed := range uint64(200) {
				fused += checkInt8(t, seed, mode)
			}
			t.Logf("%d layers had a fused form", fused)
			if mode > 0 && fused < 20 {
				t.Errorf("only %d layers had a fused form", fused)
			}
		})
	}
}

func FuzzInt8(f *testing.F) {
	f.Add(uint64(1), 1)
	f.Add(uint64(2), 2)
	f.Fuzz(func(t *testing.T, seed uint64, mode int) { checkInt8(t, seed, int(uint(mode)%3)) })
}

// checkFloat32 compares one random float layer with float64 sums, within the
// bound of kernel.Conv.
func checkFloat32(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 9))
	l := randomLayer(r)
	oh, ow := l.outputs()
	if oh < 1 || ow < 1 {
		return
	}
	c := &l.conv
	c.Float32 = randomFloats(r, c.Out*l.c/c.Groups*c.KernelH*c.KernelW, 1)
	c.Bias = randomFloats(r, c.Out, 1)
	l.floats = randomFloats(r, l.pictures*l.c*l.h*l.w, 1)
	withResidual := r.IntN(2) == 0
	c.ReLU = r.IntN(2) == 0
	for _, set := range kernel.Sets() {
		b := NewBuilder()
		b.Kernels = set
		x := b.Input(Float32, l.c, l.h, l.w)
		var res Tensor
		conv := *c
		if withResidual {
			plain := *c
			plain.ReLU = false
			res = b.Conv(x, plain)
			b.Keep(res)
			conv.Residual = res
		}
		y := b.Conv(x, conv)
		b.Keep(y)
		p, err := b.Build()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		w := p.NewWorker()
		if err := w.RunFloat32(l.floats); err != nil {
			t.Fatal(err)
		}
		l.compareFloat32(t, seed, w, y, res, oh, ow)
	}
}

func (l *layer) compareFloat32(t *testing.T, seed uint64, w *Worker, y, res Tensor, oh, ow int) {
	c := &l.conv
	got, residual := make([]float32, c.Out*oh*ow), make([]float32, c.Out*oh*ow)
	for p := 0; p < l.pictures; p++ {
		w.Float32(y, p, got)
		if res != 0 {
			w.Float32(res, p, residual)
		}
		in := l.floats[p*l.c*l.h*l.w:]
		for i, g := range got {
			o := i / (oh * ow)
			sum, size, n := float64(c.Bias[o])+float64(residual[i]), math.Abs(float64(c.Bias[o]))+math.Abs(float64(residual[i])), 2.0
			l.terms(o, i/ow%oh, i%ow, func(a, k int) {
				v := float64(in[a]) * float64(c.Float32[k])
				sum, size, n = sum+v, size+math.Abs(v), n+1
			})
			if c.ReLU {
				sum = max(sum, 0)
			}
			if math.Abs(sum-float64(g)) > (n+2)*size/(1<<24) {
				t.Fatalf("seed %d %s: picture %d element %d: %g, want %g", seed, w.p.Kernels(), p, i, g, sum)
			}
		}
	}
}

func TestRandomFloat32(t *testing.T) {
	for seed := range uint64(200) {
		checkFloat32(t, seed)
	}
}

func FuzzFloat32(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkFloat32)
}

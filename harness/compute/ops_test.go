package compute

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"quantbench/harness/compute/kernel"
)

// run8 builds a network of one int8 input and returns what it makes of random
// pictures, with the pictures.
func run8(t *testing.T, set *kernel.Set, pictures, c, h, w int, network func(b *Builder, x Tensor) Tensor) (in []int8, out [][]int8) {
	t.Helper()
	b := NewBuilder()
	b.Kernels = set
	x := b.Input(Int8, c, h, w)
	y := network(b, x)
	b.Keep(y)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	in = randomInt8(rand.New(rand.NewPCG(uint64(c), uint64(h))), pictures*c*h*w, false)
	worker := p.NewWorker()
	if err := worker.RunInt8(in); err != nil {
		t.Fatal(err)
	}
	oc, oh, ow := b.Shape(y)
	for i := range pictures {
		q := make([]int8, oc*oh*ow)
		worker.Int8(y, i, q)
		out = append(out, q)
	}
	return in, out
}

// everySet runs a test on every instruction level.
func everySet(t *testing.T, f func(t *testing.T, set *kernel.Set)) {
	for _, set := range kernel.Sets() {
		t.Run(set.Name, func(t *testing.T) { f(t, set) })
	}
}

func TestPoolInt8(t *testing.T) {
	rules := map[string]func(sum, n int) int8{
		"max":      nil,
		"tensorrt": TensorRTAverage(0.7),
		"nvdla":    NVDLAAverage(3, 2),
	}
	everySet(t, func(t *testing.T, set *kernel.Set) {
		for name, rule := range rules {
			p := Pool{Max: rule == nil, KernelH: 2, KernelW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, OutH: 5, OutW: 5, Average: rule}
			in, out := run8(t, set, 18, 6, 8, 8, func(b *Builder, x Tensor) Tensor { return b.Pool(x, p) })
			for i, q := range out {
				for k, got := range q {
					if want := wantPool(in[i*6*8*8:], p, 8, 8, k); got != want {
						t.Fatalf("%s: picture %d element %d is %d, want %d", name, i, k, got, want)
					}
				}
			}
		}
	})
}

// wantPool is element k of a 5x5 pooling of h x w planes.
func wantPool(in []int8, p Pool, h, w, k int) int8 {
	c, y, x := k/25, k/5%5, k%5
	sum, largest, divisor := 0, -128, 0
	for dy := range p.KernelH {
		for dx := range p.KernelW {
			r, s := y*p.StrideH-p.PadH+dy, x*p.StrideW-p.PadW+dx
			if r < h+p.PadH && s < w+p.PadW {
				divisor++
			}
			if r >= 0 && r < h && s >= 0 && s < w {
				v := int(in[(c*h+r)*w+s])
				sum, largest = sum+v, max(largest, v)
			}
		}
	}
	if p.Max {
		return int8(largest)
	}
	return p.Average(sum, divisor)
}

func TestAverageRules(t *testing.T) {
	for sum := -4 * 128; sum <= 4*127; sum++ {
		want := int8(max(-128, min(127, math.RoundToEven(float64(sum)/4))))
		if got := TensorRTAverage(1)(sum, 4); got != want {
			t.Errorf("TensorRT: %d/4 = %d, want %d", sum, got, want)
		}
	}
	// NVDLA rounds twice: a sum of 1 over 2x2 gives 1.
	for sum, want := range map[int]int8{1: 1, 0: 0, -1: -1, 2: 1, 3: 1, 508: 127} {
		if got := NVDLAAverage(2, 2)(sum, 4); got != want {
			t.Errorf("NVDLA: %d over 2x2 = %d, want %d", sum, got, want)
		}
	}
}

func TestGlobalAverageOfManyValues(t *testing.T) {
	in, out := run8(t, nil, 3, 5, 20, 20, func(b *Builder, x Tensor) Tensor { return b.GlobalAverage(x, TensorRTAverage(8)) })
	for k, got := range out[1] {
		sum := 0
		for _, v := range in[(5+k)*400 : (6+k)*400] {
			sum += int(v)
		}
		if want := TensorRTAverage(8)(sum, 400); got != want {
			t.Errorf("channel %d: %d, want %d", k, got, want)
		}
	}
}

func TestConcatReshapeLookup(t *testing.T) {
	in, out := run8(t, nil, 17, 3, 2, 4, func(b *Builder, x Tensor) Tensor {
		y := b.Lookup(x, func(q int8) int8 { return q / 2 })
		return b.Reshape(b.Concat(x, y, x), 6, 3, 4)
	})
	for i, q := range out {
		for k, got := range q {
			want := in[i*24+k%24]
			if k/24 == 1 {
				want /= 2
			}
			if got != want {
				t.Fatalf("picture %d element %d is %d, want %d", i, k, got, want)
			}
		}
	}
}

func TestQuantizeDequantize(t *testing.T) {
	in, out := run8(t, nil, 5, 7, 3, 2, func(b *Builder, x Tensor) Tensor {
		return b.Quantize(b.Dequantize(x, 0.5), 1)
	})
	for i, q := range out {
		for k, got := range q {
			if want := int8(math.RoundToEven(float64(in[i*42+k]) / 2)); got != want {
				t.Fatalf("picture %d element %d is %d, want %d", i, k, got, want)
			}
		}
	}
}

func TestAddInt8(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernel.Set) {
		in, out := run8(t, set, 16, 5, 3, 3, func(b *Builder, x Tensor) Tensor {
			y := b.Lookup(x, func(q int8) int8 { return 127 - q/3 })
			return b.AddInt8(x, y, Conv{ReLU: true, NVDLA: &NVDLA{Scale: 3, Shift: 2, ResidualShift: 1}})
		})
		for i, q := range out {
			for k, got := range q {
				v := in[i*45+k]
				sum := max(0, int64(v)+2*int64(127-v/3))
				if want := kernel.Saturate(kernel.RoundAway(3*sum, 2)); got != want {
					t.Fatalf("picture %d element %d is %d, want %d", i, k, got, want)
				}
			}
		}
	})
}

// TestDepthwiseAndTaps: a picture of one channel uses the four-tap layout, its
// bytes through a table.
func TestTapsThroughTable(t *testing.T) {
	b := NewBuilder()
	x := b.Input(Int8, 1, 5, 9)
	weights := randomInt8(rand.New(rand.NewPCG(1, 1)), 2*3*7, false)
	y := b.Conv(x, Conv{Out: 2, KernelH: 3, KernelW: 7, PadH: 1, PadW: 3, Int8: weights})
	b.Keep(x)
	b.Keep(y)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if !p.input.taps {
		t.Error("a one-channel input does not use the four-tap layout")
	}
	pixels, lut := pictures(p)
	for i := range lut.Int8[0] {
		lut.Int8[0][i] = int8(i - 100)
	}
	w := p.NewWorker()
	if err := w.RunBytes(pixels[:45*20], lut); err != nil {
		t.Fatal(err)
	}
	got, sums := make([]int8, 45), make([]int32, 90)
	w.Int8(x, 19, got)
	w.Int32(y, 19, sums)
	l := &layer{c: 1, h: 5, w: 9, conv: Conv{Out: 2, Groups: 1, KernelH: 3, KernelW: 7, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadH: 1, PadW: 3}}
	for i, q := range got {
		if want := int8(int(pixels[45*19+i]) - 100); q != want {
			t.Errorf("input %d is %d, want %d", i, q, want)
		}
	}
	for i, s := range sums {
		var want int32
		l.terms(i/45, i/9%5, i%9, func(a, k int) { want += int32(got[a]) * int32(weights[k]) })
		if s != want {
			t.Fatalf("sum %d is %d, want %d", i, s, want)
		}
	}
}

func TestFloatOperations(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernel.Set) {
		b := NewBuilder()
		b.Kernels = set
		x := b.Input(Float32, 2, 3, 5)
		y := b.Affine(x, []float32{2, -1}, []float32{0.5, 1}, true)
		m := b.Pool(x, Pool{Max: true, KernelH: 2, KernelW: 2})
		a := b.GlobalAverage(x, nil)
		b.Keep(y)
		b.Keep(m)
		b.Keep(a)
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		in := randomFloats(rand.New(rand.NewPCG(2, 2)), 30*20, 1)
		w := p.NewWorker()
		if err := w.RunFloat32(in); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 30)
		for i := range 20 {
			v := in[i*30:]
			w.Float32(y, i, got)
			for k := range got {
				want := max(0, []float32{2, -1}[k/15]*v[k]+[]float32{0.5, 1}[k/15])
				if math.Abs(float64(got[k]-want)) > 1e-6 {
					t.Fatalf("affine %d is %g, want %g", k, got[k], want)
				}
			}
			w.Float32(m, i, got[:16])
			if want := max(v[0], v[1], v[5], v[6]); got[0] != want {
				t.Fatalf("maximum is %g, want %g", got[0], want)
			}
			w.Float32(a, i, got[:2])
		}
	})
}

func TestBuildErrors(t *testing.T) {
	one := []int8{1}
	for name, c := range map[string]struct {
		build func(b *Builder)
		want  string
	}{
		"empty":   {func(*Builder) {}, "without layers"},
		"tensor":  {func(b *Builder) { b.Input(Int8, 1, 1, 1); b.Conv(7, Conv{}) }, "no such tensor"},
		"weights": {func(b *Builder) { b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 2, Int8: one}) }, "1 weights"},
		"groups":  {func(b *Builder) { b.Conv(b.Input(Int8, 3, 1, 1), Conv{Out: 2, Groups: 2, Int8: one}) }, "2 groups"},
		"small":   {func(b *Builder) { b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 1, KernelH: 2, Int8: []int8{1, 2}}) }, "output of"},
		"two":     {func(b *Builder) { b.Input(Int8, 1, 1, 1); b.Input(Int8, 1, 1, 1) }, "second input"},
		"both": {func(b *Builder) {
			b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 1, Int8: one, NVDLA: &NVDLA{}, TensorRT: &TensorRT{}})
		}, "more than one"},
		"mul": {func(b *Builder) { b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 1, Int8: one, TensorRT: &TensorRT{}}) }, "0 multipliers"},
		"nan": {func(b *Builder) {
			b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 1, Int8: one, TensorRT: &TensorRT{Mul: []float32{float32(math.NaN())}}})
		}, "not a number"},
		"nvdla mul": {func(b *Builder) {
			b.Conv(b.Input(Int8, 3, 1, 1), Conv{Out: 3, Groups: 3, Int8: []int8{1, 1, 1}, NVDLA: &NVDLA{Mul: []int16{1, 2}}})
		}, "2 multipliers"},
		"raw relu": {func(b *Builder) { b.Conv(b.Input(Int8, 1, 1, 1), Conv{Out: 1, Int8: one, ReLU: true}) }, "no residual and no ReLU"},
		"average":  {func(b *Builder) { b.Pool(b.Input(Int8, 1, 2, 2), Pool{KernelH: 2, KernelW: 2}) }, "without its rule"},
		"padding":  {func(b *Builder) { b.Pool(b.Input(Float32, 1, 2, 2), Pool{KernelH: 1, KernelW: 1, PadH: 1, PadW: 1}) }, "in the padding"},
		"float":    {func(b *Builder) { b.Softmax(b.Input(Int8, 1, 2, 2)) }, "float32"},
		"lookup":   {func(b *Builder) { b.Lookup(b.Input(Float32, 1, 2, 2), nil) }, "int8"},
		"reshape":  {func(b *Builder) { b.Reshape(b.Input(Int8, 1, 2, 2), 3, 1, 1) }, "reshape"},
		"concat":   {func(b *Builder) { x := b.Input(Int8, 1, 2, 2); b.Concat(x, b.Reshape(x, 4, 1, 1)) }, "different"},
		"eltwise":  {func(b *Builder) { x := b.Input(Float32, 1, 2, 2); b.Eltwise(Sum, nil, x, b.Reshape(x, 4, 1, 1)) }, "different"},
		"affine":   {func(b *Builder) { b.Affine(b.Input(Float32, 1, 2, 2), []float32{1, 2}, nil, false) }, "2 factors"},
		"residual": {func(b *Builder) {
			x := b.Input(Int8, 1, 2, 2)
			b.Conv(x, Conv{Out: 1, KernelH: 2, Int8: []int8{1, 1}, NVDLA: &NVDLA{}, Residual: x})
		}, "differs"},
	} {
		b := NewBuilder()
		c.build(b)
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// TestRangeRefused: sums, products and converters that could leave 32 bits.
func TestRangeRefused(t *testing.T) {
	for name, c := range map[string]Conv{
		"bias":      {BiasInt32: []int32{math.MaxInt32 - 100}, NVDLA: &NVDLA{Scale: 1, Shift: 8}},
		"raw bias":  {BiasInt32: []int32{math.MinInt32 + 100}},
		"mul":       {BiasInt32: []int32{1 << 20}, NVDLA: &NVDLA{Mul: []int16{math.MaxInt16}, MulShift: 0, Scale: 1}},
		"converter": {BiasInt32: []int32{1 << 20}, NVDLA: &NVDLA{Scale: math.MaxInt16}},
		"offset":    {BiasInt32: []int32{1 << 20}, NVDLA: &NVDLA{Scale: 1, Offset: math.MinInt32}},
		"shift":     {NVDLA: &NVDLA{Scale: 1, Shift: 33}},
	} {
		b := NewBuilder()
		c.Out, c.Int8 = 1, []int8{127}
		b.Conv(b.Input(Int8, 1, 1, 1), c)
		if _, err := b.Build(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: error %v, want ErrRange", name, err)
		}
	}
}

func TestRunErrors(t *testing.T) {
	b := NewBuilder()
	x := b.Input(Int8, 1, 2, 2)
	b.Keep(x)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	w := p.NewWorker()
	if w.RunFloat32(make([]float32, 4)) == nil || w.RunInt8(nil) == nil || w.RunInt8(make([]int8, 5)) == nil ||
		w.RunInt8(make([]int8, 4*(p.Batch()+1))) == nil || w.RunBytes(make([]byte, 4), &LUT{}) == nil {
		t.Error("a wrong call was accepted")
	}
	if p.Memory() < 4*64*4 || p.Kernels() == "" {
		t.Errorf("memory %d, kernels %q", p.Memory(), p.Kernels())
	}
}

package compute

import (
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/harness/compute/kernel"
)

// TestFloatFormulas compares every Float32 operation with its formula on a
// 3x4x5 input x and a second tensor y = -2x+1.
func TestFloatFormulas(t *testing.T) {
	const c, h, w = 3, 4, 5
	plane := h * w
	y := func(v float64) float64 { return -2*v + 1 }
	squares := func(v []float64, k, size int, within bool) (sum float64) {
		for i := range v {
			near := i%plane == k%plane && abs(i/plane-k/plane) <= size/2
			if within {
				near = i/plane == k/plane && abs(i%w-k%w) <= size/2 && abs(i/w%h-k/w%h) <= size/2
			}
			if near {
				sum += v[i] * v[i]
			}
		}
		return sum
	}
	for name, op := range map[string]struct {
		build func(b *Builder, x, y Tensor) Tensor
		want  func(v []float64, k int) float64
	}{
		"relu":    {func(b *Builder, x, _ Tensor) Tensor { return b.ReLU(x, 0) }, func(v []float64, k int) float64 { return max(v[k], 0) }},
		"leaky":   {func(b *Builder, x, _ Tensor) Tensor { return b.ReLU(x, 0.25) }, func(v []float64, k int) float64 { return max(v[k], v[k]/4) }},
		"power":   {func(b *Builder, x, _ Tensor) Tensor { return b.Power(x, 2, 3, 1) }, func(v []float64, k int) float64 { return (1 + 3*v[k]) * (1 + 3*v[k]) }},
		"linear":  {func(b *Builder, x, _ Tensor) Tensor { return b.Power(x, 1, 3, 1) }, func(v []float64, k int) float64 { return 1 + 3*v[k] }},
		"sigmoid": {func(b *Builder, x, _ Tensor) Tensor { return b.Sigmoid(x) }, func(v []float64, k int) float64 { return 1 / (1 + math.Exp(-v[k])) }},
		"tanh":    {func(b *Builder, x, _ Tensor) Tensor { return b.TanH(x) }, func(v []float64, k int) float64 { return math.Tanh(v[k]) }},
		"sum":     {func(b *Builder, x, y Tensor) Tensor { return b.Eltwise(Sum, nil, x, y) }, func(v []float64, k int) float64 { return v[k] + y(v[k]) }},
		"coeff":   {func(b *Builder, x, y Tensor) Tensor { return b.Eltwise(Sum, []float32{2, -1}, x, y) }, func(v []float64, k int) float64 { return 2*v[k] - y(v[k]) }},
		"product": {func(b *Builder, x, y Tensor) Tensor { return b.Eltwise(Product, nil, x, y) }, func(v []float64, k int) float64 { return v[k] * y(v[k]) }},
		"maximum": {func(b *Builder, x, y Tensor) Tensor { return b.Eltwise(Maximum, nil, x, y) }, func(v []float64, k int) float64 { return max(v[k], y(v[k])) }},
		"softmax": {func(b *Builder, x, _ Tensor) Tensor { return b.Softmax(x) }, func(v []float64, k int) float64 {
			sum := 0.0
			for i := k % plane; i < len(v); i += plane {
				sum += math.Exp(v[i])
			}
			return math.Exp(v[k]) / sum
		}},
		"lrn": {func(b *Builder, x, _ Tensor) Tensor { return b.LRN(x, 3, 0.3, 0.75, 2) }, func(v []float64, k int) float64 {
			return v[k] / math.Pow(2+0.1*squares(v, k, 3, false), 0.75)
		}},
		"lrn within": {func(b *Builder, x, _ Tensor) Tensor { return b.LRNWithin(x, 3, 0.9, 0.5, 1) }, func(v []float64, k int) float64 {
			return v[k] / math.Sqrt(1+0.1*squares(v, k, 3, true))
		}},
		"reshape": {func(b *Builder, x, _ Tensor) Tensor { return b.Reshape(x, 5, 3, 4) }, func(v []float64, k int) float64 { return v[k] }},
		"concat": {func(b *Builder, x, y Tensor) Tensor { return b.Reshape(b.Concat(x, y), 2*c*h*w, 1, 1) }, func(v []float64, k int) float64 {
			if k < len(v) {
				return v[k]
			}
			return y(v[k-len(v)])
		}},
		"average": {func(b *Builder, x, _ Tensor) Tensor {
			return b.Pool(x, Pool{KernelH: 1, KernelW: 2, StrideW: 2, OutW: 2})
		}, func(v []float64, k int) float64 {
			i := k/2*w + k%2*2
			return (v[i] + v[i+1]) / 2
		}},
	} {
		b := NewBuilder()
		x := b.Input(Float32, c, h, w)
		out := op.build(b, x, b.Affine(x, []float32{-2, -2, -2}, []float32{1, 1, 1}, false))
		b.Keep(out)
		p, err := b.Build()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in := randomFloats(rand.New(rand.NewPCG(3, 3)), 19*c*h*w, 1)
		worker := p.NewWorker()
		if err := worker.RunFloat32(in); err != nil {
			t.Fatal(err)
		}
		oc, oh, ow := b.Shape(out)
		got := make([]float32, oc*oh*ow)
		worker.Float32(out, 18, got)
		v := make([]float64, c*h*w)
		for i := range v {
			v[i] = float64(in[18*c*h*w+i])
		}
		for k, g := range got {
			if want := op.want(v, k); math.Abs(float64(g)-want) > 1e-5*(1+math.Abs(want)) {
				t.Fatalf("%s: element %d is %g, want %g", name, k, g, want)
			}
		}
	}
}

func abs(i int) int { return max(i, -i) }

func TestWatchAndVisit(t *testing.T) {
	b := NewBuilder()
	b.Groups = 2
	x := b.Input(Float32, 2, 3, 3)
	y := b.Affine(x, nil, nil, true)
	z := b.Affine(y, []float32{2, 2}, nil, false)
	b.Keep(z)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	w := p.NewWorker()
	in := make([]float32, 20*18)
	for i := range in {
		in[i] = 1
	}
	var order []Tensor
	values := map[Tensor]float32{}
	w.Watch(func(t Tensor, first, count int) {
		order = append(order, t)
		w.Visit(t, first, count, func(v []float32) {
			for _, f := range v {
				values[t] += f
			}
		})
	})
	if err := w.RunFloat32(in); err != nil {
		t.Fatal(err)
	}
	if len(order) != 6 || order[0] != x || order[1] != y || order[2] != z || order[3] != x {
		t.Errorf("tensors were shown in the order %v", order)
	}
	if values[x] != 360 || values[y] != 360 || values[z] != 720 {
		t.Errorf("sums of the visited values are %v", values)
	}
}

// BenchmarkLayer measures one layer kind at a time, on 16 pictures.
func BenchmarkLayer(b *testing.B) {
	conv := func(in, size, out, kernel, stride, pad int) func(*sketch) Tensor {
		return func(s *sketch) Tensor { return s.conv3(s.input(in, size, size), out, kernel, stride, pad, true, 0) }
	}
	for _, l := range []struct {
		name  string
		build func(*sketch) Tensor
	}{
		{"conv7x7s2-3to64@224", conv(3, 224, 64, 7, 2, 3)},
		{"conv3x3-64to64@56", conv(64, 56, 64, 3, 1, 1)},
		{"conv3x3s2-64to128@56", conv(64, 56, 128, 3, 2, 1)},
		{"conv1x1s2-64to128@56", conv(64, 56, 128, 1, 2, 0)},
		{"conv3x3-512to512@7", conv(512, 7, 512, 3, 1, 1)},
		{"conv3x3-16to16@32", conv(16, 32, 16, 3, 1, 1)},
		{"conv3x3-64to64@8", conv(64, 8, 64, 3, 1, 1)},
		{"conv5x5-20to50@12", conv(20, 12, 50, 5, 1, 0)},
		{"fc-800to500", func(s *sketch) Tensor { return s.full(s.input(50, 4, 4), 500, true) }},
		{"maxpool3x3s2-64@112", func(s *sketch) Tensor {
			return s.Pool(s.input(64, 112, 112), Pool{Max: true, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1})
		}},
		{"sum-16@32", func(s *sketch) Tensor {
			x := s.input(16, 32, 32)
			if s.mode == modeFloat32 {
				return s.Eltwise(Sum, nil, x, x)
			}
			c := Conv{ReLU: true, NVDLA: &NVDLA{Scale: 20000, Shift: 15}}
			if s.mode == modeTensorRT {
				c = Conv{ReLU: true, TensorRT: &TensorRT{Mul: ones(16, 1), ResidualMul: 1, OutMul: 0.6}}
			}
			return s.AddInt8(x, x, c)
		}},
		{"concat-16and16@32", func(s *sketch) Tensor {
			x := s.input(16, 32, 32)
			return s.Concat(x, x)
		}},
		{"average8x8-64", func(s *sketch) Tensor { return s.GlobalAverage(s.input(64, 8, 8), TensorRTAverage(1)) }},
	} {
		for m := modeFloat32; m <= modeNVDLA; m++ {
			b.Run(l.name+"/"+m.String(), func(b *testing.B) {
				s := newSketch(m, kernel.Best())
				p := s.build(b, l.build(s))
				w := p.NewWorker()
				pixels, lut := pictures(p)
				if err := w.RunBytes(pixels, lut); err != nil {
					b.Fatal(err)
				}
				groups := p.Batch() / kernel.Lanes
				start := cpuTime()
				for b.Loop() {
					layerOnly(w, groups)
				}
				used := (cpuTime() - start).Seconds()
				images := float64(b.N * p.Batch())
				b.ReportMetric(images/used, "images/cpu-s")
				if s.macs > 0 {
					b.ReportMetric(images*float64(s.macs)/used/1e9, "GMAC/cpu-s")
				}
			})
		}
	}
}

// layerOnly runs the operation after the input.
func layerOnly(w *Worker, groups int) {
	if op := w.p.ops[1]; op.across() {
		op.execute(w, 0, groups)
	} else {
		for g := range groups {
			op.execute(w, g, 1)
		}
	}
}

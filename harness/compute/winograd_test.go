package compute

import (
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/harness/compute/kernel"
)

// winogradBound is S of the comment of winograd for output (o, y, x) of picture
// in: the formula with absolute values, in float64.
func (l *layer) winogradBound(in []float32, o, y, x int) float64 {
	left := [2][4]float64{{1, 1, 1, 0}, {0, 1, 1, 1}} // |A'|
	pairs := [4][2]int{{0, 2}, {1, 2}, {1, 2}, {1, 3}}
	filter := func(g [3]float64) [4]float64 {
		half := (g[0] + g[1] + g[2]) / 2
		return [4]float64{g[0], half, half, g[2]}
	}
	var sum float64
	for c := range l.c {
		var g, rows [4][4]float64
		for ky := range 3 {
			var row [3]float64
			for kx := range 3 {
				row[kx] = math.Abs(float64(l.conv.Float32[(o*l.c+c)*9+ky*3+kx]))
			}
			rows[ky] = filter(row)
		}
		for k := range 4 {
			for i, v := range filter([3]float64{rows[0][k], rows[1][k], rows[2][k]}) {
				g[i][k] = v
			}
		}
		at := func(ty, tx int) float64 {
			iy, ix := y/2*2-l.conv.PadH+ty, x/2*2-l.conv.PadW+tx
			if iy < 0 || iy >= l.h || ix < 0 || ix >= l.w {
				return 0
			}
			return math.Abs(float64(in[(c*l.h+iy)*l.w+ix]))
		}
		for i, py := range pairs {
			for k, px := range pairs {
				d := at(py[0], px[0]) + at(py[0], px[1]) + at(py[1], px[0]) + at(py[1], px[1])
				sum += left[y%2][i] * left[x%2][k] * g[i][k] * d
			}
		}
	}
	return sum
}

// checkWinograd compares one random layer with float64 sums within the bound, on
// every set of kernels. It gives the largest share of the bound that was used.
func checkWinograd(t *testing.T, seed uint64) (share float64) {
	r := rand.New(rand.NewPCG(seed, 11))
	l := &layer{pictures: pick(r, 1, 3, 16, 17, 20), c: winogradLeast + r.IntN(20), h: 1 + r.IntN(18), w: 1 + r.IntN(18),
		conv: Conv{Out: 1 + r.IntN(20), KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
			Groups: 1, PadH: r.IntN(3), PadW: r.IntN(3), ReLU: r.IntN(2) == 0}}
	oh, ow := l.outputs()
	if oh < 2 || ow < 2 {
		return 0
	}
	c := &l.conv
	c.Float32 = randomFloats(r, c.Out*l.c*9, math.Exp(r.NormFloat64()))
	if r.IntN(4) > 0 {
		c.Bias = randomFloats(r, c.Out, 1)
	}
	l.floats = randomFloats(r, l.pictures*l.c*l.h*l.w, math.Exp(r.NormFloat64()))
	withResidual := r.IntN(2) == 0
	for _, set := range kernel.Sets() {
		b := NewBuilder()
		b.Kernels, b.Winograd = set, true
		x := b.Input(Float32, l.c, l.h, l.w)
		last := *c
		var res Tensor
		if withResidual {
			plain := *c
			plain.ReLU = false
			res = b.Conv(x, plain)
			b.Keep(res)
			last.Residual = res
		}
		y := b.Conv(x, last)
		b.Keep(y)
		p, err := b.Build()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if p.ops[len(p.ops)-1].(*conv).winograd == nil {
			t.Fatalf("seed %d: the layer is computed directly", seed)
		}
		w := p.NewWorker()
		if err := w.RunFloat32(l.floats); err != nil {
			t.Fatal(err)
		}
		share = max(share, l.compareWinograd(t, seed, w, y, res, oh, ow))
	}
	return share
}

func (l *layer) compareWinograd(t *testing.T, seed uint64, w *Worker, y, res Tensor, oh, ow int) (share float64) {
	c := &l.conv
	got, residual := make([]float32, c.Out*oh*ow), make([]float32, c.Out*oh*ow)
	for p := range l.pictures {
		w.Float32(y, p, got)
		if res != 0 {
			w.Float32(res, p, residual)
		}
		in := l.floats[p*l.c*l.h*l.w : (p+1)*l.c*l.h*l.w]
		for i, g := range got {
			if p > 0 && i%7 != p%7 {
				continue // a seventh of the other pictures is enough
			}
			o := i / (oh * ow)
			sum := float64(residual[i])
			size := math.Abs(sum) + l.winogradBound(in, o, i/ow%oh, i%ow)
			if c.Bias != nil {
				sum, size = sum+float64(c.Bias[o]), size+math.Abs(float64(c.Bias[o]))
			}
			l.terms(o, i/ow%oh, i%ow, func(a, k int) { sum += float64(in[a]) * float64(c.Float32[k]) })
			if c.ReLU {
				sum = max(sum, 0)
			}
			bound := float64(l.c+10) * size / (1 << 24)
			if !(math.Abs(sum-float64(g)) <= bound) {
				t.Fatalf("seed %d %s: picture %d element %d: %g, want %g +- %g", seed, w.p.Kernels(), p, i, g, sum, bound)
			}
			share = max(share, math.Abs(sum-float64(g))/bound)
		}
	}
	return share
}

func TestRandomWinograd(t *testing.T) {
	share := 0.0
	for seed := range uint64(60) {
		share = max(share, checkWinograd(t, seed))
	}
	t.Logf("at most %.2f of the bound was used", share)
	if share < 0.01 {
		t.Errorf("at most %g of the bound was used: it says nothing", share)
	}
}

func FuzzWinograd(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(2))
	f.Fuzz(func(t *testing.T, seed uint64) { checkWinograd(t, seed) })
}

// odd is a network whose pictures have odd sizes, with a residual.
func (s *sketch) odd() Tensor {
	x := s.conv3(s.input(3, 15, 13), 16, 3, 1, 1, true, 0)
	x = s.conv3(s.conv3(x, 20, 3, 1, 1, true, 0), 16, 3, 1, 1, true, x)
	x = s.conv3(x, 18, 3, 1, 0, false, 0)
	return s.full(s.GlobalAverage(x, TensorRTAverage(1)), 10, false)
}

// TestWinogradSingleEqualsMany: pictures one by one give the bits that a full
// block gives, and nothing is allocated.
func TestWinogradSingleEqualsMany(t *testing.T) {
	for name, network := range map[string]func(*sketch) Tensor{"odd": (*sketch).odd, "resnet20": (*sketch).resnet20} {
		for _, set := range kernel.Sets() {
			if set.Name == "go" && name != "odd" {
				continue // slow
			}
			s := newSketch(modeFloat32, set)
			s.Groups, s.Winograd = 1, true
			x := network(s)
			p := s.build(t, x)
			if p.single == nil {
				t.Fatalf("%s has no program for one picture", name)
			}
			pixels, lut := pictures(p)
			w := p.NewWorker()
			many := scores(t, p, w, x, pixels, lut, 16)
			for n := 1; n <= singleMost; n++ {
				for i, got := range scores(t, p, w, x, pixels, lut, n) {
					if got != many[i] {
						t.Errorf("%s %s: picture %d of %d is %s, in a block of 16 %s", name, set.Name, i, n, got, many[i])
					}
				}
			}
			one := pixels[:p.input.c*p.input.h*p.input.w]
			if n := testing.AllocsPerRun(2, func() { _, _ = w.RunBytes(pixels, lut), w.RunBytes(one, lut) }); n != 0 {
				t.Errorf("%s %s: %v allocations a run", name, set.Name, n)
			}
		}
	}
}

// TestWinogradIsChosen: only layers that it suits use it, and only if asked to.
func TestWinogradIsChosen(t *testing.T) {
	for _, c := range []struct {
		in, size, kernel, stride int
		off                      bool
		want                     bool
	}{
		{16, 8, 3, 1, false, true}, {16, 8, 3, 1, true, false}, {15, 8, 3, 1, false, false},
		{16, 8, 3, 2, false, false}, {16, 8, 5, 1, false, false}, {16, 1, 3, 1, false, false},
	} {
		s := newSketch(modeFloat32, nil)
		s.Winograd = !c.off
		p := s.build(t, s.conv3(s.input(c.in, c.size, c.size), 4, c.kernel, c.stride, 1, false, 0))
		if got := p.ops[1].(*conv).winograd != nil; got != c.want {
			t.Errorf("%+v: winograd %v", c, got)
		}
	}
}

// BenchmarkWinograd measures layers of well-known networks, direct and with
// Winograd's algorithm, on 16 pictures.
func BenchmarkWinograd(b *testing.B) {
	for _, l := range []struct {
		name           string
		channels, size int
	}{
		{"16@32", 16, 32}, {"32@16", 32, 16}, {"64@8", 64, 8}, {"64@56", 64, 56}, {"128@28", 128, 28}, {"256@14", 256, 14}, {"512@7", 512, 7},
	} {
		for _, winograd := range []bool{false, true} {
			how := map[bool]string{false: "direct", true: "winograd"}[winograd]
			b.Run(l.name+"/"+how, func(b *testing.B) {
				s := newSketch(modeFloat32, nil)
				s.Winograd, s.Groups = winograd, 1
				p := s.build(b, s.conv3(s.input(l.channels, l.size, l.size), l.channels, 3, 1, 1, true, 0))
				w := p.NewWorker()
				start := cpuTime()
				for b.Loop() {
					layerOnly(w, 1)
				}
				used := (cpuTime() - start).Seconds()
				b.ReportMetric(float64(b.N*kernel.Lanes)*float64(s.macs)/used/1e9, "GMAC/cpu-s")
			})
		}
	}
}

package compute

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"quantbench/harness/compute/kernel"
)

// mode is the arithmetic of a test network.
type mode int

const (
	modeFloat32 mode = iota
	modeTensorRT
	modeNVDLA
)

func (m mode) String() string { return [...]string{"fp32", "tensorrt-int8", "nvdla-int8"}[m] }

// sketch builds networks with random weights, for benchmarks.
type sketch struct {
	*Builder
	mode mode
	r    *rand.Rand
	macs int
}

func newSketch(m mode, set *kernel.Set) *sketch {
	b := NewBuilder()
	b.Kernels = set
	return &sketch{Builder: b, mode: m, r: rand.New(rand.NewPCG(1, 2))}
}

func (s *sketch) input(c, h, w int) Tensor {
	if s.mode == modeFloat32 {
		return s.Input(Float32, c, h, w)
	}
	return s.Input(Int8, c, h, w)
}

func (s *sketch) convolve(x Tensor, c Conv) Tensor {
	in, _, _ := s.Shape(x)
	n := c.Out * in * c.KernelH * c.KernelW
	switch s.mode {
	case modeFloat32:
		c.Float32, c.Bias = randomFloats(s.r, n, 0.1), randomFloats(s.r, c.Out, 0.1)
	case modeTensorRT:
		c.Int8 = randomInt8(s.r, n, false)
		c.TensorRT = &TensorRT{Mul: ones(c.Out, 1e-3), Bias: make([]float32, c.Out), ResidualMul: 0.5, OutMul: 1}
	case modeNVDLA:
		c.Int8, c.BiasInt32 = randomInt8(s.r, n, false), make([]int32, c.Out)
		c.NVDLA = &NVDLA{Scale: 25, Shift: 14}
	}
	y := s.Conv(x, c)
	_, oh, ow := s.Shape(y)
	s.macs += n * oh * ow
	return y
}

func (s *sketch) conv3(x Tensor, out, kernel, stride, pad int, relu bool, res Tensor) Tensor {
	return s.convolve(x, Conv{Out: out, KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride,
		PadH: pad, PadW: pad, ReLU: relu, Residual: res})
}

func (s *sketch) full(x Tensor, out int, relu bool) Tensor {
	_, h, w := s.Shape(x)
	return s.convolve(x, Conv{Out: out, KernelH: h, KernelW: w, ReLU: relu})
}

func (s *sketch) lenet() Tensor {
	x := s.conv3(s.input(1, 28, 28), 20, 5, 1, 0, false, 0)
	x = s.Pool(x, Pool{Max: true, KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2})
	x = s.conv3(x, 50, 5, 1, 0, false, 0)
	x = s.Pool(x, Pool{Max: true, KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2})
	return s.full(s.full(x, 500, true), 10, false)
}

// resnet20 has three stages of three blocks, with 1x1 convolutions on the way
// around where the size changes.
func (s *sketch) resnet20() Tensor {
	x := s.conv3(s.input(3, 32, 32), 16, 3, 1, 1, true, 0)
	for stage, out := range []int{16, 32, 64} {
		for block := range 3 {
			stride, around := 1, x
			if stage > 0 && block == 0 {
				stride = 2
				around = s.conv3(x, out, 1, 2, 0, false, 0)
			}
			y := s.conv3(x, out, 3, stride, 1, true, 0)
			x = s.conv3(y, out, 3, 1, 1, true, around)
		}
	}
	x = s.GlobalAverage(x, TensorRTAverage(1))
	return s.full(x, 10, false)
}

func (s *sketch) build(t testing.TB, out Tensor) *Program {
	s.Keep(out)
	p, err := s.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pictures are random bytes for one full batch, and a table for them.
func pictures(p *Program) ([]byte, *LUT) {
	in := p.input
	r := rand.New(rand.NewPCG(3, 4))
	pixels := make([]byte, p.Batch()*in.c*in.h*in.w)
	for i := range pixels {
		pixels[i] = byte(r.IntN(256))
	}
	lut := &LUT{Float32: make([][256]float32, in.c), Int8: make([][256]int8, in.c)}
	for c := range in.c {
		for i := range 256 {
			lut.Float32[c][i], lut.Int8[c][i] = float32(i)/256, int8(i/2)
		}
	}
	return pixels, lut
}

var networks = map[string]func(*sketch) Tensor{"lenet5": (*sketch).lenet, "resnet20": (*sketch).resnet20}

func TestNoAllocations(t *testing.T) {
	for name, network := range networks {
		for m := modeFloat32; m <= modeNVDLA; m++ {
			s := newSketch(m, nil)
			p := s.build(t, network(s))
			w := p.NewWorker()
			pixels, lut := pictures(p)
			if n := testing.AllocsPerRun(2, func() {
				if err := w.RunBytes(pixels, lut); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s %v: %v allocations a run", name, m, n)
			}
		}
	}
}

// TestLevelsAgree runs whole int8 networks on every set of kernels: all bytes of
// the output are equal.
func TestLevelsAgree(t *testing.T) {
	for _, m := range []mode{modeTensorRT, modeNVDLA} {
		var first string
		for _, set := range kernel.Sets() {
			s := newSketch(m, set)
			s.Groups = 1
			out := s.lenet()
			p := s.build(t, out)
			w := p.NewWorker()
			pixels, lut := pictures(p)
			if err := w.RunBytes(pixels, lut); err != nil {
				t.Fatal(err)
			}
			got := make([]int8, 10*p.Batch())
			for i := range p.Batch() {
				w.Int8(out, i, got[i*10:])
			}
			if text := fmt.Sprint(got); first == "" {
				first = text
			} else if text != first {
				t.Errorf("%v: %s differs from plain Go", m, set.Name)
			}
		}
	}
}

func BenchmarkNetwork(b *testing.B) {
	for _, name := range []string{"lenet5", "resnet20"} {
		for m := modeFloat32; m <= modeNVDLA; m++ {
			b.Run(fmt.Sprintf("%s/%v", name, m), func(b *testing.B) {
				s := newSketch(m, nil)
				p := s.build(b, networks[name](s))
				w := p.NewWorker()
				pixels, lut := pictures(p)
				b.ReportAllocs()
				start := cpuTime()
				for b.Loop() {
					if err := w.RunBytes(pixels, lut); err != nil {
						b.Fatal(err)
					}
				}
				images := float64(b.N * p.Batch())
				used := (cpuTime() - start).Seconds()
				b.ReportMetric(images/b.Elapsed().Seconds(), "images/s")
				b.ReportMetric(images/used, "images/cpu-s")
				b.ReportMetric(images*float64(s.macs)/used/1e9, "GMAC/cpu-s")
			})
		}
	}
}

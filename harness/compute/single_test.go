package compute

import (
	"fmt"
	"testing"

	"quantbench/harness/compute/kernel"
)

// scores runs n of the pictures and gives all kept values of x as text.
func scores(t *testing.T, p *Program, w *Worker, x Tensor, pixels []byte, lut *LUT, n int) []string {
	t.Helper()
	in := p.input
	if err := w.RunBytes(pixels[:n*in.c*in.h*in.w], lut); err != nil {
		t.Fatal(err)
	}
	out := p.tensors[x]
	var list []string
	for i := range n {
		switch out.kind {
		case Float32:
			v := make([]float32, out.c*out.h*out.w)
			w.Float32(x, i, v)
			list = append(list, fmt.Sprint(v))
		case Int8:
			v := make([]int8, out.c*out.h*out.w)
			w.Int8(x, i, v)
			list = append(list, fmt.Sprint(v))
		}
	}
	return list
}

// TestSingleEqualsMany: pictures one by one give the bits that a full block
// gives, on every set of kernels.
func TestSingleEqualsMany(t *testing.T) {
	for name, network := range networks {
		for m := modeFloat32; m <= modeNVDLA; m++ {
			for _, set := range kernel.Sets() {
				if set.Name == "go" && name != "lenet5" {
					continue // slow
				}
				s := newSketch(m, set)
				s.Groups = 1
				x := network(s)
				p := s.build(t, x)
				if p.single == nil {
					t.Fatalf("%s %v has no program for one picture", name, m)
				}
				pixels, lut := pictures(p)
				w := p.NewWorker()
				many := scores(t, p, w, x, pixels, lut, 16)
				for n := 1; n <= singleMost; n++ {
					for i, got := range scores(t, p, w, x, pixels, lut, n) {
						if got != many[i] {
							t.Errorf("%s %v %s: picture %d of %d is %s, in a block of 16 %s", name, m, set.Name, i, n, got, many[i])
						}
					}
				}
			}
		}
	}
}

func TestCut(t *testing.T) {
	for h := 1; h <= 40; h++ {
		for w := 1; w <= 40; w++ {
			if e := cut(h, w, 2); h > 1 && e.th%2 != 0 || w > 1 && e.tw%2 != 0 || e.rows*e.th < h || e.cols*e.tw < w {
				t.Fatalf("%dx%d is cut into %+v, not even tiles", h, w, e)
			}
			c := cut(h, w, 1)
			if c.rows*c.cols > kernel.Lanes || c.rows*c.th < h || c.cols*c.tw < w {
				t.Fatalf("%dx%d is cut into %+v", h, w, c)
			}
			lane, y, x, ok := c.find(h-1, w-1)
			if !ok || lane >= kernel.Lanes || y >= c.th || x >= c.tw {
				t.Fatalf("the last pixel of %dx%d lies in lane %d at %d,%d", h, w, lane, y, x)
			}
		}
	}
}

func BenchmarkSingle(b *testing.B) {
	for _, name := range []string{"lenet5", "resnet20"} {
		for m := modeFloat32; m <= modeNVDLA; m++ {
			b.Run(fmt.Sprintf("%s/%v", name, m), func(b *testing.B) {
				s := newSketch(m, nil)
				p := s.build(b, networks[name](s))
				w := p.NewWorker()
				pixels, lut := pictures(p)
				pixels = pixels[:p.input.c*p.input.h*p.input.w]
				b.ReportAllocs()
				start := cpuTime()
				for b.Loop() {
					if err := w.RunBytes(pixels, lut); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "images/cpu-s")
			})
		}
	}
}

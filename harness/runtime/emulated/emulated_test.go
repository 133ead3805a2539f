package emulated

import (
	"context"
	"math"
	"slices"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/fashionmnist"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/nvdla"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

// shipped is a shipped network with min-max scales of the first training
// pictures, and n test pictures.
func shipped(t *testing.T, name string, n int) (runtime.Model, []byte) {
	t.Helper()
	z, _ := zoo.Named(name)
	net, err := caffe.ReadFS(zoo.Files(), z.Prototxt, z.Caffemodel)
	if err != nil {
		t.Fatal(err)
	}
	m := runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: z.Scale}}
	p, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Scales = make([]float32, len(net.Layers))
	err = p.Worker().Watch(pictures(t, "train", 50), func(v fp32.View) {
		v.Visit(func(values []float32) {
			for _, x := range values {
				m.Scales[v.Layer.Index] = max(m.Scales[v.Layer.Index], float32(math.Abs(float64(x)))/127)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, pictures(t, "test", n)
}

func pictures(t *testing.T, split string, n int) (pixels []byte) {
	t.Helper()
	d, err := fashionmnist.Open(split)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		pixels = append(pixels, p.Pixels...)
	}
	return pixels
}

func scores(t *testing.T, p runtime.Program, pixels []byte) []float32 {
	t.Helper()
	s := make([]float32, len(pixels)/784*10)
	if err := p.NewWorker().Score(pixels, s); err != nil {
		t.Fatal(err)
	}
	return s
}

var runtimes = map[string]runtime.Runtime{
	"tensorrt":        tensorrt.Runtime{},
	"nvdla per-filt.": nvdla.Runtime{Mode: lower.PerFilter, Target: "nv_small"},
	"nvdla per-kern.": nvdla.Runtime{Mode: lower.PerKernel, Target: "nv_small"},
}

// Nothing rounded is the float reference, to the bit; everything rounded gives
// nearly always the class of the real program. The two shares that are asked for
// are below what is logged, and far above those of a wrong grid.
func TestNothingAndEverything(t *testing.T) {
	for _, name := range []string{"lenet5", "resnet18"} {
		m, pixels := shipped(t, name, 128)
		unfused, err := fp32.PrepareUnfused(m)
		if err != nil {
			t.Fatal(err)
		}
		want := scores(t, unfused, pixels)
		for engine, r := range runtimes {
			program, err := r.Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			g := program.(Grid)
			nothing, err := Prepare(m, g, NewMix(len(m.Network.Layers)))
			if err != nil {
				t.Fatal(err)
			}
			if got := scores(t, nothing, pixels); !slices.Equal(got, want) {
				t.Errorf("%s %s: with nothing rounded the scores are not fp32's", name, engine)
			}
			all, err := Prepare(m, g, All(len(m.Network.Layers)))
			if err != nil {
				t.Fatal(err)
			}
			a, b := scores(t, all, pixels), scores(t, program, pixels)
			same := 0
			for i := 0; i < len(a); i += 10 {
				if best(a[i:i+10]) == best(b[i:i+10]) {
					same++
				}
			}
			t.Logf("%s %s: %d of 128 classes agree", name, engine, same)
			if same < 120 {
				t.Errorf("%s %s: only %d of 128 classes agree with the real program", name, engine, same)
			}
		}
	}
}

func best(s []float32) int { return slices.Index(s, slices.Max(s)) }

// TestTraceEqualsTensorRT compares tensors: rounding in float meets the real
// program's integers but for sums next to a half.
func TestTraceEqualsTensorRT(t *testing.T) {
	m, pixels := shipped(t, "lenet5", 1)
	program, err := tensorrt.Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	g := program.(Grid)
	all, err := Prepare(m, g, All(len(m.Network.Layers)))
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string][]float32{}
	err = all.Worker().Trace(pixels, func(l *models.Layer, v []float32, _ int) { mine[l.Name] = slices.Clone(v) })
	if err != nil {
		t.Fatal(err)
	}
	layers := 0
	err = program.NewWorker().(runtime.Tracer).Trace(pixels, func(l *models.Layer, v []float32, _ int) {
		layers++
		step, off := float64(g.Steps()[l.Index]), 0
		if step == 0 {
			return
		}
		for i, x := range v {
			d := math.Abs(float64(x-mine[l.Name][i])) / step
			if d > 1.01 {
				t.Fatalf("%s: element %d is %g, the program has %g, steps of %g", l.Name, i, mine[l.Name][i], x, step)
			}
			if d > 0.01 {
				off++
			}
		}
		if off*1000 > len(v) {
			t.Errorf("%s: %d of %d elements are a step away", l.Name, off, len(v))
		}
	})
	if err != nil || layers != 7 {
		t.Errorf("%d layers compared, want 7: %v", layers, err)
	}
}

func TestUnits(t *testing.T) {
	m, _ := shipped(t, "lenet5", 1)
	program, err := tensorrt.Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range Units(m.Network, program.(Grid)) {
		text := u.Name + ":"
		for _, i := range u.Layers {
			text += " " + m.Network.Layers[i].Name
		}
		got = append(got, text)
	}
	// Pooling passes the convolution's integers on; the last layer stays in float.
	want := []string{"data: data", "conv1: conv1 pool1", "conv2: conv2 pool2", "relu1: ip1 relu1", "ip2: ip2 prob"}
	if !slices.Equal(got, want) {
		t.Errorf("units %q, want %q", got, want)
	}
}

// A unit holds every layer at most once, and all layers with weights or steps are
// in one.
func TestUnitsCover(t *testing.T) {
	m, _ := shipped(t, "resnet18", 1)
	for engine, r := range runtimes {
		program, err := r.Prepare(m)
		if err != nil {
			t.Fatal(err)
		}
		g := program.(Grid)
		count := make([]int, len(m.Network.Layers))
		for _, u := range Units(m.Network, g) {
			for _, i := range u.Layers {
				count[i]++
			}
		}
		for i, l := range m.Network.Layers {
			if must := weighted(l) || g.Steps()[i] != 0; count[i] > 1 || must && count[i] == 0 {
				t.Errorf("%s: layer %s is in %d units", engine, l.Name, count[i])
			}
		}
		if f := Foreign(m.Network, g); len(f) > 0 {
			t.Errorf("%s: weights of %q are not rounded", engine, f)
		}
	}
}

func TestMixes(t *testing.T) {
	all, only := All(3, 1), Only(3, 1)
	for i := range 3 {
		if all.Weights[i] != (i != 1) || all.Tensors[i] != (i != 1) || only.Weights[i] != (i == 1) || only.Tensors[i] != (i == 1) {
			t.Errorf("layer %d: %v %v", i, all, only)
		}
	}
}

// NVDLA's compiler takes the weights of a grouped convolution in part only.
func TestForeign(t *testing.T) {
	net, err := caffe.ParseNetwork("grouped.prototxt", []byte(`
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2 kernel_size: 1 group: 2 } }`))
	if err != nil {
		t.Fatal(err)
	}
	net.Layers[1].Weights = []models.Blob{{Shape: []int{2, 1, 1, 1}, Data: []float32{1, 2}}, {Shape: []int{2}, Data: []float32{0, 0}}}
	m := runtime.Model{Network: net, Scales: []float32{1, 1}}
	for engine, want := range map[string][]string{"tensorrt": nil, "nvdla per-kern.": {"c"}} {
		program, err := runtimes[engine].Prepare(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := Foreign(net, program.(Grid)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", engine, got, want)
		}
	}
}

package emulated

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
	"quantbench/models/caffe"
)

// kinds has the layers whose weights lie in other orders than a convolution's,
// and those that pass tensors on, join them or stay in float.
const kinds = `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 9 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "group" type: "Convolution" bottom: "conv" top: "group" convolution_param { num_output: 6 kernel_size: 1 group: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "conv" bottom: "group" top: "sum" }
layer { name: "max" type: "Pooling" bottom: "sum" top: "max" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "ave" type: "Pooling" bottom: "sum" top: "ave" pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layer { name: "concat" type: "Concat" bottom: "max" bottom: "ave" top: "concat" }
layer { name: "up" type: "Deconvolution" bottom: "concat" top: "up" convolution_param { num_output: 4 kernel_size: 2 stride: 2 group: 2 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "up" top: "sigmoid" }
layer { name: "ip" type: "InnerProduct" bottom: "sigmoid" top: "ip" inner_product_param { num_output: 8 transpose: true } }
layer { name: "last" type: "InnerProduct" bottom: "ip" top: "last" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "last" top: "prob" }
`

// random is that network with random weights, calibrated on random pictures.
func random(t *testing.T) (runtime.Model, []byte) {
	t.Helper()
	net, err := caffe.ParseNetwork("kinds.prototxt", []byte(kinds))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range net.Layers {
		for i, shape := range l.WeightShapes() {
			data := make([]float32, models.Elements(shape))
			for k := range data {
				data[k] = float32(r.NormFloat64() / 3)
				if _, ok := l.Op.(models.BatchNorm); ok && i > 0 {
					data[k] = 0.5 + r.Float32()
				}
			}
			l.Weights = append(l.Weights, models.Blob{Shape: shape, Data: data})
		}
	}
	pixels := make([]byte, 12*net.Input().Out.Len())
	for i := range pixels {
		pixels[i] = byte(r.IntN(256))
	}
	m := runtime.Model{Network: net, Preprocess: datasets.Preprocess{Mean: []float32{100, 110, 120}, Scale: 1.0 / 64}}
	p, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Scales = make([]float32, len(net.Layers))
	err = p.Worker().Watch(pixels, func(v fp32.View) {
		v.Visit(func(values []float32) {
			for _, x := range values {
				m.Scales[v.Layer.Index] = max(m.Scales[v.Layer.Index], float32(math.Abs(float64(x)))/127)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, pixels[:net.Input().Out.Len()]
}

func traced(t *testing.T, p runtime.Program, pixels []byte) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	err := p.NewWorker().(runtime.Tracer).Trace(pixels, func(l *models.Layer, v []float32, _ int) { out[l.Name] = slices.Clone(v) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever the order of its weights, a layer's rounded tensor is the program's,
// but for values next to a half: those move by a step, and move what is behind
// them by less.
func TestKindsEqualTensorRT(t *testing.T) {
	m, pixels := random(t)
	program, err := tensorrt.Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	g := program.(Grid)
	all, err := Prepare(m, g, All(len(m.Network.Layers)))
	if err != nil {
		t.Fatal(err)
	}
	mine, real, compared := traced(t, all, pixels), traced(t, program, pixels), 0
	for name, want := range real {
		step := float64(g.Steps()[m.Network.Layer(name).Index])
		if step == 0 || name == "sigmoid" { // runs in float; only its reader rounds it
			continue
		}
		compared++
		off := 0
		for i, x := range want {
			d := math.Abs(float64(x-mine[name][i])) / step
			if d > 1.01 {
				t.Fatalf("%s: element %d is %g, the program has %g, steps of %g", name, i, mine[name][i], x, step)
			}
			if d > 0.01 {
				off++
			}
		}
		if off*20 > len(want) {
			t.Errorf("%s: %d of %d elements are a step away", name, off, len(want))
		}
	}
	if compared < 7 {
		t.Errorf("only %d tensors were compared", compared)
	}
}

// A layer fed with fp32's tensors is nearer to fp32 than the whole program's, or as
// near; the input's error is the same.
func TestLocalKinds(t *testing.T) {
	m, pixels := random(t)
	program, err := tensorrt.Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	unfused, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	p, err := PrepareLocal(m, program.(Grid))
	if err != nil {
		t.Fatal(err)
	}
	want, local, real := traced(t, unfused, pixels), traced(t, p, pixels), traced(t, program, pixels)
	if len(local) != len(m.Network.Layers) {
		t.Errorf("%d layers are shown, want %d", len(local), len(m.Network.Layers))
	}
	for name, got := range real {
		if len(got) < 100 {
			continue // chance decides over few values
		}
		if own, sum := distance(want[name], local[name]), distance(want[name], got); own > 1.2*sum+1e-6 {
			t.Errorf("%s alone is %g from fp32, in the program %g", name, own, sum)
		}
	}
	if own, sum := distance(want["data"], local["data"]), distance(want["data"], real["data"]); math.Abs(own-sum) > 1e-6 {
		t.Errorf("the input is %g from fp32, in the program %g", own, sum)
	}
}

// distance is the root of the sum of squared differences.
func distance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i] - b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

package fp32

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/models"
	"quantbench/models/caffe"
)

const everyKind = `
name: "every kind of layer"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 11 dim: 9 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 6 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
layer { name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2" convolution_param { num_output: 6 kernel_size: 3 pad: 2 dilation: 2 group: 3 } }
layer { name: "bn2" type: "BatchNorm" bottom: "conv2" top: "conv2" }
layer { name: "sum" type: "Eltwise" bottom: "conv1" bottom: "conv2" top: "sum" }
layer { name: "relu2" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "leaky" type: "ReLU" bottom: "sum" top: "leaky" relu_param { negative_slope: 0.1 } }
layer { name: "prelu" type: "PReLU" bottom: "sum" top: "prelu" }
layer { name: "weighted" type: "Eltwise" bottom: "leaky" bottom: "prelu" bottom: "sum" top: "weighted" eltwise_param { operation: SUM coeff: 0.5 coeff: -1 coeff: 2 } }
layer { name: "prod" type: "Eltwise" bottom: "weighted" bottom: "sum" top: "prod" eltwise_param { operation: PROD } }
layer { name: "most" type: "Eltwise" bottom: "prod" bottom: "prelu" top: "most" eltwise_param { operation: MAX } }
layer { name: "norm1" type: "LRN" bottom: "most" top: "norm1" lrn_param { local_size: 5 alpha: 0.1 beta: 0.75 k: 2 } }
layer { name: "norm2" type: "LRN" bottom: "most" top: "norm2" lrn_param { local_size: 3 alpha: 0.1 beta: 0.6 norm_region: WITHIN_CHANNEL } }
layer { name: "concat" type: "Concat" bottom: "norm1" bottom: "norm2" bottom: "data" top: "concat" }
layer { name: "pool1" type: "Pooling" bottom: "concat" top: "pool1" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "pool2" type: "Pooling" bottom: "concat" top: "pool2" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "pool3" type: "Pooling" bottom: "pool1" top: "pool3" pooling_param { pool: MAX kernel_h: 2 kernel_w: 3 stride: 2 pad: 1 } }
layer { name: "power" type: "Power" bottom: "pool2" top: "power" power_param { power: 2 scale: 0.5 shift: 0.1 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "power" top: "sigmoid" }
layer { name: "tanh" type: "TanH" bottom: "sigmoid" top: "tanh" }
layer { name: "up" type: "Deconvolution" bottom: "tanh" top: "up" convolution_param { num_output: 6 kernel_size: 3 stride: 2 pad: 1 group: 3 } }
layer { name: "bn3" type: "BatchNorm" bottom: "up" top: "up" }
layer { name: "elu" type: "ELU" bottom: "up" top: "up" elu_param { alpha: 0.5 } }
layer { name: "less" type: "Deconvolution" bottom: "up" top: "less" convolution_param { num_output: 4 kernel_h: 2 kernel_w: 1 stride: 2 pad: 2 dilation: 2 bias_term: false } }
layer { name: "abs" type: "AbsVal" bottom: "less" top: "abs" }
layer { name: "global" type: "Pooling" bottom: "abs" top: "global" pooling_param { pool: AVE global_pooling: true } }
layer { name: "drop" type: "Dropout" bottom: "global" top: "global" }
layer { name: "flat" type: "Flatten" bottom: "pool3" top: "flat" }
layer { name: "ip1" type: "InnerProduct" bottom: "flat" top: "ip1" inner_product_param { num_output: 15 } }
layer { name: "relu3" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "join" type: "Concat" bottom: "ip1" bottom: "global" top: "join" }
layer { name: "ip2" type: "InnerProduct" bottom: "join" top: "ip2" inner_product_param { num_output: 7 transpose: true bias_term: false } }
layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }
`

// randomNetwork parses a prototxt and fills its weights.
func randomNetwork(t testing.TB, text string) *models.Network {
	net, err := caffe.ParseNetwork("test.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 8))
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
	return net
}

func randomPixels(n int) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.IntN(256))
	}
	return p
}

// near fails if two outputs differ by more than rounding explains: 1e-5 of the
// tensor's largest value a layer.
func near(t *testing.T, name string, got, want []float32) {
	t.Helper()
	var largest float64
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range got {
		if d := math.Abs(float64(v - want[i])); !(d <= 1e-5*largest) {
			t.Fatalf("%s: element %d is %g, want %g (largest value %g)", name, i, v, want[i], largest)
		}
	}
}

func everyKindModel(t testing.TB) runtime.Model {
	return runtime.Model{Network: randomNetwork(t, everyKind), Preprocess: datasets.Preprocess{Mean: []float32{100, 110, 120}, Scale: 1.0 / 64}}
}

// references are the reference's outputs for every picture, by layer.
func references(t *testing.T, m runtime.Model, pixels []byte) [][][]float32 {
	in := m.Network.Input().Out
	var all [][][]float32
	for i := 0; i < len(pixels); i += in.Len() {
		buf := make([]float32, in.Len())
		m.Preprocess.Floats(pixels[i:i+in.Len()], in.C, in.H, in.W, buf)
		out, err := Reference(m.Network, buf)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out)
	}
	return all
}

func TestUnfusedEqualsReference(t *testing.T) {
	m := everyKindModel(t)
	p, err := PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	pictures := p.Batch() + 21
	pixels := randomPixels(pictures * m.Network.Input().Out.Len())
	want := references(t, m, pixels)
	seen := make([]int, len(m.Network.Layers))
	err = p.Worker().Watch(pixels, func(v View) {
		n := v.Layer.Out.Len()
		buf := make([]float32, n)
		sum := 0.0
		for i := range v.Count {
			v.Picture(i, buf)
			near(t, v.Layer.Name, buf, want[v.First+i][v.Layer.Index])
			for _, x := range buf {
				sum += float64(x)
			}
		}
		visited := 0
		v.Visit(func(values []float32) {
			visited += len(values)
			for _, x := range values {
				sum -= float64(x)
			}
		})
		if visited != n*v.Count || math.Abs(sum) > 1e-6*float64(visited) {
			t.Errorf("%s: Visit shows %d values that add up to %g more, want %d", v.Layer.Name, visited, -sum, n*v.Count)
		}
		seen[v.Layer.Index] += v.Count
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range seen {
		if n != pictures {
			t.Errorf("layer %s was shown for %d of %d pictures", m.Network.Layers[i].Name, n, pictures)
		}
	}
}

func TestFusedEqualsReference(t *testing.T) {
	m := everyKindModel(t)
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	pixels := randomPixels(37 * m.Network.Input().Out.Len())
	want := references(t, m, pixels)
	scores := make([]float32, 37*7)
	if err := p.NewWorker().Score(pixels, scores); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		near(t, "prob", scores[i*7:(i+1)*7], want[i][len(want[i])-1])
	}
	fused := 0
	err = p.NewWorker().(runtime.Tracer).Trace(pixels[:m.Network.Input().Out.Len()], func(l *models.Layer, values []float32, clipped int) {
		near(t, l.Name, values, want[0][l.Index])
		fused++
	})
	if missing := len(m.Network.Layers) - fused; err != nil || missing != 8 {
		t.Errorf("%d layers were fused away, want 8 (conv1, bn1, scale1; conv2, bn2, sum; up; ip1): %v", missing, err)
	}
	if len(p.Warnings()) != 0 || (Runtime{}).Name() != "fp32" {
		t.Error("unexpected warnings or name")
	}
}

func TestMeanImage(t *testing.T) {
	m := everyKindModel(t)
	image := make([]float32, m.Network.Input().Out.Len())
	for i := range image {
		image[i] = float32(i % 200)
	}
	m.Preprocess = datasets.Preprocess{MeanImage: image, Scale: 1.0 / 64}
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	pixels := randomPixels(3 * len(image))
	want := references(t, m, pixels)
	scores := make([]float32, 3*7)
	if err := p.NewWorker().Score(pixels, scores); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		near(t, "prob", scores[i*7:(i+1)*7], want[i][len(want[i])-1])
	}
}

func TestErrors(t *testing.T) {
	input := `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }` + "\n"
	conv := `layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2 kernel_size: 3 } }`
	for _, c := range []struct {
		name, text string
		damage     func(*runtime.Model)
		want       string
	}{
		{"weights", input + conv, func(m *runtime.Model) { m.Network.Layers[1].Weights = nil }, "test.prototxt:2"},
		{"size", input + conv, func(m *runtime.Model) { m.Network.Layers[1].Weights[0].Data = nil }, "0 values"},
		{"mean", input + conv, func(m *runtime.Model) { m.Preprocess.Mean = []float32{1, 2} }, "2 means"},
		{"inputs", input + strings.ReplaceAll(input, "data", "more"), func(*runtime.Model) {}, "2 inputs"},
	} {
		m := runtime.Model{Network: randomNetwork(t, c.text)}
		c.damage(&m)
		if _, err := (Runtime{}).Prepare(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	p, err := Runtime{}.Prepare(runtime.Model{Network: randomNetwork(t, input+conv)})
	if err != nil {
		t.Fatal(err)
	}
	w := p.NewWorker()
	if w.Score(make([]byte, 5), nil) == nil || w.Score(make([]byte, 192), make([]float32, 3)) == nil {
		t.Error("wrong sizes were accepted")
	}
	if w.(runtime.Tracer).Trace(make([]byte, 384), nil) == nil {
		t.Error("two pictures were traced")
	}
}

// TestWorkersAreIndependent runs one program in two goroutines at once.
func TestWorkersAreIndependent(t *testing.T) {
	m := everyKindModel(t)
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	pixels := randomPixels(40 * m.Network.Input().Out.Len())
	results := make(chan []float32, 2)
	for range 2 {
		go func() {
			scores := make([]float32, 40*7)
			w := p.NewWorker()
			for range 3 {
				if err := w.Score(pixels, scores); err != nil {
					t.Error(err)
				}
			}
			results <- scores
		}()
	}
	if a, b := <-results, <-results; !slices.Equal(a, b) {
		t.Error("two workers give different scores")
	}
}

package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/models/caffe"
)

const tied = `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 dim: 4 dim: 4 } } }
layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "a_scale" type: "Scale" bottom: "a" top: "a" }
layer { name: "b" type: "Convolution" bottom: "data" top: "b" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }
layer { name: "relu" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "max" type: "Pooling" bottom: "b" top: "max" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "cat" type: "Concat" bottom: "pool" bottom: "max" top: "cat" }
layer { name: "fc" type: "InnerProduct" bottom: "cat" top: "fc" inner_product_param { num_output: 3 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
`

func TestTies(t *testing.T) {
	net, err := caffe.ParseNetwork("tied.prototxt", []byte(tied))
	if err != nil {
		t.Fatal(err)
	}
	ties, weights := tie(net), weigh(net)
	group := map[string]string{
		"in": "in", "a": "a", "fc": "fc", "prob": "prob",
		// sum of a_scale and b; b is pooled, the pools are joined by cat; sum is read by the ReLU only.
		"a_scale": "a_scale", "b": "a_scale", "max": "a_scale", "cat": "a_scale", "pool": "a_scale", "relu": "a_scale", "sum": "a_scale",
	}
	want := map[string]float64{"sum": 0, "relu": 1. / 4, "prob": 1, "pool": 1, "b": 1}
	for i, l := range net.Layers {
		if got := net.Layers[ties.find(i)].Name; got != group[l.Name] {
			t.Errorf("%s is in the group of %s, want %s", l.Name, got, group[l.Name])
		}
		if w, ok := want[l.Name]; ok && weights[i] != w {
			t.Errorf("%s weighs %v, want %v", l.Name, weights[i], w)
		}
	}
}

// normal makes pictures of normal values of the given deviations by layer.
func normal(layers int, deviations map[int]float64) toySource {
	rng := rand.New(rand.NewPCG(11, 2))
	s := toySource{layers: layers}
	for range 20 {
		var p [][]float32
		for l := range layers {
			v := make([]float32, 500)
			for i := range v {
				v[i] = float32(rng.NormFloat64() * deviations[l])
			}
			p = append(p, v)
		}
		s.pictures = append(s.pictures, p)
	}
	return s
}

func TestNVDLAMSE(t *testing.T) {
	net, err := caffe.ParseNetwork("tied.prototxt", []byte(tied))
	if err != nil {
		t.Fatal(err)
	}
	n := len(net.Layers)
	deviations := map[int]float64{0: 1, 1: 7, 2: 1, 3: 4, 4: 2, 5: 2, 6: 1, 7: 4, 8: 3, 9: 5, 10: .1}
	s, err := Collect(t.Context(), normal(n, deviations), Options{Batch: 5})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Apply(t.Context(), net, s, NVDLAMSE{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "sum", "relu", "pool", "max", "cat"} {
		if a, b := r.Scales[net.Layer("a_scale").Index], r.Scales[net.Layer(name).Index]; a != b {
			t.Errorf("%s has scale %v, a_scale %v", name, b, a)
		}
	}
	if r.Scales[10] != float32(0.5/127) {
		t.Errorf("softmax %v", r.Scales[10])
	}
	// Of a normal distribution, 8 bits are best spent on about 4 deviations.
	if got := float64(r.Scales[0]) * 127; got < 3.3 || got > 4.3 {
		t.Errorf("normal input: threshold %v", got)
	}
	// No threshold near the chosen one is better, exactly computed.
	h := judged{&s.Layers[0], 1, false}
	at := h.meanError(float64(r.Scales[0]))
	for _, f := range []float64{.5, .8, .95, 1.05, 1.2} {
		if h.meanError(float64(r.Scales[0])*f) < at {
			t.Errorf("scale times %v is better", f)
		}
	}
}

func TestMeanError(t *testing.T) {
	s, err := Collect(t.Context(), toySource{layers: 1, pictures: [][][]float32{{{4, -4, 0, 0}}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &s.Layers[0]
	width := 8. / 8001
	edge := 4000 * width // the middle of the outermost bins
	for _, c := range []struct {
		positive bool
		scale    float64
		want     float64
	}{
		{false, edge, 0},           // 1, -1 and 0 steps
		{false, edge * 3, 2. / 4},  // rounds to nothing: both errors are edge
		{true, edge * 3, 1. / 4},   // only one counts
		{false, edge / 254, 0.124}, // saturates at 127 and -128 of 254
	} {
		j := judged{h, 1, c.positive}
		got := j.meanError(c.scale) / (edge * edge)
		if math.Abs(got-c.want) > 1e-3 {
			t.Errorf("scale %v: %v, want %v", c.scale, got, c.want)
		}
	}
}

// A ReLU whose output was always zero leaves its input without a group.
func TestNVDLAMSEZeros(t *testing.T) {
	net, err := caffe.ParseNetwork("tied.prototxt", []byte(tied))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Collect(t.Context(), normal(len(net.Layers), map[int]float64{1: 2}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Apply(t.Context(), net, s, NVDLAMSE{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scales[0] != ZeroScale || r.Scales[10] != ZeroScale || r.Scales[1] == ZeroScale {
		t.Error(r.Scales)
	}
	if c := (NVDLAMSE{}).Choose(&s.Layers[1]); c.Scale != r.Scales[1] {
		t.Errorf("alone %v, in the network %v", c.Scale, r.Scales[1])
	}
}

func TestParse(t *testing.T) {
	for _, name := range append(Names(), "percentile-99.9", "pytorch-percentile-99", "ort-percentile-99.99", "ort-entropy-2048") {
		k, err := Parse(name)
		if err != nil || k.Name() != name && name != "percentile" {
			t.Errorf("%s: %v %v", name, k, err)
		}
	}
	for _, name := range []string{"", "-", "entropy2-5", "percentile-0", "percentile-x", "percentile-300", "ort-entropy-100", "kl"} {
		if k, err := Parse(name); err == nil {
			t.Errorf("%s is %s", name, k.Name())
		}
	}
}

package tensorrt

import (
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
	"quantbench/models/caffe"
)

const everything = `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 12 dim: 12 } } }
layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "leaky" type: "ReLU" bottom: "a" top: "leaky" relu_param { negative_slope: 0.1 } }
layer { name: "b" type: "Convolution" bottom: "data" top: "b" convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "prelu" type: "PReLU" bottom: "b" top: "b" }
layer { name: "max" type: "Eltwise" bottom: "leaky" bottom: "b" top: "max" eltwise_param { operation: MAX } }
layer { name: "pool" type: "Pooling" bottom: "max" top: "pool" pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layer { name: "bn" type: "BatchNorm" bottom: "pool" top: "bn" }
layer { name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param { bias_term: true } }
layer { name: "lrn" type: "LRN" bottom: "scale" top: "lrn" lrn_param { local_size: 3 alpha: 0.1 beta: 0.75 } }
layer { name: "small" type: "Power" bottom: "lrn" top: "small" power_param { scale: 0.25 shift: 0.1 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "small" top: "sigmoid" }
layer { name: "tanh" type: "TanH" bottom: "small" top: "tanh" }
layer { name: "elu" type: "ELU" bottom: "small" top: "elu" }
layer { name: "abs" type: "AbsVal" bottom: "small" top: "abs" }
layer { name: "within" type: "LRN" bottom: "small" top: "within" lrn_param { local_size: 3 k: 5 norm_region: WITHIN_CHANNEL } }
layer { name: "up" type: "Deconvolution" bottom: "small" top: "up" convolution_param { num_output: 6 kernel_size: 3 pad: 1 group: 3 } }
layer { name: "uprelu" type: "ReLU" bottom: "up" top: "up" }
layer { name: "more" type: "Concat" bottom: "elu" bottom: "abs" bottom: "within" bottom: "up" top: "more" }
layer { name: "concat" type: "Concat" bottom: "sigmoid" bottom: "tanh" bottom: "more" top: "concat" }
layer { name: "drop" type: "Dropout" bottom: "concat" top: "concat" }
layer { name: "top" type: "Pooling" bottom: "concat" top: "top" pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "concat" bottom: "top" top: "sum" }
layer { name: "relu" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "flat" type: "Flatten" bottom: "sum" top: "flat" }
layer { name: "ip" type: "InnerProduct" bottom: "flat" top: "ip" inner_product_param { num_output: 10 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }`

// random is a network with random weights (positive where they must be).
func random(t *testing.T, prototxt string, r *rand.Rand) *models.Network {
	t.Helper()
	net, err := caffe.ParseNetwork("test.prototxt", []byte(prototxt))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range net.Layers {
		for _, shape := range l.WeightShapes() {
			data := make([]float32, models.Elements(shape))
			for i := range data {
				switch data[i] = float32(r.NormFloat64() * 0.3); l.Op.(type) {
				case models.BatchNorm, models.PReLU:
					data[i] = 0.2 + float32(math.Abs(float64(data[i])))
				}
			}
			l.Weights = append(l.Weights, models.Blob{Shape: shape, Data: data})
		}
	}
	return net
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}

// Every kind of layer is near the float network, in int8 or, where there is no
// int8 form, in float32 between two roundings.
func TestEveryLayer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	net := random(t, everything, r)
	for name, pre := range map[string]datasets.Preprocess{
		"per channel": {Mean: []float32{100, 120}, Scale: 1.0 / 128},
		"mean image":  {MeanImage: ramp(net.Input().Out.Len()), Scale: 1.0 / 128},
	} {
		t.Run(name, func(t *testing.T) {
			m := runtime.Model{Network: net, Preprocess: pre}
			m.Scales = minMax(t, m, noise(r, 40*net.Input().Out.Len()))
			program, err := (Runtime{}).Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			pixels := noise(r, net.Input().Out.Len())
			want := floatLayers(t, m, pixels)
			seen := 0
			err = program.NewWorker().(runtime.Tracer).Trace(pixels, func(l *models.Layer, v []float32, _ int) {
				seen++
				if s := sqnr(want[l.Name], v); s < 15 {
					t.Errorf("%s (%s): %.1f dB", l.Name, l.Type, s)
				}
			})
			if err != nil || seen < 15 {
				t.Errorf("%d tensors, %v", seen, err)
			}
			scores := make([]float32, 20)
			if err := program.NewWorker().Score(append(pixels, pixels...), scores); err != nil {
				t.Fatal(err)
			}
			for i, s := range scores {
				if s != scores[i%10] || math.Abs(float64(s-want["prob"][i%10])) > 0.05 {
					t.Errorf("score %d is %v, in float %v", i, s, want["prob"][i%10])
				}
			}
		})
	}
}

func floatLayers(t *testing.T, m runtime.Model, pixels []byte) map[string][]float32 {
	t.Helper()
	p, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{}
	err = p.Worker().Trace(pixels, func(l *models.Layer, v []float32, _ int) { want[l.Name] = append([]float32(nil), v...) })
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func ramp(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 90 + float32(i%60)
	}
	return v
}

// A final global average is not rounded to int8 before the Softmax, so that it
// makes no ties.
func TestAverageBeforeSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	net := random(t, `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 6 dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "gap" type: "Pooling" bottom: "conv" top: "gap" pooling_param { pool: AVE global_pooling: true } }
layer { name: "prob" type: "Softmax" bottom: "gap" top: "prob" }`, r)
	m := runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: 1.0 / 256}}
	m.Scales = minMax(t, m, noise(r, 36*20))
	p, err := (Runtime{}).Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	whole := true
	err = p.NewWorker().(runtime.Tracer).Trace(noise(r, 36), func(l *models.Layer, v []float32, _ int) {
		if l.Name != "gap" {
			return
		}
		for _, x := range v {
			if q := x / m.Scales[l.Index]; math.Abs(float64(q)-math.Round(float64(q))) > 1e-3 {
				whole = false
			}
		}
	})
	if err != nil || whole {
		t.Errorf("the average was rounded to int8 (%v)", err)
	}
}

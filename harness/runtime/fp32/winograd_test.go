package fp32

import (
	"math"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
)

const block3x3 = `
name: "a residual block"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 13 dim: 12 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 16 kernel_size: 3 pad: 1 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2" convolution_param { num_output: 24 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "bn2" type: "BatchNorm" bottom: "conv2" top: "conv2" }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "conv3" type: "Convolution" bottom: "conv2" top: "conv3" convolution_param { num_output: 16 kernel_size: 3 pad: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "conv1" bottom: "conv3" top: "sum" }
layer { name: "relu3" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "ip" type: "InnerProduct" bottom: "sum" top: "ip" inner_product_param { num_output: 5 } }
`

// TestWinograd: the scores are near the reference's, two layers are computed
// that way and the program says so, and direct sums stay the default.
func TestWinograd(t *testing.T) {
	net := randomNetwork(t, block3x3)
	m := runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: 1.0 / 128}}
	pixels := make([]byte, 20*net.Input().Out.Len())
	for i := range pixels {
		pixels[i] = byte(i * 7919 >> 3)
	}
	var scores [2][]float32
	for i, r := range []Runtime{{}, {Winograd: true}} {
		p, err := r.Prepare(m)
		if err != nil {
			t.Fatal(err)
		}
		scores[i] = make([]float32, 20*5)
		if err := p.NewWorker().Score(pixels, scores[i]); err != nil {
			t.Fatal(err)
		}
		w := p.Warnings()
		if told := len(w) == 1 && strings.Contains(w[0].Error(), "2 of 4 layers"); told != r.Winograd || len(w) > 1 {
			t.Errorf("%+v: warnings %v", r, w)
		}
	}
	input := make([]float32, net.Input().Out.Len())
	var largest, off float64
	differ := false
	for i := range 20 {
		m.Preprocess.Floats(pixels[i*len(input):(i+1)*len(input)], 3, 13, 12, input)
		layers, err := Reference(net, input)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range layers[net.Output().Index] {
			got := scores[1][i*5+k]
			largest, off = max(largest, math.Abs(float64(want))), max(off, math.Abs(float64(got-want)))
			differ = differ || got != scores[0][i*5+k]
		}
	}
	if off > 1e-5*largest || !differ {
		t.Errorf("scores up to %g differ from the reference by up to %g, from direct sums: %v", largest, off, differ)
	}
}

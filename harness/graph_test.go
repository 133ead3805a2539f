package harness

import (
	"testing"

	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

// The graph counts what the network counts, and says each layer's parameters.
func TestGraph(t *testing.T) {
	net, err := caffe.ReadFS(zoo.Files(), "resnet18/deploy.prototxt", "")
	if err != nil {
		t.Fatal(err)
	}
	g := Graph(net)
	if len(g.Nodes) != len(net.Layers) || g.Parameters() != net.Parameters() || g.MACs() != net.MACs() {
		t.Errorf("%d layers, %d parameters, %d MACs", len(g.Nodes), g.Parameters(), g.MACs())
	}
	all, peak := g.Values()
	if all <= peak || peak < 2*16*28*28 {
		t.Errorf("%d values, %d at once", all, peak)
	}
	text := `input: "d" input_shape { dim: 1 dim: 4 dim: 9 dim: 9 }
layer { name: "c" type: "Convolution" bottom: "d" top: "c" convolution_param { num_output: 8 kernel_h: 3 kernel_w: 1 pad_h: 2 pad_w: 0 dilation: 2 group: 4 stride: 2 } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" relu_param { negative_slope: 0.1 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: AVE global_pooling: true } }
layer { name: "l" type: "LRN" bottom: "p" top: "l" }
layer { name: "w" type: "Power" bottom: "l" top: "w" power_param { power: 2 shift: 1 } }
layer { name: "e" type: "Eltwise" bottom: "l" bottom: "w" top: "e" eltwise_param { operation: MAX } }`
	own, err := caffe.ParseNetwork("own.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "8 of 3x1/2, pad 2x0, dilation 2, 4 groups", "slope 0.1", "average, global", "5 channels", "(1 + 1 x)^2", "maximum"}
	for i, n := range Graph(own).Nodes {
		if n.Detail != want[i] {
			t.Errorf("%s: %q, want %q", n.Name, n.Detail, want[i])
		}
	}
}

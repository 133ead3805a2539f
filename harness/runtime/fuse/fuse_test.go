package fuse

import (
	"math"
	"strings"
	"testing"

	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

func shipped(t *testing.T, name string) *models.Network {
	t.Helper()
	z, _ := zoo.Named(name)
	net, err := caffe.ReadFS(zoo.Files(), z.Prototxt, z.Caffemodel)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// describe lists stages as "conv+bn+scale+sum(with x)+relu".
func describe(stages []*Stage) []string {
	var out []string
	for _, s := range stages {
		var names []string
		for _, l := range s.Layers {
			names = append(names, l.Name)
		}
		text := strings.Join(names, "+")
		if s.Add != nil {
			text += " with " + s.Add.Name
		}
		out = append(out, text)
	}
	return out
}

// An identity block takes the sum into its second convolution; a projection
// block takes it into the projection, which comes last.
func TestStagesOfResNet(t *testing.T) {
	got := describe(Stages(shipped(t, "resnet18")))
	want := []string{
		"data",
		"first_conv+first_conv_bn+first_conv_scale+first_conv_relu",
		"group0_block0_conv0+group0_block0_conv0_bn+group0_block0_conv0_scale+group0_block0_conv0_relu",
		"group0_block0_conv1+group0_block0_conv1_bn+group0_block0_conv1_scale+group0_block0_sum+group0_block0_relu with first_conv_relu",
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("stage %d is %s, want %s", i, got[i], w)
		}
	}
	projection := "group1_block0_proj+group1_block0_proj_bn+group1_block0_proj_scale+group1_block0_sum+group1_block0_relu with group1_block0_conv1_scale"
	if all := strings.Join(got, "\n"); !strings.Contains(all, projection) {
		t.Errorf("no stage %s in\n%s", projection, all)
	}
	if last := got[len(got)-1]; last != "softmax" {
		t.Errorf("the last stage is %s", last)
	}
}

func TestStagesOfLeNet(t *testing.T) {
	got := strings.Join(describe(Stages(shipped(t, "lenet5"))), " ")
	if want := "data conv1 pool1 conv2 pool2 ip1+relu1 ip2 prob"; got != want {
		t.Errorf("stages %s, want %s", got, want)
	}
}

func TestSingleFusesNothing(t *testing.T) {
	net := shipped(t, "resnet18")
	stages := Single(net)
	if len(stages) != len(net.Layers) {
		t.Fatalf("%d stages for %d layers", len(stages), len(net.Layers))
	}
	for i, s := range stages {
		if s.Head() != net.Layers[i] || s.Out() != net.Layers[i] || s.Add != nil || s.ReLU {
			t.Errorf("stage %d fuses something", i)
		}
	}
}

// Folding leaves the network's own weights alone, and gives (w*f, b*f+o).
func TestFold(t *testing.T) {
	net := network(t, `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 1 dim: 1 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 0 } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }`)
	set(net, "conv", []float32{2, -4}, []float32{1, 3})
	set(net, "bn", []float32{4, 8}, []float32{8, 32}, []float32{2}) // mean 2, 4; variance 4, 16
	set(net, "scale", []float32{10, 20}, []float32{5, 6})
	s := Stages(net)[1]
	// factor = gamma/sigma = 5, 5; bias = (b-mean)*factor + beta
	if s.Weights[0] != 10 || s.Weights[1] != -20 || s.Bias[0] != 0 || s.Bias[1] != 1 {
		t.Errorf("weights %v, bias %v", s.Weights, s.Bias)
	}
	if w := net.Layer("conv").Weights[0].Data; w[0] != 2 || w[1] != -4 {
		t.Errorf("the network's weights changed: %v", w)
	}
}

// A moving-average factor of 0 makes mean and variance 0, as Caffe has it.
func TestBatchNormFactorZero(t *testing.T) {
	l := &models.Layer{Weights: []models.Blob{{Data: []float32{3}}, {Data: []float32{9}}, {Data: []float32{0}}}}
	factor, offset := BatchNorm(l, models.BatchNorm{Eps: 0.25})
	if factor[0] != 2 || math.Abs(offset[0]) != 0 {
		t.Errorf("factor %v, offset %v", factor, offset)
	}
}

// What cannot be fused stays a stage: a tensor with two readers, a leaky ReLU,
// a weighted sum, a ReLU after pooling.
func TestNotFused(t *testing.T) {
	got := strings.Join(describe(Stages(network(t, `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 1 kernel_size: 1 } }
layer { name: "b" type: "Convolution" bottom: "a" top: "b" convolution_param { num_output: 1 kernel_size: 1 } }
layer { name: "leaky" type: "ReLU" bottom: "b" top: "leaky" relu_param { negative_slope: 0.1 } }
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "leaky" top: "sum" eltwise_param { operation: SUM coeff: 1 coeff: -1 } }
layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "relu" type: "ReLU" bottom: "pool" top: "pool" }`))), " ")
	if want := "data a b leaky sum pool relu"; got != want {
		t.Errorf("stages %s, want %s", got, want)
	}
}

// A sum that no convolution can take in keeps its ReLU.
func TestSumKeepsReLU(t *testing.T) {
	got := strings.Join(describe(Stages(network(t, `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "data" bottom: "pool" top: "sum" }
layer { name: "relu" type: "ReLU" bottom: "sum" top: "sum" }`))), " ")
	if want := "data pool sum+relu"; got != want {
		t.Errorf("stages %s, want %s", got, want)
	}
}

func network(t *testing.T, prototxt string) *models.Network {
	t.Helper()
	net, err := caffe.ParseNetwork("test.prototxt", []byte(prototxt))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range net.Layers {
		for _, shape := range l.WeightShapes() {
			l.Weights = append(l.Weights, models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))})
		}
	}
	return net
}

func set(net *models.Network, layer string, blobs ...[]float32) {
	for i, b := range blobs {
		copy(net.Layer(layer).Weights[i].Data, b)
	}
}

package caffe

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"quantbench/models"
)

// allLayers has every supported layer type.
const allLayers = `name: "all \"kinds\"\351"
input: "data" input_shape { dim: 2 dim: 4 dim: 9 dim: 8 }
layer { name: "extra" type: "Input" top: "extra" input_param { shape { dim: 2 dim: 6 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 group: 2 dilation: 1 dilation: 2 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 2e-3 } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "scale0" type: "Scale" bottom: "conv" top: "conv" }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.1 } }
layer { name: "prelu" type: "PReLU" bottom: "conv" top: "conv" }
layer { name: "prelu1" type: "PReLU" bottom: "conv" top: "prelu1" prelu_param { channel_shared: true } }
layer { name: "pool" type: "Pooling" bottom: "prelu1" top: "pool" pooling_param { pool: AVE kernel_size: 3 stride: 1 pad: 1 round_mode: FLOOR } }
layer { name: "lrn" type: "LRN" bottom: "pool" top: "lrn" lrn_param { local_size: 3 alpha: 5e-5 k: 2 norm_region: WITHIN_CHANNEL } }
layer { name: "up" type: "Deconvolution" bottom: "lrn" top: "up" convolution_param { num_output: 6 kernel_size: 2 bias_term: false group: 3 } }
layer { name: "down" type: "Pooling" bottom: "up" top: "down" pooling_param { kernel_size: 3 stride_h: 1 stride_w: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "down" bottom: "down" top: "sum" eltwise_param { coeff: 1 coeff: -1 } }
layer { name: "split" type: "Split" bottom: "sum" top: "s1" top: "s2" }
layer { name: "prod" type: "Eltwise" bottom: "s1" bottom: "s2" top: "prod" eltwise_param { operation: PROD } }
layer { name: "cat" type: "Concat" bottom: "s1" bottom: "prod" top: "cat" }
layer { name: "power" type: "Power" bottom: "cat" top: "power" power_param { power: 2 scale: 3 shift: -0.0 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "power" top: "sigmoid" }
layer { name: "tanh" type: "TanH" bottom: "sigmoid" top: "tanh" }
layer { name: "elu" type: "ELU" bottom: "tanh" top: "tanh" elu_param { alpha: 0.4 } }
layer { name: "abs" type: "AbsVal" bottom: "tanh" top: "tanh" }
layer { name: "drop" type: "Dropout" bottom: "tanh" top: "tanh" dropout_param { dropout_ratio: 0.4 } }
layer { name: "reshape" type: "Reshape" bottom: "tanh" top: "reshape" reshape_param { shape { dim: 0 dim: -1 dim: 2 dim: 0 } } }
layer { name: "global" type: "Pooling" bottom: "reshape" top: "global" pooling_param { global_pooling: true } }
layer { name: "flat" type: "Flatten" bottom: "global" top: "flat" }
layer { name: "ip" type: "InnerProduct" bottom: "flat" top: "ip" inner_product_param { num_output: 5 transpose: true } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip" top: "ip2" inner_product_param { num_output: 3 bias_term: false } }
layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }
`

// withWeights parses the text and fills the weights with a pattern.
func withWeights(t testing.TB, text string) *models.Network {
	t.Helper()
	net, err := ParseNetwork("small.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v := float32(0)
	for _, l := range net.Layers {
		for _, shape := range l.WeightShapes() {
			b := models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))}
			for i := range b.Data {
				v += 0.1
				b.Data[i] = v
			}
			l.Weights = append(l.Weights, b)
		}
	}
	return net
}

func TestAllLayers(t *testing.T) {
	net := withWeights(t, allLayers)
	if len(net.Warnings) > 0 {
		t.Error(net.Warnings)
	}
	want := map[string]models.Shape{
		"data": {C: 4, H: 9, W: 8}, "extra": {C: 6, H: 4, W: 4}, "conv": {C: 6, H: 5, W: 3}, "prelu1": {C: 6, H: 5, W: 3},
		"pool": {C: 6, H: 5, W: 3}, "up": {C: 6, H: 6, W: 4}, "down": {C: 6, H: 4, W: 2}, "cat": {C: 12, H: 4, W: 2},
		"reshape": {C: 24, H: 2, W: 2}, "global": {C: 24, H: 1, W: 1}, "ip": {C: 5, H: 1, W: 1}, "prob": {C: 3, H: 1, W: 1},
	}
	for name, s := range want {
		if got := net.Layer(name).Out; got != s {
			t.Errorf("%s: %s, want %s", name, got, s)
		}
	}
	if net.Batch != 2 || !net.Layers[0].Implicit || net.Name != "all \"kinds\"\xe9" {
		t.Errorf("batch %d, implicit %v, name %q", net.Batch, net.Layers[0].Implicit, net.Name)
	}
	if got := net.Layer("scale").From[0].Name; got != "bn" {
		t.Errorf("in-place scale reads %q, want bn", got)
	}
	sameAfterWriting(t, net)
}

func TestOldForm(t *testing.T) {
	net, err := ParseNetwork("old.prototxt", []byte(`
input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 weight_decay: 0 convolution_param { num_output: 2 kernel_size: 3 } }
layers { name: "r" type: 18 bottom: "c" top: "c" }
layers { name: "acc" type: ACCURACY bottom: "c" bottom: "label" top: "acc" include { phase: TEST } }
layers { name: "train" type: DROPOUT bottom: "c" top: "c" include: { phase: TRAIN } }
layers { name: "prob" type: SOFTMAX_LOSS bottom: "c" bottom: "label" }
`))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, l := range net.Layers {
		kinds = append(kinds, l.Name+"="+l.Type)
	}
	if got := strings.Join(kinds, " "); got != "data=Input c=Convolution r=ReLU prob=Softmax" {
		t.Error(got)
	}
	if len(net.Warnings) != 2 {
		t.Error(net.Warnings)
	}
}

// conv is a valid beginning for the tests of errors.
const conv = `input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 } }
`

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "f: the network has no layers",
		"\x00":                            "f:1:1: unexpected character",
		`layer {`:                         "f:1:8: the file ends inside the block opened in line 1",
		`name: "a`:                        "f:1:7: the string is not closed",
		`name: "\q"`:                      "unknown escape",
		`name: -"a"`:                      "expected a number after",
		`name "a"`:                        `expected ":"`,
		`name: "a" name: "b"`:             "name is set twice",
		`name: 3`:                         "name: expected a string in quotes, found 3",
		`input_dim: [1 2]`:                `expected "," or "]"`,
		`: 1`:                             "expected the name of a field",
		strings.Repeat("a{", 200):         "nest deeper than 100",
		`input: "a"`:                      "1 input names but 0 shapes",
		`input: "a" input_dim: 1`:         "the input has 1 dimensions",
		`input: "a" input_shape: 4`:       "the input has 0 dimensions",
		`layer: 3`:                        "layer must be a block",
		`layers { layer { name: "x" } }`:  "before V1",
		`layer {type: "ReLU"} layers { }`: "both layer and layers",
		`layer { name: "x" }`:             `layer "x" has no type`,
		`layer { name: "x" type: "Convolutoin" }`:    "f:1: layer \"x\": type \"Convolutoin\" is not supported; did you mean Convolution? (supported: AbsVal, BatchNorm, Concat",
		`layers { type: CONVOLUTIN }`:                "did you mean CONVOLUTION?",
		`layers { type: "Convolution" }`:             "a quoted type belongs to the new form",
		`layers { type: 99 }`:                        "99 is no type",
		`layer { name: "i" type: "Input" top: "i" }`: "has no input_param",
		`layer { name: "d" type: "Data" top: "data" }
layer { name: "c" type: "ReLU" bottom: "data" top: "c" }`: "f:2: layer \"c\" (ReLU) reads blob \"data\" of the data source \"d\" (Data, line 1)",
		conv + `layer { name: "c" type: "ReLU" bottom: "c" top: "c" }`:                                                                    "f:3: layer \"c\" (ReLU): the name is already used by the Convolution layer at f:2",
		conv + `layer { name: "r" type: "ReLU" bottom: "C" top: "r" }`:                                                                    `which no earlier layer writes; did you mean "c"?`,
		conv + `layer { name: "r" type: "ReLU" bottom: "zzz" top: "r" }`:                                                                  `reads blob "zzz"`,
		conv + `layer { name: "r" type: "ReLU" bottom: "data" top: "c" }`:                                                                 "already writes",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "c" pooling_param { kernel_size: 2 } }`:                                "cannot write its own bottom",
		conv + `layer { name: "r" type: "ReLU" bottom: "c" }`:                                                                             "has 0 tops",
		conv + `layer { name: "r" type: "ReLU" bottom: "c" bottom: "data" top: "r" }`:                                                     "has 2 bottoms, takes 1",
		conv + `layer { name: "r" type: "Eltwise" bottom: "c" top: "r" }`:                                                                 "has 1 bottoms, takes at least 2",
		conv + `layer { name: "r" type: "Eltwise" bottom: "c" bottom: "data" top: "r" }`:                                                  "the shapes must be equal",
		conv + `layer { name: "r" type: "Concat" bottom: "c" bottom: "data" top: "r" }`:                                                   "height and width must agree",
		conv + `layer { name: "r" type: "Concat" bottom: "c" top: "r" concat_param { axis: 2 } }`:                                         "concat_param: axis 2 is not supported",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { kernel_size: 9 } }`:                                "does not fit",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { kernel_size: 2 pad: 2 } }`:                         "must be less than the kernel",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { } }`:                                               "kernel is 0x0",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { pool: STOCHASTIC kernel_size: 2 } }`:               "pool: STOCHASTIC is none of [MAX AVE]",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { global_pooling: true stride: 2 } }`:                "remove kernel, stride and pad",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { kernel_size: 2 kernel_h: 2 } }`:                    "not both",
		conv + `layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { kernel_size: [2, 2] } }`:                           "kernel_size is set twice",
		conv + `layer { name: "r" type: "Convolution" bottom: "c" top: "r" convolution_param { kernel_size: 1 } }`:                        "num_output is 0",
		conv + `layer { name: "r" type: "Convolution" bottom: "c" top: "r" convolution_param { num_output: -1 } }`:                        "num_output: -1 is not between 1 and",
		conv + `layer { name: "r" type: "Convolution" bottom: "c" top: "r" convolution_param { num_output: 4 kernel_size: 1 group: 3 } }`: "group 3 must divide",
		conv + `layer { name: "r" type: "Convolution" bottom: "c" top: "r" convolution_param { kernel_size: [1, 1, 1] } }`:                "pictures have two axes",
		conv + `layer { name: "r" type: "Convolution" bottom: "c" top: "r" convolution_param: 3 }`:                                        "convolution_param must be a block",
		conv + `layer { name: "r" type: "Reshape" bottom: "c" top: "r" reshape_param { shape { dim: 0 dim: 7 } } }`:                       "cannot make 7x1x1 of the 144 elements",
		conv + `layer { name: "r" type: "Reshape" bottom: "c" top: "r" reshape_param { shape { dim: 1 dim: -1 } } }`:                      "must be 0 (unchanged)",
		conv + `layer { name: "r" type: "Reshape" bottom: "c" top: "r" }`:                                                                 "0 dims after the pictures",
		conv + `layer { name: "r" type: "LRN" bottom: "c" top: "r" lrn_param { local_size: 4 } }`:                                         "odd sizes only",
		conv + `layer { name: "r" type: "ReLU" bottom: "c" top: "r" relu_param { negative_slope: x } }`:                                   "negative_slope: expected a number, found x",
		conv + `layer { name: "r" type: "Scale" bottom: "c" top: "r" scale_param { bias_term: 2 } }`:                                      "expected true or false",
		conv + `layer { name: "r" type: "ReLU" include { phase: TEST } exclude { phase: TRAIN } }`:                                        "both include and exclude",
	} {
		net, err := ParseNetwork("f", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s (%v)", text, err, want, net)
		} else if !strings.HasPrefix(err.Error(), "f") {
			t.Errorf("no place: %v", err)
		}
	}
}

func TestWarnings(t *testing.T) {
	net, err := ParseNetwork("f", []byte(conv+`
layer { name: "r" type: "Pooling" bottom: "c" top: "r" pooling_param { kernel_size: 2 strde: 2 [a.b/c]: 3 } }
layer { name: "b" type: "BatchNorm" bottom: "r" top: "b" batch_norm_param { use_global_stats: false } }
layer { name: "w" type: "Silence" bottom: "r" }
layer { name: "m" type: "ReLU" bottom: "r" top: "m" include { stage: "deploy" } }
layer { name: "n" type: "ReLU" bottom: "r" top: "n" exclude { min_level: 1 } exclude { phase: TRAIN } }
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`f:4: unknown field "strde" in pooling_param has no effect; did you mean stride?`, `f:4: unknown field "[a.b/c]"`, "f:5: use_global_stats", "f:6: layer \"w\" (Silence) is a measurement"}
	if len(net.Warnings) != len(want) {
		t.Fatal(net.Warnings)
	}
	for i, w := range want {
		if !strings.HasPrefix(net.Warnings[i].Error(), w) {
			t.Errorf("%v\nwant %s", net.Warnings[i], w)
		}
	}
	if net.Output().Name != "n" || net.Layer("m") != nil {
		t.Errorf("phases: output %q", net.Output().Name)
	}
}

func TestReadFS(t *testing.T) {
	net := withWeights(t, allLayers)
	files := fstest.MapFS{"a.prototxt": {Data: []byte(allLayers)}, "a.caffemodel": {Data: written(t, net)}, "bad.prototxt": {Data: []byte("x")}, "bad.caffemodel": {Data: []byte("<html>")}}
	back, err := ReadFS(files, "a.prototxt", "a.caffemodel")
	if err != nil || back.Layer("ip").Weights == nil {
		t.Fatal(err)
	}
	if back, err = ReadFS(files, "a.prototxt", ""); err != nil || back.Layer("ip").Weights != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"no.prototxt", ""}, {"a.prototxt", "no.caffemodel"}, {"bad.prototxt", ""}, {"a.prototxt", "bad.caffemodel"}} {
		if _, err := ReadFS(fs.FS(files), pair[0], pair[1]); err == nil {
			t.Errorf("%v: no error", pair)
		}
	}
}

package fold

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
	"quantbench/models/caffe"
)

const rest3 = `
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "sc" type: "Scale" bottom: "c" top: "s" scale_param { bias_term: true } }
layer { name: "re" type: "ReLU" bottom: "s" top: "s" }
layer { name: "g" type: "Convolution" bottom: "s" top: "g" convolution_param { num_output: 4 kernel_size: 3 group: 2 bias_term: false pad: 1 } }
layer { name: "gb" type: "BatchNorm" bottom: "g" top: "gb" }
layer { name: "d" type: "Deconvolution" bottom: "gb" top: "d" convolution_param { num_output: 6 kernel_size: 2 stride: 2 group: 2 } }
layer { name: "ds" type: "Scale" bottom: "d" top: "d" }
layer { name: "ip" type: "InnerProduct" bottom: "d" top: "ip" inner_product_param { num_output: 5 transpose: true } }
layer { name: "is" type: "Scale" bottom: "ip" top: "ip" scale_param { bias_term: true } }`

const head3 = `name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 9 } } }
`

// network parses a network and gives it random weights.
func network(t testing.TB, text string, seed uint64) *models.Network {
	t.Helper()
	net, err := caffe.ParseNetwork("net.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	for _, l := range net.Layers {
		for i, shape := range l.WeightShapes() {
			b := models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))}
			for j := range b.Data {
				b.Data[j] = float32(r.NormFloat64()) * 0.5
				if _, ok := l.Op.(models.BatchNorm); ok && i > 0 {
					b.Data[j] = 0.5 + r.Float32()
				}
			}
			l.Weights = append(l.Weights, b)
		}
	}
	return net
}

// scores runs n random colour pictures, given as red, green, blue.
func scores(t *testing.T, net *models.Network, p datasets.Preprocess, n int) []float32 {
	t.Helper()
	program, err := fp32.Runtime{}.Prepare(runtime.Model{Network: net, Preprocess: p})
	if err != nil {
		t.Fatal(err)
	}
	in, r := net.Input().Out, rand.New(rand.NewPCG(1, 1))
	var pixels []byte
	for range n {
		pic := datasets.Picture{ID: "x", Channels: in.C, Height: in.H, Width: in.W, Pixels: make([]byte, in.Len())}
		for i := range pic.Pixels {
			pic.Pixels[i] = byte(r.IntN(256))
		}
		one := make([]byte, in.Len())
		if err := p.Bytes(pic, in.C, in.H, in.W, one); err != nil {
			t.Fatal(err)
		}
		pixels = append(pixels, one...)
	}
	out := make([]float32, n*net.Output().Out.Len())
	if err := program.NewWorker().Score(pixels, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// difference is the largest difference as a share of the largest value.
func difference(a, b []float32) float64 {
	d, top := 0.0, 0.0
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
		top = max(top, math.Abs(float64(a[i])))
	}
	return d / top
}

func conv(param string) string {
	return head3 + `layer { name: "first" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 ` + param + ` } }` + rest3
}

func TestFold(t *testing.T) {
	bgr := datasets.Preprocess{Order: "bgr", Mean: []float32{104, 117, 123}, Scale: 0.017}
	ip := head3 + `layer { name: "first" type: "InnerProduct" bottom: "data" top: "c" inner_product_param { num_output: 6 transpose: true } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }`
	cases := []struct {
		name, text string
		o          Options
		left       string // what stays of the preprocessing, in words
		notes      int
	}{
		{"scale alone", conv("pad: 1"), Options{Preprocess: datasets.Preprocess{Scale: 1.0 / 256}}, "pixel", 0},
		{"mean without padding", conv("stride: 2"), Options{Preprocess: bgr}, "BGR", 0},
		{"mean without padding, dilated, to RGB", conv("dilation: 2"), Options{Preprocess: bgr, RGB: true}, "pixel", 0},
		{"mean with padding stays", conv("pad: 1"), Options{Preprocess: bgr}, "BGR minus 104/117/123", 1},
		{"mean with padding stays, to RGB", conv("pad: 1 stride: 2"), Options{Preprocess: bgr, RGB: true}, "RGB minus 123/117/104", 1},
		{"mean as a layer", conv("pad: 1"), Options{Preprocess: bgr, Mean: Layer}, "BGR", 0},
		{"mean as a layer, to RGB", conv("pad: 1"), Options{Preprocess: bgr, Mean: Layer, RGB: true}, "pixel", 0},
		{"inverted", conv(""), Options{Preprocess: datasets.Preprocess{Invert: true, Mean: []float32{33}, Scale: 0.1}}, "pixel", 0},
		{"inverted with padding", conv("pad: 2"), Options{Preprocess: datasets.Preprocess{Invert: true, Scale: 0.1}}, "255-pixel", 1},
		{"fully connected", ip, Options{Preprocess: bgr, RGB: true}, "pixel", 0},
		{"layer in front of pooling", head3 + `layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }`, Options{Preprocess: bgr, Mean: Layer}, "BGR", 1},
		{"nothing in front of pooling", head3 + `layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }`, Options{Preprocess: bgr}, "BGR minus 104/117/123, times 0.017", 1},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			net := network(t, c.text, uint64(i))
			before := scores(t, net, c.o.Preprocess, 5)
			r, err := Fold(net, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Preprocess.String(); got != c.left || len(r.Notes) != c.notes {
				t.Errorf("left %q, notes %v", got, r.Notes)
			}
			if d := difference(before, scores(t, r.Network, r.Preprocess, 5)); d > 2e-5 {
				t.Errorf("scores differ by %g of the largest", d)
			}
			if again := scores(t, net, c.o.Preprocess, 5); !slices.Equal(before, again) {
				t.Error("folding changed the network that it was given")
			}
			roundTrip(t, r.Network)
		})
	}
}

// roundTrip writes the network and reads it back.
func roundTrip(t *testing.T, net *models.Network) {
	t.Helper()
	var text, weights bytes.Buffer
	if err := caffe.WriteNetwork(&text, net); err != nil {
		t.Fatal(err)
	}
	if len(net.Layers) < 3 {
		return // pooling alone has no weights to write
	}
	if err := caffe.WriteWeights(&weights, net); err != nil {
		t.Fatal(err)
	}
	back, err := caffe.ParseNetwork("back", text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := caffe.ReadWeights(back, "back", weights.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, l := range back.Layers {
		if _, ok := l.Op.(models.BatchNorm); ok {
			t.Errorf("%s is still there", l.Name)
		}
	}
}

// A forced mean is right inside and wrong at the border, by what the note says.
func TestForce(t *testing.T) {
	text := head3 + `layer { name: "first" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }`
	net := network(t, text, 3)
	p := datasets.Preprocess{Mean: []float32{104, 117, 123}}
	r, err := Fold(net, Options{Preprocess: p, Mean: Force})
	if err != nil || !r.Raw() || len(r.Notes) != 1 || !strings.Contains(r.Notes[0].Error(), "at 30 of its 72 positions") {
		t.Fatal(err, r.Notes)
	}
	before, after := scores(t, net, p, 1), scores(t, r.Network, r.Preprocess, 1)
	h := begin(net.Layers[1])
	_, offset := terms(p, 3)
	want, positions := h.border(net.Layers[1].Op.(models.Convolution), offset)
	largest, wrong := 0.0, 0
	for i := range before {
		y, x := i%72/9, i%9
		d := math.Abs(float64(before[i]) - float64(after[i]))
		if largest = max(largest, d); d > 1e-3 {
			if wrong++; y > 0 && y < 7 && x > 0 && x < 8 {
				t.Errorf("(%d, %d) differs by %g", y, x, d)
			}
		}
	}
	if math.Abs(largest-want) > 1e-3 || positions != 30 || wrong == 0 {
		t.Errorf("largest difference %g, stated %g", largest, want)
	}
}

// What is done to a picture before the arithmetic stays as it was.
func TestGeometryStays(t *testing.T) {
	p := datasets.Preprocess{Resize: datasets.Resize{Rule: datasets.Shorter, Size: 20}, Crop: datasets.Center, Convert: true, Planar: true, Order: "bgr", Mean: []float32{1, 2, 3}, Scale: 0.5, Invert: true}
	r, err := Fold(network(t, strings.Replace(conv(""), "dim: 9", "dim: 8", 1), 2), Options{Preprocess: p})
	want := datasets.Preprocess{Resize: p.Resize, Crop: p.Crop, Convert: true, Planar: true, Order: "bgr"}
	if err != nil {
		t.Fatal(err)
	}
	if r.Preprocess.Digest() != want.Digest() {
		t.Errorf("%s, want %s", r.Preprocess, want)
	}
}

// What cannot take a BatchNorm in says so, and the network still computes the same.
func TestStays(t *testing.T) {
	text := head3 + `layer { name: "b0" type: "BatchNorm" bottom: "data" top: "b0" }
layer { name: "c" type: "Convolution" bottom: "b0" top: "c" convolution_param { num_output: 3 kernel_size: 1 } }
layer { name: "b1" type: "BatchNorm" bottom: "c" top: "b1" }
layer { name: "sum" type: "Eltwise" bottom: "c" bottom: "b1" top: "sum" }
layer { name: "b2" type: "BatchNorm" bottom: "sum" top: "b2" }`
	net := network(t, text, 5)
	p := datasets.Preprocess{Mean: []float32{10}}
	r, err := Fold(net, Options{Preprocess: p})
	if err != nil || len(r.Layers) != 0 || len(r.Notes) != 4 || r.Raw() {
		t.Fatalf("%v %+v", err, r)
	}
	if d := difference(scores(t, net, p, 2), scores(t, r.Network, r.Preprocess, 2)); d > 1e-6 {
		t.Error(d)
	}
	for _, want := range []string{`"b0" (BatchNorm): stays: it follows layer "data"`, `"b1" (BatchNorm): stays: other layers read what layer "c"`, "net.prototxt:3"} {
		if !slices.ContainsFunc(r.Notes, func(e error) bool { return strings.Contains(e.Error(), want) }) {
			t.Errorf("no note says %q: %v", want, r.Notes)
		}
	}
}

func TestMistakes(t *testing.T) {
	net := network(t, conv(""), 1)
	for _, o := range []Options{
		{Preprocess: datasets.Preprocess{Mean: []float32{1, 2}}},
		{Preprocess: datasets.Preprocess{MeanFile: "mean.binaryproto"}},
		{Mean: "always"},
	} {
		if _, err := Fold(net, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	net.Layers[1].Weights = nil
	if _, err := Fold(net, Options{}); err == nil || !strings.Contains(err.Error(), "has no weights") {
		t.Error(err)
	}
	image := datasets.Preprocess{MeanImage: make([]float32, 3*8*9), Scale: 0.5}
	image.MeanImage[5] = 100
	net = network(t, conv(""), 1)
	r, err := Fold(net, Options{Preprocess: image})
	if err != nil || len(r.Notes) != 1 || r.Preprocess.Scale != 0 || r.Raw() {
		t.Fatalf("%v %+v", err, r)
	}
	if d := difference(scores(t, net, image, 2), scores(t, r.Network, r.Preprocess, 2)); d > 2e-5 {
		t.Error(d)
	}
}

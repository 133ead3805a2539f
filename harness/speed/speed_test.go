package speed

import (
	"fmt"
	"math"
	"testing"
	"time"

	"quantbench/harness/runtime"
	"quantbench/models"
	"quantbench/models/caffe"
)

// TestShapes compares with the sizes that the papers and Caffe give.
func TestShapes(t *testing.T) {
	want := map[string]string{
		"lenet5":            "431080 parameters, 2293000 MACs, 10x1x1",
		"resnet20-cifar10":  "271690 parameters, 40813184 MACs, 10x1x1",
		"resnet18-imagenet": "11684712 parameters, 1814073344 MACs, 1000x1x1",
	}
	for _, name := range Shapes() {
		net, ok := Shape(name)
		if !ok {
			t.Fatalf("no shape %s", name)
		}
		if got := fmt.Sprintf("%d parameters, %d MACs, %s", net.Parameters(), net.MACs(), net.Output().Out); got != want[name] {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
	if _, ok := Shape("vgg"); ok {
		t.Error("there is a shape vgg")
	}
}

const everyWeight = `
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 6 dim: 6 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "n" type: "BatchNorm" bottom: "c" top: "n" }
layer { name: "s" type: "Scale" bottom: "n" top: "s" scale_param { bias_term: true } }
layer { name: "p" type: "PReLU" bottom: "s" top: "p" }
layer { name: "f" type: "InnerProduct" bottom: "p" top: "f" inner_product_param { num_output: 2 } }
`

// TestRandomize: normalisation has no effect, kernels keep the variance, and a
// second call changes nothing.
func TestRandomize(t *testing.T) {
	net, err := caffe.ParseNetwork("every.prototxt", []byte(everyWeight))
	if err != nil {
		t.Fatal(err)
	}
	Randomize(net)
	before := net.Layer("f").Weights[0].Data[0]
	Randomize(net)
	if got := net.Layer("f").Weights[0].Data[0]; got != before || got == 0 {
		t.Errorf("a weight was %g, is %g", before, got)
	}
	for name, want := range map[string][]float32{"n": {0, 1, 1}, "s": {1, 0}, "p": {0.25}} {
		for i, v := range want {
			if got := net.Layer(name).Weights[i].Data[0]; got != v {
				t.Errorf("%s: blob %d begins with %g, want %g", name, i, got, v)
			}
		}
	}
	var sum float64
	for _, w := range net.Layer("f").Weights[0].Data {
		sum += float64(w) * float64(w)
	}
	if sum < 0.2*4 || sum > 5*4 { // 2 outputs, each of variance 2
		t.Errorf("the squares of a kernel sum up to %g, want about 4", sum)
	}
}

// TestMeasure runs the smallest network on every runtime.
func TestMeasure(t *testing.T) {
	net, _ := Shape("lenet5")
	Randomize(net)
	for _, name := range Runtimes() {
		r, err := Measure(net, Options{Runtime: name, Threads: 2, Batch: 3, Duration: 5 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if r.Images < 6 || r.Images%3 != 0 || r.CPUSeconds <= 0 || r.CallMilliseconds <= 0 || r.MemoryBytes < 400e3 || len(r.Warnings) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if got := r.ImagesPerCPUSecond * r.CPUSeconds; math.Abs(got-float64(r.Images)) > 1e-6*got {
			t.Errorf("%s: %g pictures a CPU-second in %g seconds are not %d", name, r.ImagesPerCPUSecond, r.CPUSeconds, r.Images)
		}
		if r.ShareOfPeak <= 0 || r.ShareOfPeak > 1.1 {
			t.Errorf("%s: %g of the peak", name, r.ShareOfPeak)
		}
	}
}

func TestMeasureRefuses(t *testing.T) {
	net, _ := Shape("lenet5")
	if _, err := Measure(net, Options{Runtime: "fp32", Threads: 1, Batch: 1}); err == nil {
		t.Error("a network without weights was measured")
	}
	Randomize(net)
	for _, o := range []Options{{Runtime: "fp32", Batch: 1}, {Runtime: "fp32", Threads: 1}, {Runtime: "fp23", Threads: 1, Batch: 1}} {
		if _, err := Measure(net, o); err == nil {
			t.Errorf("%+v was measured", o)
		}
	}
	if _, err := Prepare(&models.Network{}, "int9"); err == nil {
		t.Error("a runtime int9 was found")
	}
}

// failing is a worker whose second call fails.
type failing struct{ calls int }

func (f *failing) Score([]byte, []float32) error {
	if f.calls++; f.calls > 1 {
		return fmt.Errorf("broken")
	}
	return nil
}

type broken struct{}

func (broken) NewWorker() runtime.Worker { return &failing{} }
func (broken) Warnings() []error         { return nil }

func TestRunFails(t *testing.T) {
	net, _ := Shape("lenet5")
	if _, err := new(Result).run(net, broken{}, Options{Threads: 1, Batch: 1}); err == nil {
		t.Error("a failing worker was measured")
	}
}

// TestScales: the input's largest magnitude is 1, and every layer has a scale.
func TestScales(t *testing.T) {
	net, _ := Shape("lenet5")
	Randomize(net)
	scales, err := Scales(net)
	if err != nil || len(scales) != len(net.Layers) {
		t.Fatal(scales, err)
	}
	for i, s := range scales {
		if !(s > 0) || i == 0 && math.Abs(float64(s)*127-1) > 1e-6 {
			t.Errorf("layer %d has the scale %g", i, s)
		}
	}
}

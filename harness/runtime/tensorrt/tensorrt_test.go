package tensorrt

import (
	"context"
	"math"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/fashionmnist"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

// shipped prepares a shipped network with min-max scales over the first
// calibration pictures, and reads n test pictures.
func shipped(t testing.TB, name string, n int) (m runtime.Model, pixels []byte, labels []int) {
	t.Helper()
	z, _ := zoo.Named(name)
	net, err := caffe.ReadFS(zoo.Files(), z.Prototxt, z.Caffemodel)
	if err != nil {
		t.Fatal(err)
	}
	m = runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: z.Scale}}
	train, _ := read(t, "train", 100)
	pixels, labels = read(t, "test", n)
	m.Scales = minMax(t, m, train)
	return m, pixels, labels
}

func read(t testing.TB, split string, n int) (pixels []byte, labels []int) {
	t.Helper()
	d, err := fashionmnist.Open(split)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		pixels, labels = append(pixels, p.Pixels...), append(labels, p.Label)
	}
	return pixels, labels
}

func minMax(t testing.TB, m runtime.Model, pixels []byte) []float32 {
	t.Helper()
	p, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	scales := make([]float32, len(m.Network.Layers))
	err = p.Worker().Watch(pixels, func(v fp32.View) {
		v.Visit(func(values []float32) {
			for _, x := range values {
				scales[v.Layer.Index] = max(scales[v.Layer.Index], float32(math.Abs(float64(x)))/127)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return scales
}

func correct(t testing.TB, p runtime.Program, pixels []byte, labels []int) int {
	t.Helper()
	scores := make([]float32, 10*len(labels))
	if err := p.NewWorker().Score(pixels, scores); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, label := range labels {
		best := 0
		for c := range 10 {
			if scores[10*i+c] > scores[10*i+best] {
				best = c
			}
		}
		if best == label {
			n++
		}
	}
	return n
}

// The emulation's top-1 stays near fp32's on the shipped networks. (That it is
// exact in its integers is tested in package compute.)
func TestAccuracyNearFloat(t *testing.T) {
	for _, name := range []string{"lenet5", "resnet18"} {
		t.Run(name, func(t *testing.T) {
			m, pixels, labels := shipped(t, name, 500)
			float, err := (fp32.Runtime{}).Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			program, err := (Runtime{}).Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			f, q := correct(t, float, pixels, labels), correct(t, program, pixels, labels)
			t.Logf("of %d: fp32 %d, int8 %d", len(labels), f, q)
			if f < len(labels)*85/100 || q < f-len(labels)/50 {
				t.Errorf("of %d pictures fp32 has %d right, int8 %d", len(labels), f, q)
			}
		})
	}
}

// Every traced tensor is close to the float tensor of the same layer, and the
// fused layers are not there.
func TestTrace(t *testing.T) {
	m, pixels, _ := shipped(t, "resnet18", 1)
	float, err := fp32.PrepareUnfused(m)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{}
	err = float.Worker().Trace(pixels, func(l *models.Layer, v []float32, _ int) { want[l.Name] = append([]float32(nil), v...) })
	if err != nil {
		t.Fatal(err)
	}
	p, err := (Runtime{}).Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	err = p.NewWorker().(runtime.Tracer).Trace(pixels, func(l *models.Layer, v []float32, _ int) {
		seen[l.Name] = true
		if s := sqnr(want[l.Name], v); s < 12 {
			t.Errorf("%s: %.1f dB", l.Name, s)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data", "first_conv_relu", "group0_block0_relu", "group1_block0_conv1_scale", "group1_block0_relu", "global_avg_pool", "fc"} {
		if !seen[name] {
			t.Errorf("layer %s was not shown", name)
		}
	}
	for _, name := range []string{"first_conv", "first_conv_bn", "group0_block0_sum", "group1_block0_proj_scale"} {
		if seen[name] {
			t.Errorf("layer %s is fused, and was shown", name)
		}
	}
}

func sqnr(want, got []float32) float64 {
	signal, noise := 0.0, 0.0
	for i, w := range want {
		signal += float64(w) * float64(w)
		noise += float64(w-got[i]) * float64(w-got[i])
	}
	return 10 * math.Log10(signal/noise)
}

func TestQuantize(t *testing.T) {
	for _, tt := range []struct {
		x, s float32
		want int8
	}{{0.5, 1, 0}, {1.5, 1, 2}, {-0.5, 1, 0}, {-2.5, 1, -2}, {200, 1, 127}, {-200, 1, -128}, {0.3, 0.1, 3}} {
		if got := Quantize(tt.x, tt.s); got != tt.want {
			t.Errorf("Quantize(%v, %v) = %d, want %d", tt.x, tt.s, got, tt.want)
		}
	}
}

func TestQuantizeWeights(t *testing.T) {
	q, s := QuantizeWeights([]float32{1.27, -0.635, 0, 0, -2.54, 0.02}, 3)
	if want := []int8{127, -64, 0, 0, -127, 1}; string(bytes(q)) != string(bytes(want)) {
		t.Errorf("weights %v, want %v", q, want)
	}
	if s[0] != float32(1.27)/127 || s[1] != 1 || s[2] != float32(2.54)/127 {
		t.Errorf("scales %v", s)
	}
}

func bytes(q []int8) []byte {
	b := make([]byte, len(q))
	for i, v := range q {
		b[i] = byte(v)
	}
	return b
}

// A tensor without a usable scale is an error that names the layer.
func TestScaleErrors(t *testing.T) {
	m, _, _ := shipped(t, "lenet5", 1)
	m.Scales[m.Network.Layer("conv2").Index] = 0
	if _, err := (Runtime{}).Prepare(m); err == nil {
		t.Error("a scale of 0 was accepted")
	}
	m.Scales = nil
	if _, err := (Runtime{}).Prepare(m); err == nil {
		t.Error("a missing table was accepted")
	}
}

package tensorrt

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/models"
)

// least is the signal-to-noise ratio in dB below which a layer is wrong rather
// than coarse. 127 steps over the largest of many values, 4 deviations or so,
// give about 40 dB; products and every layer of a deep network lose some, and the
// networks here come down to 25. A wrong scale, channel or weight gives less
// than 15.
const least = 22

// TestFamilies prepares and runs in int8 every network that the fp32 runtime is
// compared with OpenCV on, and looks at every layer.
func TestFamilies(t *testing.T) {
	paths, _ := filepath.Glob("../fp32/testdata/opencv/*.prototxt")
	if len(paths) < 16 {
		t.Fatalf("%d networks", len(paths))
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".prototxt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(len(name)), 9))
			net := random(t, string(text), r)
			spread(net, r)
			pre := datasets.Preprocess{Mean: make([]float32, net.Input().Out.C), Scale: 1.0 / 64}
			for i := range pre.Mean {
				pre.Mean[i] = 128
			}
			m := runtime.Model{Network: net, Preprocess: pre}
			m.Scales = minMax(t, m, noise(r, 20*net.Input().Out.Len()))
			looksRight(t, m, noise(r, net.Input().Out.Len()))
		})
	}
}

// spread keeps the values of deep networks in range: the kernels' variance is
// that of He.
func spread(net *models.Network, r *rand.Rand) {
	for _, l := range net.Layers {
		switch l.Op.(type) {
		case models.Convolution, models.InnerProduct:
			w := l.Weights[0].Data
			for i := range w {
				w[i] = float32(r.NormFloat64()) * float32(math.Sqrt(2*float64(l.Out.C)/float64(len(w))))
			}
		}
	}
}

func looksRight(t *testing.T, m runtime.Model, pixels []byte) {
	program, err := (Runtime{}).Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	want := floatLayers(t, m, pixels)
	seen, worst, at := 0, 1e9, ""
	err = program.NewWorker().(runtime.Tracer).Trace(pixels, func(l *models.Layer, v []float32, _ int) {
		seen++
		s := sqnr(want[l.Name], v)
		if s < worst {
			worst, at = s, l.Name
		}
		if !(s >= least) {
			t.Errorf("%s (%s): %.1f dB", l.Name, l.Type, s)
		}
	})
	if err != nil || seen < 3 {
		t.Fatalf("%d layers, %v", seen, err)
	}
	t.Logf("%d tensors, the worst %.1f dB (%s)", seen, worst, at)
	scores := make([]float32, 17*m.Network.Output().Out.Len())
	batch := []byte(strings.Repeat(string(pixels), 17))
	if err := program.NewWorker().Score(batch, scores); err != nil {
		t.Fatal(err)
	}
	if s := sqnr(want[m.Network.Output().Name], scores[:len(scores)/17]); !(s >= least) {
		t.Errorf("the output has %.1f dB", s)
	}
}

// Layers that run in float32 are named, and only they.
func TestFloatLayersAreNamed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	net := random(t, everything, r)
	m := runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: 1.0 / 128}}
	m.Scales = minMax(t, m, noise(r, 20*net.Input().Out.Len()))
	p, err := (Runtime{}).Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	var f *FloatLayers
	if w := p.Warnings(); len(w) != 1 || !errors.As(w[0], &f) {
		t.Fatal(w)
	}
	for _, want := range []string{`test.prototxt: `, `"lrn" (LRN, line 11)`, `"prelu" (PReLU`, `"max" (Eltwise`, `"sigmoid" (Sigmoid`} {
		if !strings.Contains(f.Error(), want) {
			t.Errorf("%q does not say %s", f, want)
		}
	}
	for _, l := range f.Layers {
		switch l.Op.(type) {
		case models.Convolution, models.Deconvolution, models.InnerProduct, models.Concat, models.Pooling, models.Softmax:
			t.Errorf("%s runs in int8, or is the final Softmax", l.Name)
		}
	}
	m, _, _ = shipped(t, "lenet5", 1)
	if p, err = (Runtime{}).Prepare(m); err != nil || len(p.Warnings()) != 0 {
		t.Errorf("%v, %v", p.Warnings(), err)
	}
}

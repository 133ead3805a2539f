package harness

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"quantbench/datasets/decoded"
	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
	"quantbench/models/caffe"
)

// handmade is a network of two fully connected layers with steps 2, 20 and 36.
// Weights are whole numbers of their steps but for 100.4, which becomes 100.
func handmade(t *testing.T) runtime.Model {
	t.Helper()
	net, err := caffe.ParseNetwork("handmade.prototxt", []byte(`
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 1 dim: 1 } } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 2 bias_term: false } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 1 bias_term: false } }`))
	if err != nil {
		t.Fatal(err)
	}
	net.Layers[1].Weights = []models.Blob{{Shape: []int{2, 2}, Data: []float32{127, 64, 100.4, 127}}}
	net.Layers[2].Weights = []models.Blob{{Shape: []int{1, 2}, Data: []float32{1, 1}}}
	return runtime.Model{Network: net, Scales: []float32{2, 20, 36}}
}

// The pixels 3 and 8 become 4 and 8. In fp32 ip1 is 893 and 1317.2, ip2 2210.2.
// Accumulated: 1020 and 1416, in steps of 20 1020 and 1420; ip2 is 2440, in steps
// of 36 2448. Local: ip1 is the same; ip2 adds 900 and 1320, in steps of 36 2232.
func TestErrorsByHand(t *testing.T) {
	m := handmade(t)
	program, err := tensorrt.Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	pix, err := decoded.Memory(context.Background(), 1, 2, 1, func(_ context.Context, _ int, dst []byte) error {
		copy(dst, []byte{3, 8})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &prepared{net: &network{Network: m.Network}, pix: &pixels{size: 2, labels: []int{0}, Pictures: pix}, model: m, program: program}
	list, err := bothErrors(context.Background(), p, 1)
	if err != nil {
		t.Fatal(err)
	}
	sqnr := func(signal, noise float64) float64 { return 10 * math.Log10(signal/noise) }
	ip1 := 893*893 + 1317.2*1317.2
	want := []struct {
		layer               string
		sqnr, local, cosine float64
		codes               float64
	}{
		{"data", sqnr(73, 1), sqnr(73, 1), (3*4 + 8*8) / math.Sqrt(73*80), 2},
		{"ip1", sqnr(ip1, 127*127+102.8*102.8), sqnr(ip1, 127*127+102.8*102.8), (893*1020 + 1317.2*1420) / math.Sqrt(ip1*(1020*1020+1420*1420)), 2},
		{"ip2", sqnr(2210.2*2210.2, 237.8*237.8), sqnr(2210.2*2210.2, 21.8*21.8), 1, 1},
	}
	if len(list) != len(want) {
		t.Fatalf("%d layers, want %d", len(list), len(want))
	}
	for i, w := range want {
		l := list[i]
		near := func(name string, got, want float64) {
			if math.Abs(got-want) > 1e-4 {
				t.Errorf("%s: %s is %g, want %g", w.layer, name, got, want)
			}
		}
		near("SQNR", l.SQNR, w.sqnr)
		near("local SQNR", *l.Local, w.local)
		near("cosine", l.Cosine, w.cosine)
		near("unused codes", *l.Unused, 1-w.codes/256)
		if l.Layer != w.layer || l.Saturation != 0 || l.Dead != 0 {
			t.Errorf("layer %+v, want %s without saturated and dead elements", l, w.layer)
		}
	}
}

func TestLayerSum(t *testing.T) {
	var s layerSum
	s.add([]float32{0, 0.4, -0.4, 300}, []float32{0, 0, 0, 127}, 1, 1)
	r := layerRecords(&models.Network{Layers: []*models.Layer{{Name: "x"}}}, []layerSum{s}, []float32{1})[0]
	if r.Dead != 0.5 || r.Saturation != 0.25 || *r.Unused != 254.0/256 {
		t.Errorf("dead %g, saturated %g, unused %g; want 0.5, 0.25 and 254/256", r.Dead, r.Saturation, *r.Unused)
	}
	var zero layerSum
	zero.add([]float32{0}, []float32{0}, 0, 1)
	if zero.cosine() != 1 || zero.sqnr() != maxSQNR {
		t.Errorf("equal zeros have cosine %g and %g dB", zero.cosine(), zero.sqnr())
	}
	var lost layerSum
	lost.add([]float32{1}, []float32{0}, 0, 1)
	if lost.cosine() != 0 || lost.sqnr() != 0 {
		t.Errorf("a lost signal has cosine %g and %g dB", lost.cosine(), lost.sqnr())
	}
}

const analysed = `
version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 192, calibration: {images: 40, batch: 20}}]
matrix:
  calibrator: [minmax]
  mode: [per-kernel]
  input: [quantized, nvdla_runtime]
layers: {sensitivity: 64, waterfall: true}
`

// The steps of every waterfall add up to the measured difference, in pictures,
// and a second run takes all of it from the store.
func TestAnalysis(t *testing.T) {
	dir := t.TempDir()
	passes := 0
	count := func(ev Event) {
		if ev.Kind == PassProgress {
			passes++
		}
	}
	run := mustRun(t, experiment(t, dir, analysed, count))
	if passes == 0 {
		t.Error("no pass was reported")
	}
	cells := 0
	for _, c := range run.Cells {
		if c.Runtime == FP32 {
			continue
		}
		cells++
		if c.Analysis == nil || c.Analysis.Waterfall == nil || c.Analysis.Sensitivity == nil {
			t.Fatalf("%s %s has no analysis: %+v", c.Runtime, c.InputMode, c.Analysis)
		}
		if a := c.Analysis; a.Pictures != 32 || len(a.Layers) < 7 || a.Layers[0].Local == nil || a.Layers[1].SQNR != c.Layers[1].SQNR {
			t.Errorf("%s %s: layers %+v of %d pictures", c.Runtime, c.InputMode, a.Layers, a.Pictures)
		}
		checkWaterfall(t, &c)
		checkSensitivity(t, &c)
	}
	if cells != 3 {
		t.Errorf("%d int8 cells, want 3", cells)
	}
	passes = 0
	again := mustRun(t, experiment(t, dir, analysed, count))
	if passes != 0 || string(asJSON(t, again)) != string(asJSON(t, run)) {
		t.Errorf("a second run makes %d passes, or another result", passes)
	}
}

func checkWaterfall(t *testing.T, c *record.Cell) {
	t.Helper()
	w := c.Analysis.Waterfall
	right := w.Start
	var names []string
	for _, s := range w.Steps {
		right += s.Won - s.Lost
		if s.Correct != right {
			t.Errorf("%s %s: %d pictures right after %s, the steps add up to %d", c.Runtime, c.InputMode, s.Correct, s.Name, right)
		}
		names = append(names, s.Name)
	}
	if right != w.End || w.End != c.Correct || w.Reference != c.Reference || w.End-w.Start != c.Won-c.Lost || w.Images != c.Images {
		t.Errorf("%s %s: steps from %d lead to %d, the cell has %d right (%d won, %d lost)", c.Runtime, c.InputMode, w.Start, right, c.Correct, c.Won, c.Lost)
	}
	want := []string{record.StepWeights, record.StepActivations}
	if c.Runtime == NVDLA {
		want = append(want, record.StepTies)
	}
	want = append(want, record.StepInteger)
	if c.InputMode == "nvdla_runtime" {
		want = append(want, record.StepInput)
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s %s: steps %q, want %q", c.Runtime, c.InputMode, names, want)
	}
	if w.Agreement < 0.9 {
		t.Errorf("%s %s: the emulation agrees with the program on %g", c.Runtime, c.InputMode, w.Agreement)
	}
}

func checkSensitivity(t *testing.T, c *record.Cell) {
	t.Helper()
	s := c.Analysis.Sensitivity
	if s.Images != 64 || len(s.Layers) < 5 || s.Float.Difference != 0 {
		t.Errorf("%s: %d pictures, %d layers, fp32 differs from itself by %g", c.Runtime, s.Images, len(s.Layers), s.Float.Difference)
	}
	for _, l := range s.Layers {
		if l.Only.Correct != s.Float.Correct+l.Only.Won-l.Only.Lost || l.Without.Correct != s.Int8.Correct+l.Without.Won-l.Without.Lost {
			t.Errorf("%s: %s: counts do not fit together: %+v", c.Runtime, l.Layer, l)
		}
	}
}

// The residual network has the compiler's fault in sums, so that its waterfall
// has a step for it.
func TestWaterfallOverride(t *testing.T) {
	run := mustRun(t, experiment(t, t.TempDir(), `
version: 1
models: [resnet18]
datasets: [{name: fashion-mnist, images: 64, calibration: {images: 40, batch: 20}}]
matrix: {runtime: [fp32, nvdla-int8], calibrator: [minmax]}
layers: {waterfall: true}
`, nil))
	c := run.Cells[1]
	if c.Analysis == nil || c.Analysis.Waterfall == nil {
		t.Fatalf("no waterfall: %+v", c.Analysis)
	}
	w, right, override := c.Analysis.Waterfall, c.Analysis.Waterfall.Start, false
	for _, s := range w.Steps {
		right += s.Change()
		override = override || s.Name == record.StepOverride && !s.Emulated
	}
	if right != c.Correct || !override || c.Analysis.Sensitivity != nil {
		t.Errorf("the steps lead to %d, the cell has %d right: %+v", right, c.Correct, w.Steps)
	}
}

func TestLayers(t *testing.T) {
	e := experiment(t, t.TempDir(), small, nil)
	list, err := e.Layers(context.Background(), LayersRequest{Images: 16, Waterfall: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Images != 16 || len(list[0].Errors) != 7 || list[1].Errors[0].Local == nil || list[1].Analysis.Waterfall == nil {
		t.Fatalf("reports %+v", list)
	}
	var config *ConfigError
	if _, err := e.Layers(context.Background(), LayersRequest{Select: Point{Model: "none"}}); !errors.As(err, &config) {
		t.Errorf("a model that the configuration lacks: %v", err)
	}
	list, err = e.Layers(context.Background(), LayersRequest{Images: 8, Select: Point{Runtime: NVDLA, Mode: "per-kernel"}})
	if err != nil || len(list) != 1 || list[0].Analysis != nil || list[0].Cell != "lenet5 / fashion-mnist / nvdla-int8 / minmax / per-kernel / nv_small" {
		t.Errorf("%v: %+v", err, list)
	}
}

// Without an fp32 cell there is no waterfall, and the run says why.
func TestWaterfallWithoutReference(t *testing.T) {
	const text = `
version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 64, calibration: {images: 40, batch: 20}}]
matrix: {runtime: [fp32, tensorrt-int8], calibrator: [minmax], exclude: [{runtime: fp32}]}
layers: {sensitivity: 16, waterfall: true}
`
	run := mustRun(t, experiment(t, t.TempDir(), text, nil))
	a := run.Cells[0].Analysis
	if a == nil || a.Sensitivity == nil || a.Waterfall != nil || !strings.Contains(a.Reason, "begins at the fp32 cell") {
		t.Errorf("analysis %+v", a)
	}
	if s := run.Manifest.Skipped; len(s) != 1 || !strings.HasPrefix(s[0].What, "layers of lenet5") {
		t.Errorf("skipped %+v", s)
	}
	if _, err := experiment(t, t.TempDir(), text, nil).Layers(context.Background(), LayersRequest{Waterfall: true}); err == nil || !strings.Contains(err.Error(), "begins at the fp32 cell") {
		t.Errorf("error %v", err)
	}
}

func TestLayersConfig(t *testing.T) {
	for text, want := range map[string]string{
		"layers: {sensitivity: -1}":                                "sensitivity is -1",
		"matrix: {runtime: nvdla-int8}\nlayers: {waterfall: true}": "begins at fp32",
	} {
		_, err := ParseConfig("test.yaml", []byte("version: 1\nmodels: [lenet5]\ndatasets: [fashion-mnist]\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

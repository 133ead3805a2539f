package harness

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := ParseConfig("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseConfigDefaults(t *testing.T) {
	c := parse(t, "version: 1\nmodels: [lenet5]\ndatasets: [fashion-mnist]\n")
	want := Matrix{
		Model: []string{"lenet5"}, Dataset: []string{"fashion-mnist"}, Runtime: []string{FP32, TensorRT, NVDLA},
		Calibrator: []CalibratorSpec{{Name: "entropy2"}}, Mode: []string{"per-filter"}, Target: []string{"nv_small"},
		Profile: []string{"fast-math"}, Input: []string{"quantized"},
	}
	if diff := cmp.Diff(want, c.Matrix); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(CalibrationSpec{Split: "train", Images: []int{500}, Batch: 50}, c.Datasets[0].Calibration); diff != "" {
		t.Error(diff)
	}
}

// A single value stands for a list of one, and a bare name for a mapping.
func TestParseConfigShorthands(t *testing.T) {
	c := parse(t, "version: 1\nmodels: lenet5\ndatasets: [{name: fashion-mnist, images: 7}]\nmatrix: {calibrator: {name: percentile, percent: 99.9}}\n")
	if got := c.Matrix.Calibrator[0].Label(); got != "percentile-99.9" {
		t.Errorf("label %q", got)
	}
	if c.Models[0].Zoo != "lenet5" {
		t.Errorf("model %+v", c.Models[0])
	}
}

// Names keep their capitals and dots.
func TestParseConfigKeepsNames(t *testing.T) {
	c := parse(t, "version: 1\nmodels: [{name: ResNet.18/A, prototxt: p, caffemodel: c}]\ndatasets: [fashion-mnist]\n")
	if got := c.Matrix.Model[0]; got != "ResNet.18/A" {
		t.Errorf("name %q", got)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"scalar root", "7", `test.yaml:1:1: expected fields (version, title, models, datasets, matrix, gate, imports, certificates, layers), found "7"`},
		{"list for a text", "version: 1\ntitle: [a]", "test.yaml:2:8: expected a text, found a list"},
		{"mapping for a number", "version: {a: 1}", "test.yaml:1:10: expected a whole number, found a mapping"},
		{"no name", "version: 1\nmodels: [{zoo: lenet5}]", "a model needs a name"},
		{"two of a name", "version: 1\nmodels: [lenet5, lenet5]", `two models are called "lenet5"`},
		{"no caffemodel", "version: 1\nmodels: [{name: a, prototxt: p}]", "no caffemodel"},
		{"two datasets", "version: 1\ndatasets: [mnist, mnist]", "listed twice"},
		{"negative", "version: 1\ndatasets: [{name: mnist, images: -1}]", "cannot be negative"},
		{"split", "version: 1\ndatasets: [{name: mnist, calibration: {split: tran}}]", `did you mean "train"`},
		{"percent", "version: 1\nmatrix: {calibrator: {name: percentile, percent: 101}}", "between 0 and 100"},
		{"table without files", "version: 1\nmatrix: {calibrator: table}", "needs some: {name: table, files:"},
		{"files of another", "version: 1\nmatrix: {calibrator: {name: minmax, files: [{model: a, path: b}]}}", "files belong to the calibrator"},
		{"gate", "version: 1\ngate: {max_loss: -1}", "from 0 to 100"},
		{"include", "version: 1\nmatrix: {include: [{runtime: fp16}]}", `unknown runtime "fp16"`},
		{"preprocess", "version: 1\nmodels: [{name: a, prototxt: p, caffemodel: c, preprocess: {order: gbr}}]", "preprocess of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseConfig("test.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzParseConfig: no configuration makes the parser or the expansion panic.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("version: 1\nmodels: [lenet5]\ndatasets: [fashion-mnist]\nmatrix: {calibrator: [entropy2, {name: percentile, percent: 99}], exclude: [{mode: per-kernel}]}\n"))
	f.Add([]byte("version: 1\nmodels: &a [lenet5]\ndatasets: *a\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ParseConfig("fuzz.yaml", data); err == nil {
			c.Matrix.Expand()
		}
	})
}

func TestExpand(t *testing.T) {
	m := Matrix{
		Model: []string{"a", "b"}, Dataset: []string{"d"}, Runtime: []string{FP32, TensorRT, NVDLA},
		Calibrator: []CalibratorSpec{{Name: "entropy2"}, {Name: "minmax"}}, Mode: []string{"per-filter", "per-kernel"},
		Target: []string{"nv_small"}, Profile: []string{"fast-math"}, Input: []string{"quantized"},
		Exclude: []Point{{Model: "b", Runtime: NVDLA, Mode: "per-kernel"}, {Model: "b", Runtime: TensorRT}},
		Include: []Point{{Model: "b", Runtime: NVDLA, Calibrator: "minmax", Mode: "per-kernel"}},
	}
	var got []string
	for _, p := range m.Expand() {
		got = append(got, p.String())
	}
	want := []string{
		"a / d / fp32",
		"a / d / tensorrt-int8 / entropy2", "a / d / tensorrt-int8 / minmax",
		"a / d / nvdla-int8 / entropy2 / per-filter / nv_small", "a / d / nvdla-int8 / entropy2 / per-kernel / nv_small",
		"a / d / nvdla-int8 / minmax / per-filter / nv_small", "a / d / nvdla-int8 / minmax / per-kernel / nv_small",
		"b / d / fp32",
		"b / d / nvdla-int8 / entropy2 / per-filter / nv_small", "b / d / nvdla-int8 / minmax / per-filter / nv_small",
		"b / d / nvdla-int8 / minmax / per-kernel / nv_small",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

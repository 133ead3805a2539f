package harness

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/calibrate"
	"quantbench/harness/table"
	"quantbench/models/zoo"
)

// lenetFiles writes the shipped LeNet as files of the user's.
func lenetFiles(t *testing.T) ModelSpec {
	t.Helper()
	dir := t.TempDir()
	m, _ := zoo.Named("lenet5")
	spec := ModelSpec{Prototxt: filepath.Join(dir, "n.prototxt"), Caffemodel: filepath.Join(dir, "n.caffemodel"), Preprocess: &datasets.Preprocess{Scale: m.Scale}}
	for from, to := range map[string]string{m.Prototxt: spec.Prototxt, m.Caffemodel: spec.Caffemodel} {
		data, err := fs.ReadFile(zoo.Files(), from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return spec
}

func single(t *testing.T) Calibration {
	t.Helper()
	minmax, _ := calibrate.Named("minmax", nil)
	return Calibration{
		Model: ModelSpec{Zoo: "lenet5"}, Dataset: DatasetSpec{Name: "fashion-mnist"},
		Pictures: []PictureRange{{"train", 0, 30}, {"test", 5, 15}}, Batches: calibrate.Options{Batch: 8},
		Calibrators: []calibrate.Calibrator{calibrate.Entropy2{}, minmax},
	}
}

func TestCalibrate(t *testing.T) {
	c := single(t)
	got, err := Calibrate(t.Context(), Environment{Jobs: 2}, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 2 || got.Results[1].Calibrator != "minmax" || got.Statistics.Layers[0].Pictures != 40 {
		t.Fatalf("%d results of %d pictures", len(got.Results), got.Statistics.Layers[0].Pictures)
	}
	// The same network as files, and the same statistics given: the same choices.
	c.Model = lenetFiles(t)
	files, err := Calibrate(t.Context(), Environment{}, c)
	if err != nil {
		t.Fatal(err)
	}
	c.Statistics, c.Dataset.Name = got.Statistics, ""
	again, err := Calibrate(t.Context(), Environment{}, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Results {
		for _, other := range []*Calibrated{files, again} {
			if !reflect.DeepEqual(other.Results[i].Scales, got.Results[i].Scales) {
				t.Errorf("%s: %v, want %v", got.Results[i].Calibrator, other.Results[i].Scales, got.Results[i].Scales)
			}
		}
	}
	cache, text, err := got.Tables(got.Results[0])
	if err != nil {
		t.Fatal(err)
	}
	if tab, err := table.ReadCache("c", cache); err != nil || len(tab.Rows) != len(got.Network.Layers) {
		t.Error(tab, err)
	}
	if _, err := table.ReadJSON("j", text); err != nil {
		t.Error(err)
	}
}

func TestCalibrateErrors(t *testing.T) {
	for want, change := range map[string]func(*Calibration){
		"train":              func(c *Calibration) { c.Pictures[0].To = 1 << 30 },
		"no pictures":        func(c *Calibration) { c.Pictures = nil },
		"cifar10":            func(c *Calibration) { c.Dataset.Name = "cifar10" },
		"does not exist":     func(c *Calibration) { c.Model = ModelSpec{Prototxt: "/nowhere", Caffemodel: "/nowhere"} },
		"collect them again": func(c *Calibration) { c.Statistics = &calibrate.Statistics{} },
		"pictures 9:9":       func(c *Calibration) { c.Pictures[0] = PictureRange{"train", 9, 9} },
	} {
		c := single(t)
		change(&c)
		if _, err := Calibrate(t.Context(), Environment{}, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	c := single(t)
	c.Dataset.Name = "mnist"
	var missing *datasets.MissingError
	if _, err := Calibrate(t.Context(), Environment{DataDirs: []string{t.TempDir()}}, c); !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestCompareWith(t *testing.T) {
	got, err := Calibrate(t.Context(), Environment{}, single(t))
	if err != nil {
		t.Fatal(err)
	}
	scales := append([]float32(nil), got.Results[0].Scales...)
	scales[0] *= 1.0005 // within 0.1 %, and another bin
	scales[7] *= 1.03   // ip2: within 5 %
	scales[8] *= 2
	cache, err := table.Cache(got.Network, scales, "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := got.CompareWith(cache)
	if err != nil {
		t.Fatal(err)
	}
	c := f.Columns[0]
	if len(f.Layers) != 7 || c.Within != [3]int{5, 5, 6} || c.SameBin != 4 || f.Columns[1].SameBin != -1 {
		t.Errorf("%d layers, %+v", len(f.Layers), c)
	}
	if want := (math.Log(1.0005) + math.Log(1.03) + math.Log(2)) / 7; math.Abs(c.MeanLog-want) > 1e-6 {
		t.Errorf("%v, want %v", c.MeanLog, want)
	}
	cache.Rows = cache.Rows[1:]
	if _, err := got.CompareWith(cache); err == nil {
		t.Error("a row is missing")
	}
	got.Results = nil
	if _, err := got.CompareWith(cache); err == nil {
		t.Error("nothing to compare")
	}
}

func TestCalibratorParameters(t *testing.T) {
	c := parse(t, "version: 1\nmodels: lenet5\ndatasets: [fashion-mnist]\nmatrix: {calibrator: [{name: ort-entropy, bins: 512}, {name: ort-percentile, percent: 99}, tvm-kl]}\n")
	var labels []string
	for _, s := range c.Matrix.Calibrator {
		labels = append(labels, s.Label())
	}
	if got := strings.Join(labels, " "); got != "ort-entropy-512 ort-percentile-99 tvm-kl" {
		t.Error(got)
	}
	for text, want := range map[string]string{
		"{name: entropy2, percent: 99}":  `no parameter "percent"`,
		"{name: ort-entropy, bins: 100}": "power of two",
	} {
		_, err := ParseConfig("c.yaml", []byte("version: 1\nmodels: lenet5\ndatasets: [fashion-mnist]\nmatrix: {calibrator: "+text+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

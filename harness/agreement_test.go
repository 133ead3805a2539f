package harness

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/fashionmnist"
	"quantbench/harness/fold"
	"quantbench/harness/modelstore"
	"quantbench/harness/runtime"
	"quantbench/models/caffe"
	networks "quantbench/models/catalogue"
	"quantbench/models/zoo"
)

// A folded network agrees with its original on real pictures, whatever the number
// of jobs; another network does not.
func TestAgree(t *testing.T) {
	net, err := caffe.ReadFS(zoo.Files(), "resnet18/deploy.prototxt", "resnet18/resnet18.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	pre := datasets.Preprocess{Scale: 1.0 / 256}
	r, err := fold.Fold(net, fold.Options{Preprocess: pre})
	if err != nil || !r.Raw() || len(r.Layers) != 38 {
		t.Fatal(r, err)
	}
	d, err := fashionmnist.Open("test")
	if err != nil {
		t.Fatal(err)
	}
	before, after := runtime.Model{Network: net, Preprocess: pre}, runtime.Model{Network: r.Network, Preprocess: r.Preprocess}
	told := 0
	one, err := Agree(context.Background(), d, 200, 1, before, after, func(done, total int) { told = done * 1000 / total })
	if err != nil || !one.Equal() || one.Images != 200 || one.Before != one.After || one.Before < 170 || one.Largest == 0 || told != 1000 {
		t.Fatalf("%+v %v", one, err)
	}
	if two, err := Agree(context.Background(), d, 200, 3, before, after, nil); err != nil || *two != *one {
		t.Errorf("%+v %v", two, err)
	}
	after.Preprocess = pre // scaled twice
	if wrong, err := Agree(context.Background(), d, 64, 2, before, after, nil); err != nil || wrong.Equal() || wrong.Changed == 0 {
		t.Errorf("%+v %v", wrong, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Agree(ctx, d, 64, 2, before, after, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A network with a mean, fed by nvdla_runtime's fixed map: folded it loses no more
// than with its own quantization, as it is it loses much.
func TestFoldedForRuntimeInput(t *testing.T) {
	dataDir := os.Getenv("BENCH_DATA")
	if dataDir == "" || testing.Short() {
		t.Skip("BENCH_DATA is not set, or -short: ResNet-20 and CIFAR-10 do not ship")
	}
	e, _ := networks.Named("resnet20-cifar10")
	net, err := modelstore.Source{Name: e.Name}.Open([]string{dataDir}, true)
	if err != nil {
		t.Fatal(err)
	}
	r, err := fold.Fold(net, fold.Options{Preprocess: modelstore.Preprocess(e.Preprocess), Mean: fold.Layer})
	if err != nil || !r.Raw() {
		t.Fatal(r, err)
	}
	var text, weights bytes.Buffer
	if err := errors.Join(caffe.WriteNetwork(&text, r.Network), caffe.WriteWeights(&weights, r.Network)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, "f.prototxt", text.Bytes())
	put(t, dir, "f.caffemodel", weights.Bytes())
	x := experiment(t, t.TempDir(), `version: 1
models: [resnet20-cifar10, {name: folded, prototxt: f.prototxt, caffemodel: f.caffemodel}]
datasets: [{name: cifar10, images: 128, calibration: {images: 60, batch: 20}}]
matrix: {runtime: nvdla-int8, calibrator: minmax, input: [quantized, nvdla_runtime]}`, nil)
	x.env.DataDirs, x.cfg.File = []string{dataDir}, filepath.Join(dir, "x.yaml")
	correct := map[string]int{}
	for _, c := range mustRun(t, x).Cells {
		correct[c.Model+" "+c.InputMode] = c.Correct
	}
	t.Log(correct)
	if q, f := correct["folded quantized"], correct["folded nvdla_runtime"]; f < q-3 || f < correct["resnet20-cifar10 quantized"]-5 {
		t.Errorf("folded: %d with the fixed map, %d quantized", f, q)
	}
	if correct["resnet20-cifar10 nvdla_runtime"] > correct["folded nvdla_runtime"]-5 {
		t.Errorf("not folded: %d with the fixed map", correct["resnet20-cifar10 nvdla_runtime"])
	}
}

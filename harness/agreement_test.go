package harness

import (
	"context"
	"errors"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/fashionmnist"
	"quantbench/harness/fold"
	"quantbench/harness/runtime"
	"quantbench/models/caffe"
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

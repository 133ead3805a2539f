package caffe

import (
	"os"
	"path/filepath"
	"testing"

	"quantbench/models"
)

// dataDir is the folder of real files, or skips the test.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: real models are not available")
	}
	return dir
}

// realModel is a network of the data folder and what it must be like.
type realModel struct {
	prototxt, caffemodel string
	in, out              models.Shape
	batch, layers        int
	parameters           int
}

var realModels = []realModel{
	{"article/lenet-mnist-caffe/lenet/lenet.prototxt", "article/lenet-mnist-caffe/lenet/lenet.caffemodel", models.Shape{C: 1, H: 28, W: 28}, models.Shape{C: 10, H: 1, W: 1}, 1, 9, 431080},
	{"lenet-bvlc/lenet.prototxt", "lenet-bvlc/lenet_iter_10000.caffemodel", models.Shape{C: 1, H: 28, W: 28}, models.Shape{C: 10, H: 1, W: 1}, 64, 9, 431080},
	{"caffe-v1/examples/mnist/lenet.prototxt", "caffe-v1/examples/mnist/lenet_iter_10000.caffemodel", models.Shape{C: 1, H: 28, W: 28}, models.Shape{C: 10, H: 1, W: 1}, 64, 9, 431080},
	{"caffe-v1/examples/cifar10/cifar10_full.prototxt", "caffe-v1/examples/cifar10/cifar10_full_iter_70000.caffemodel", models.Shape{C: 3, H: 32, W: 32}, models.Shape{C: 10, H: 1, W: 1}, 1, 14, 89578},
	{"caffe-v1/examples/cifar10/cifar10_quick.prototxt", "caffe-v1/examples/cifar10/cifar10_quick_iter_5000.caffemodel", models.Shape{C: 3, H: 32, W: 32}, models.Shape{C: 10, H: 1, W: 1}, 1, 13, 145578},
	{"article/resnet18-cifar10-caffe/deploy.prototxt", "article/resnet18-cifar10-caffe/resnet-18.caffemodel", models.Shape{C: 3, H: 32, W: 32}, models.Shape{C: 10, H: 1, W: 1}, 1, 86, 200477},
	{"resnet20-cifar10/resnet20-cifar10.prototxt", "resnet20-cifar10/resnet20-cifar10.caffemodel", models.Shape{C: 3, H: 32, W: 32}, models.Shape{C: 10, H: 1, W: 1}, 1, 91, 273677},
	{"squeezenet/deploy.prototxt", "squeezenet/squeezenet_v1.1_fp16.caffemodel", models.Shape{C: 3, H: 227, W: 227}, models.Shape{C: 1000, H: 1, W: 1}, 10, 67, 1235496},
	{"article/resnet18-imagenet-caffe/deploy.prototxt", "", models.Shape{C: 3, H: 224, W: 224}, models.Shape{C: 1000, H: 1, W: 1}, 1, 93, 11703485},
}

func openReal(t testing.TB, m realModel) *models.Network {
	t.Helper()
	dir := filepath.Join(dataDir(t), "models")
	weights := m.caffemodel
	if weights != "" {
		weights = filepath.Join(dir, weights)
	}
	net, err := Read(filepath.Join(dir, m.prototxt), weights)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestRealModels(t *testing.T) {
	for _, m := range realModels {
		t.Run(m.prototxt, func(t *testing.T) {
			net := openReal(t, m)
			if net.Input().Out != m.in || net.Output().Out != m.out || net.Batch != m.batch {
				t.Errorf("input %s, output %s, batch %d; want %s, %s, %d", net.Input().Out, net.Output().Out, net.Batch, m.in, m.out, m.batch)
			}
			if len(net.Layers) != m.layers || net.Parameters() != m.parameters {
				t.Errorf("%d layers, %d parameters; want %d, %d", len(net.Layers), net.Parameters(), m.layers, m.parameters)
			}
			for _, w := range net.Warnings {
				t.Error(w)
			}
			sameAfterWriting(t, net)
		})
	}
}

func TestRealCases(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join(dataDir(t), "nvdla-cases", "*", "deploy.prototxt"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		dir := filepath.Dir(c)
		weights := filepath.Join(dir, "net.caffemodel")
		article := filepath.Base(dir) == "r01_lenet_leiwang" // the data folder keeps its weights once
		if article {
			weights = filepath.Join(dataDir(t), "models", "article", "lenet-mnist-caffe", "lenet", "lenet.caffemodel")
		}
		net, err := Read(c, weights)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(net.Warnings) > 0 {
			t.Error(net.Warnings)
		}
		sameAfterWriting(t, net)
		if article {
			continue
		}
		ref, err := os.Stat(filepath.Join(dir, "float_ref_last_top.f32"))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := int64(4 * net.Output().Out.Len()); got != ref.Size() {
			t.Errorf("%s: output %s has %d bytes, the reference %d", c, net.Output().Out, got, ref.Size())
		}
		sameAfterWriting(t, net)
	}
}

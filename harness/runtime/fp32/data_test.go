package fp32

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/cifar"
	"quantbench/datasets/idx"
	"quantbench/harness/runtime"
	"quantbench/models/caffe"
)

// shared is the folder of real data, or a reason to skip.
func shared(t testing.TB) string {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA does not name a folder with real networks and pictures")
	}
	return dir
}

func model(t testing.TB, prototxt, caffemodel string, pre datasets.Preprocess) runtime.Model {
	net, err := caffe.Read(filepath.Join(shared(t), "models", prototxt), filepath.Join(shared(t), "models", caffemodel))
	if err != nil {
		t.Fatal(err)
	}
	return runtime.Model{Network: net, Preprocess: pre}
}

func mnist(t testing.TB) datasets.Dataset {
	d, err := idx.MNIST("test", []string{filepath.Join(shared(t), "mnist")})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func cifar10(t testing.TB) datasets.Dataset {
	d, err := cifar.Open("test", filepath.Join(shared(t), "cifar10", "test_batch_first1017.bin"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// meanImage is the mean of the training pictures at hand: the file that Caffe's
// example computes is not published.
func meanImage(t testing.TB) []float32 {
	d, err := cifar.Open("train", filepath.Join(shared(t), "cifar10", "train_lossless_8068.bin"))
	if err != nil {
		t.Fatal(err)
	}
	n := d.Info().Len
	var sum [3072]float64
	for i := range n {
		pic, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range pic.Pixels {
			sum[k] += float64(v)
		}
	}
	mean := make([]float32, len(sum))
	for i, s := range sum {
		mean[i] = float32(s / float64(n))
	}
	return mean
}

// bytesOf are all pictures of a dataset as a network takes them, and the labels.
func bytesOf(t testing.TB, d datasets.Dataset, m runtime.Model) (pixels []byte, labels []int) {
	in := m.Network.Input().Out
	for i := range d.Info().Len {
		pic, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, in.Len())
		if err := m.Preprocess.Bytes(pic, in.C, in.H, in.W, buf); err != nil {
			t.Fatal(err)
		}
		pixels, labels = append(pixels, buf...), append(labels, pic.Label)
	}
	return pixels, labels
}

// correct counts the pictures whose highest score is their label.
func correct(t testing.TB, p runtime.Program, m runtime.Model, pixels []byte, labels []int) int {
	classes := m.Network.Output().Out.Len()
	scores := make([]float32, len(labels)*classes)
	if err := p.NewWorker().Score(pixels, scores); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, label := range labels {
		best := 0
		for c, s := range scores[i*classes : (i+1)*classes] {
			if s > scores[i*classes+best] {
				best = c
			}
		}
		if best == label {
			n++
		}
	}
	return n
}

// TestPublishedAccuracy counts correct pictures of real networks, fused and not.
// cifar10_full is published with 841 of 1017, for a mean image that is not; with
// the mean image at hand the float64 reference gives 842 too, and a mean image
// in whole numbers 843.
func TestPublishedAccuracy(t *testing.T) {
	for _, c := range []struct {
		name, prototxt, caffemodel string
		pre                        datasets.Preprocess
		data                       func(testing.TB) datasets.Dataset
		want                       int
	}{
		{"lenet-article/256", "article/lenet-mnist-caffe/lenet/lenet.prototxt", "article/lenet-mnist-caffe/lenet/lenet.caffemodel", datasets.Preprocess{Scale: 1.0 / 256}, mnist, 9731},
		{"lenet-article/255", "article/lenet-mnist-caffe/lenet/lenet.prototxt", "article/lenet-mnist-caffe/lenet/lenet.caffemodel", datasets.Preprocess{Scale: 1.0 / 255}, mnist, 9730},
		{"lenet-bvlc", "lenet-bvlc/lenet.prototxt", "lenet-bvlc/lenet_iter_10000.caffemodel", datasets.Preprocess{Scale: 1.0 / 256}, mnist, 9914},
		{"lenet-v1", "caffe-v1/examples/mnist/lenet.prototxt", "caffe-v1/examples/mnist/lenet_iter_10000.caffemodel", datasets.Preprocess{Scale: 1.0 / 256}, mnist, 9905},
		{"cifar10_quick", "caffe-v1/examples/cifar10/cifar10_quick.prototxt", "caffe-v1/examples/cifar10/cifar10_quick_iter_5000.caffemodel", datasets.Preprocess{MeanImage: meanImage(t)}, cifar10, 759},
		{"cifar10_full", "caffe-v1/examples/cifar10/cifar10_full.prototxt", "caffe-v1/examples/cifar10/cifar10_full_iter_70000.caffemodel", datasets.Preprocess{MeanImage: meanImage(t)}, cifar10, 842},
		{"resnet18-article", "article/resnet18-cifar10-caffe/deploy.prototxt", "article/resnet18-cifar10-caffe/resnet-18.caffemodel", datasets.Preprocess{Mean: []float32{128}}, cifar10, 853},
		{"resnet20", "resnet20-cifar10/resnet20-cifar10.prototxt", "resnet20-cifar10/resnet20-cifar10.caffemodel", datasets.Preprocess{Mean: []float32{123.675, 116.28, 103.53}}, cifar10, 932},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := model(t, c.prototxt, c.caffemodel, c.pre)
			pixels, labels := bytesOf(t, c.data(t), m)
			fused, err := Runtime{}.Prepare(m)
			if err != nil {
				t.Fatal(err)
			}
			unfused, err := PrepareUnfused(m)
			if err != nil {
				t.Fatal(err)
			}
			if n := correct(t, fused, m, pixels, labels); n != c.want {
				t.Errorf("fused: %d of %d correct, want %d", n, len(labels), c.want)
			}
			if n := correct(t, unfused, m, pixels, labels); n != c.want {
				t.Errorf("unfused: %d of %d correct, want %d", n, len(labels), c.want)
			}
		})
	}
}

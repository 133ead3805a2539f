package nvdla

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"quantbench/harness/runtime"
	"quantbench/models/caffe"
)

// article reads a published network with its table.
func article(t testing.TB, prototxt, caffemodel, table string) runtime.Model {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the published networks are not here")
	}
	dir = filepath.Join(dir, "models/article")
	net, err := caffe.Read(filepath.Join(dir, prototxt), filepath.Join(dir, caffemodel))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, table))
	if err != nil {
		t.Fatal(err)
	}
	var rows map[string]struct{ Scale float32 }
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	m := runtime.Model{Network: net, Scales: make([]float32, len(net.Layers))}
	for i, l := range net.Layers {
		m.Scales[i] = rows[l.Name].Scale
	}
	return m
}

func benchmark(b *testing.B, m runtime.Model, slow bool) {
	p, err := Runtime{Target: "nv_small"}.Prepare(m)
	if err != nil {
		b.Fatal(err)
	}
	n := 640
	if slow {
		plain := *p.(*program)
		plain.fast, n = nil, 1
		p = &plain
	}
	in := make([]byte, n*m.Network.Input().Out.Len())
	for i := range in {
		in[i] = byte(i * 7)
	}
	scores := make([]float32, n*m.Network.Output().Out.Len())
	w := p.NewWorker()
	b.ResetTimer()
	before := processorTime()
	for range b.N {
		if err := w.Score(in, scores); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "pictures/s")
	if used := processorTime() - before; used > 0 {
		b.ReportMetric(float64(n*b.N)/used.Seconds(), "pictures/cpu-s")
	}
}

func lenet(b *testing.B) runtime.Model {
	return article(b, "lenet-mnist-caffe/lenet/lenet.prototxt", "lenet-mnist-caffe/lenet/lenet.caffemodel", "lenet-mnist-caffe/lenet.int8.json")
}

func cifar(b *testing.B) runtime.Model {
	return article(b, "resnet18-cifar10-caffe/deploy.prototxt", "resnet18-cifar10-caffe/resnet-18.caffemodel", "resnet18-cifar10-caffe/resnet18.cifar10.fixed.json")
}

func BenchmarkLeNet(b *testing.B)          { benchmark(b, lenet(b), false) }
func BenchmarkLeNetSimulator(b *testing.B) { benchmark(b, lenet(b), true) }
func BenchmarkCIFAR(b *testing.B)          { benchmark(b, cifar(b), false) }
func BenchmarkCIFARSimulator(b *testing.B) { benchmark(b, cifar(b), true) }

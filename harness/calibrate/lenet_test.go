package calibrate_test

import (
	"cmp"
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/idx"
	"quantbench/harness/calibrate"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/table"
	"quantbench/models"
	"quantbench/models/caffe"
)

// source runs the unfused float network.
type source struct {
	data    datasets.Dataset
	pre     datasets.Preprocess
	program *fp32.Program
	layers  int
}

func (s source) Layers() int   { return s.layers }
func (s source) Pictures() int { return s.data.Info().Len }
func (s source) Run(ctx context.Context, from, to int, see func(int, []float32)) error {
	pixels := make([]byte, 0, (to-from)*28*28)
	for i := from; i < to; i++ {
		p, err := s.data.Picture(ctx, i)
		if err != nil {
			return err
		}
		pixels = append(pixels, p.Pixels...)
	}
	return s.program.Worker().Watch(pixels, func(v fp32.View) {
		v.Visit(func(x []float32) { see(v.Layer.Index, x) })
	})
}

// articleLeNet is the article's LeNet with the histograms that its table was made of.
func articleLeNet(t *testing.T, dir string) (*models.Network, *calibrate.Statistics) {
	t.Helper()
	art := filepath.Join(dir, "models", "article", "lenet-mnist-caffe")
	net, err := caffe.Read(art+"/lenet/lenet.prototxt", art+"/lenet/lenet.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	data, err := idx.MNIST("train", []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	pre := datasets.Preprocess{Scale: 1. / 255}
	program, err := fp32.PrepareUnfused(runtime.Model{Network: net, Preprocess: pre})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := calibrate.Collect(t.Context(), source{data, pre, program, len(net.Layers)},
		calibrate.Options{Batch: 50, Batches: 10, SkipFirst: true, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return net, stats
}

// The article's LeNet table: all seven bins that TensorRT chose, with its
// ranges. The last digits of a range depend on the order of float sums.
func TestArticleLeNet(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the article's LeNet and MNIST are not part of the repository")
	}
	net, stats := articleLeNet(t, dir)
	r, err := calibrate.Apply(t.Context(), net, stats, calibrate.Entropy2{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	bins := []int{2040, 704, 704, 962, 962, 1153, 1155, 1289, 1081} // pooling as its input
	text, err := os.ReadFile(filepath.Join(dir, "models", "article", "lenet-mnist-caffe", "lenet.calibaration.table"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := table.ReadCache("lenet.calibaration.table", text)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := table.Cache(net, r.Scales, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range r.Tensors {
		row := cache.Rows[i]
		if tensor.Bin != bins[i] || ours.Rows[i].Name != row.Name {
			t.Errorf("%s (%s): bin %d, TensorRT %d", tensor.Layer.Name, ours.Rows[i].Name, tensor.Bin, bins[i])
		}
		if d := math.Abs(float64(row.Scale)/float64(tensor.Scale) - 1); d > 1e-6 {
			t.Errorf("%s: scale %v, TensorRT %v", row.Name, tensor.Scale, row.Scale)
		}
		t.Logf("%-45s m %4d, %d doublings, %08x, TensorRT %08x", row.Name, tensor.Bin, tensor.Doublings, math.Float32bits(tensor.Scale), row.Bits())
	}
}

// The ratios of the other calibrators to the published table, which were worked
// out by an independent program on the same pictures. Its percentiles are taken
// at the upper edge of a bin, those of the replicated programs at the lower one.
func TestArticleLeNetReplicas(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the table of ratios is not part of the repository")
	}
	text, err := os.ReadFile(filepath.Join(dir, "..", "spec", "reference", "replicas_lenet.tsv"))
	if err != nil {
		t.Skip("no table of ratios beside BENCH_DATA:", err)
	}
	net, stats := articleLeNet(t, dir)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	names := strings.Split(lines[0], "\t")
	layers := map[string]string{"fc": "ip1", "ip1": "relu1"} // the table says blobs
	for column, name := range names {
		k, err := calibrate.Parse(strings.Replace(name, "-quant", "", 1))
		if err != nil {
			continue
		}
		r, err := calibrate.Apply(t.Context(), net, stats, k, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines[1:] {
			f := strings.Split(line, "\t")
			layer := cmp.Or(layers[f[0]], f[0])
			bits, _ := strconv.ParseUint(f[1], 16, 32)
			want, _ := strconv.ParseFloat(f[column], 64)
			got := float64(r.Scales[net.Layer(layer).Index]) / float64(math.Float32frombits(uint32(bits)))
			limit := 0.0001
			if strings.HasSuffix(k.Name(), "-percentile") {
				limit = 0.0017 // one bin
			} else if strings.HasPrefix(k.Name(), "percentile") {
				limit = 0.0007 // other histograms
			}
			if math.Abs(got-want) > limit {
				t.Errorf("%s, %s: ratio %.4f, want %.4f", k.Name(), layer, got, want)
			}
		}
	}
}

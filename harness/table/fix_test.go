package table

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/models"
	"quantbench/models/caffe"
)

const toy = `name: "toy"
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "sc" type: "Scale" bottom: "c" top: "c" }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "drop" type: "Dropout" bottom: "c" top: "c" }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "p" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
`

const toyCache = `TRT-7202-EntropyCalibration2
data: 3f800000
(Unnamed Layer* 0) [Convolution]_output: 3f800001
(Unnamed Layer* 1) [Scale]_output: 3f800002
(Unnamed Layer* 2) [Scale]_output: 3f800003
c: 3f800004
p: 3f800004
ip: 3f800005
prob: 3f800006
`

func network(t testing.TB, text string) *models.Network {
	t.Helper()
	n, err := caffe.ParseNetwork("toy.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func cache(t testing.TB, text string) *Table {
	t.Helper()
	c, err := ReadCache("toy.cache", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFix(t *testing.T) {
	f, err := Fix(network(t, toy), cache(t, toyCache))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Warnings) != 0 {
		t.Error(f.Warnings)
	}
	rules := []string{"input", "number", "number", "number", "blob", "same tensor", "blob", "blob", "blob"}
	for i, ulps := range []uint32{0, 1, 2, 3, 4, 4, 4, 5, 6} {
		if got := math.Float32bits(f.Scales()[i]); got != 0x3f800000+ulps || f.Assignments[i].Rule != rules[i] || f.Assignments[i].Evidence == "" {
			t.Errorf("layer %d: %08x by %s", i, got, f.Assignments[i].Rule)
		}
	}
	var names []string
	for _, r := range f.JSON().Rows {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "data c bn sc r p ip prob" {
		t.Error(got)
	}
}

func TestFixRefuses(t *testing.T) {
	n := network(t, toy)
	for name, c := range map[string]struct {
		old, new string
		wants    []string
	}{
		"left over":  {"prob: 3f800006", "prob: 3f800006\nother: 3f800000\nthird: 3f800000", []string{`row "other" (line 10)`, `row "third"`}},
		"missing":    {"p: 3f800004\nip: 3f800005\n", "", []string{"layer p (Pooling, toy.prototxt:8) has no row \"p\"", "layer ip"}},
		"number":     {"(Unnamed Layer* 2)", "(Unnamed Layer* 9)", []string{`no row "(Unnamed Layer* 2) [Scale]_output"`, `row "(Unnamed Layer* 9)`}},
		"no input":   {"data: 3f800000\n", "", []string{"layer in"}},
		"zero":       {"ip: 3f800005", "ip: 0", []string{"layer ip: row \"ip\" (line 8) has the scale 0"}},
		"infinite":   {"ip: 3f800005", "ip: 7f800000", []string{"positive number"}},
		"duplicates": {"ip: 3f800005", "ip: 3f800005\nip: 3f800005", []string{`row "ip" (line 9) belongs to no layer`}},
	} {
		_, err := Fix(n, cache(t, strings.Replace(toyCache, c.old, c.new, 1)))
		for _, w := range c.wants {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v\nwant %q", name, err, w)
			}
		}
	}
	if _, err := FixNamed(n, cache(t, toyCache)); err == nil || !strings.Contains(err.Error(), `no entry "bn"`) {
		t.Error(err)
	}
}

func TestFixWarns(t *testing.T) {
	text := strings.Replace(toyCache, "[Convolution]", "[Pooling]", 1)
	text = strings.Replace(text, "\np:", "\n(Unnamed Layer* 4) [Pooling]_output:", 1)
	f, err := Fix(network(t, toy), cache(t, text))
	if err != nil || len(f.Warnings) != 2 {
		t.Fatal(err, f)
	}
}

// scales makes one scale a layer, all different, and equal for layers without a
// tensor of their own.
func scales(n *models.Network) []float32 {
	s := make([]float32, len(n.Layers))
	for i, l := range n.Layers {
		s[i] = float32(i+1) / 7
		if identity(l) {
			s[i] = s[l.From[0].Index]
		}
	}
	return s
}

func roundTrip(t testing.TB, n *models.Network) {
	t.Helper()
	want := scales(n)
	made, err := Cache(n, want, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := WriteCache(made)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Fix(n, cache(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, n, f.Scales(), want)
	js, err := WriteJSON(f.JSON())
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON("x.json", js)
	if err != nil {
		t.Fatal(err)
	}
	g, err := FixNamed(n, back)
	if err != nil {
		t.Fatal(err)
	}
	same(t, n, g.Scales(), want)
}

func same(t testing.TB, n *models.Network, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s, layer %s: %v, want %v", n.File, n.Layers[i].Name, got[i], want[i])
		}
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, network(t, toy))
	roundTrip(t, network(t, `input: "x" input_dim: 1 input_dim: 4 input_dim: 8 input_dim: 8
layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "d" type: "Deconvolution" bottom: "x" top: "d" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "pr" type: "PReLU" bottom: "d" top: "d" }
layer { name: "s" type: "Eltwise" bottom: "a" bottom: "d" top: "s" }
layer { name: "sig" type: "Sigmoid" bottom: "s" top: "s" }
layer { name: "pow" type: "Power" bottom: "s" top: "s" power_param { scale: 2 } }
layer { name: "n" type: "LRN" bottom: "s" top: "n" }
layer { name: "cat" type: "Concat" bottom: "n" bottom: "a" top: "cat" }
layer { name: "flat" type: "Flatten" bottom: "cat" top: "flat" }
layer { name: "ip" type: "InnerProduct" bottom: "flat" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "th" type: "TanH" bottom: "ip" top: "ip" }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }`))
	n := network(t, toy)
	if _, err := Cache(n, nil, ""); err == nil {
		t.Error("no scales")
	}
	if _, err := Named(n, nil); err == nil {
		t.Error("no scales")
	}
	if c, err := Named(n, make([]float32, 9)); err != nil || len(c.Warnings) != 8 {
		t.Error("zero scales are not warned of", err)
	}
}

func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: published tables and networks are not part of the repository")
	}
	return dir
}

func load(t *testing.T, path string) *Table {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := ReadCache
	if strings.HasSuffix(path, ".json") {
		read = ReadJSON
	}
	tab, err := read(path, b)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestAllPublishedTables(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(dataDir(t), "calibration", "*"))
	if len(files) < 20 {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		tab := load(t, f)
		for _, w := range tab.Warnings {
			t.Log(w)
		}
		if len(tab.Unknown) > 0 {
			t.Errorf("%s: %d unknown lines", f, len(tab.Unknown))
		}
		write, read := WriteCache, ReadCache
		if strings.HasSuffix(f, ".json") {
			write, read = WriteJSON, ReadJSON
		}
		b, err := write(tab)
		if err != nil {
			t.Fatal(err)
		}
		again, err := read(f, b)
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, tab.Rows, again.Rows)
	}
}

// The author's own JSON files, value by value.
func TestArticleTables(t *testing.T) {
	dir := dataDir(t)
	cal, art := filepath.Join(dir, "calibration"), filepath.Join(dir, "models", "article")
	for _, c := range []struct{ prototxt, cache, json string }{
		{art + "/lenet-mnist-caffe/lenet/lenet.prototxt", art + "/lenet-mnist-caffe/lenet.calibaration.table", art + "/lenet-mnist-caffe/lenet.int8.json"},
		{art + "/resnet18-cifar10-caffe/deploy.prototxt", art + "/resnet18-cifar10-caffe/resnet_18_cifar10_calibration.cache", art + "/resnet18-cifar10-caffe/resnet18.cifar10.fixed.json"},
		{art + "/resnet18-imagenet-caffe/deploy.prototxt", cal + "/LeiWang1999+leiblog.wang__post_resnet18_imagenet_trt7202.cache", art + "/resnet18-imagenet-caffe/resnet18.imagenet.fixed.int8.json"},
	} {
		text, err := os.ReadFile(c.prototxt)
		if err != nil {
			t.Fatal(err)
		}
		n, err := caffe.ParseNetwork(c.prototxt, text)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Fix(n, load(t, c.cache))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		ours, theirs := f.JSON(), load(t, c.json)
		differ := 0
		for _, r := range ours.Rows {
			if o, ok := theirs.Row(r.Name); !ok || o.Bits() != r.Bits() {
				differ++
				t.Errorf("%s: %08x, published %08x (%v)", r.Name, r.Bits(), o.Bits(), ok)
			}
		}
		t.Logf("%s: %d rows, published %d, %d differ", filepath.Base(c.json), len(ours.Rows), len(theirs.Rows), differ)
		if len(ours.Rows) != len(theirs.Rows) {
			t.Errorf("%d rows, published %d", len(ours.Rows), len(theirs.Rows))
		}
	}
}

func TestNVDLAResNet50(t *testing.T) {
	dir := filepath.Join(dataDir(t), "calibration")
	text := load(t, dir+"/nvdla+sw__umd__utils__calibdata__resnet50.txt")
	js := load(t, dir+"/nvdla+sw__resnet50.json")
	raw := load(t, dir+"/nvdla+sw__resnet50_prefix_unnamed.json")
	if len(text.Rows) != 229 || len(js.Rows) != 229 {
		t.Fatalf("%d and %d rows", len(text.Rows), len(js.Rows))
	}
	sameRows(t, text.Rows, raw.Rows)
	for i := range text.Rows {
		if text.Rows[i].Bits() != js.Rows[i].Bits() {
			t.Errorf("row %d: %08x, %08x", i, text.Rows[i].Bits(), js.Rows[i].Bits())
		}
	}
}

func TestRealNetworks(t *testing.T) {
	count := 0
	filepath.WalkDir(dataDir(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".prototxt") || strings.Contains(path, "train") || strings.Contains(path, "solver") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n, err := caffe.ParseNetwork(path, text)
		if err != nil {
			t.Log(err)
			return nil
		}
		count++
		roundTrip(t, n)
		return nil
	})
	if count < 10 {
		t.Errorf("only %d networks", count)
	}
	t.Logf("%d networks", count)
}

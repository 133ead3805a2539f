package modelcheck

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"errors"

	"quantbench/harness/diagnose"
	"quantbench/harness/modelstore"
	"quantbench/models"
	"quantbench/models/caffe"
)

const net = `input: "data"
input_shape { dim: 1 dim: 3 dim: 6 dim: 6 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 2 } }
`

// write makes files of a prototxt and of the weights of another one, after a
// change.
func write(t *testing.T, prototxt, trained string, change func(n *models.Network)) modelstore.Source {
	t.Helper()
	n, err := caffe.ParseNetwork("trained", []byte(trained))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range n.Layers {
		for _, s := range l.WeightShapes() {
			b := models.Blob{Shape: s, Data: make([]float32, models.Elements(s))}
			for i := range b.Data {
				b.Data[i] = 0.1 + float32(i%7)/10
			}
			l.Weights = append(l.Weights, b)
		}
	}
	if change != nil {
		change(n)
	}
	var b bytes.Buffer
	if err := caffe.WriteWeights(&b, n); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := modelstore.Source{Prototxt: filepath.Join(dir, "n.prototxt"), Caffemodel: filepath.Join(dir, "n.caffemodel")}
	if err := errors.Join(os.WriteFile(s.Prototxt, []byte(prototxt), 0o644), os.WriteFile(s.Caffemodel, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return s
}

// codes are the errors and warnings of findings.
func codes(found []diagnose.Finding) string {
	var list []string
	for _, f := range found {
		if f.Severity != diagnose.Note {
			list = append(list, f.Code)
		}
	}
	return strings.Join(list, " ")
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name, prototxt string
		change         func(*models.Network)
		codes, fact    string
	}{
		{"right", net, nil, "", ""},
		{"renamed", strings.Replace(net, `name: "fc"`, `name: "fc_new"`, 1), nil, "MD102 MD104", `layer "fc_new" (InnerProduct)`},
		{"two at once", strings.NewReplacer("num_output: 4", "num_output: 8", "num_output: 2", "num_output: 3").Replace(net), nil, "MD103 MD103 MD103 MD103 MD103 MD103", "blob 0 must have shape [8 3 3 3]"},
		{"no bias", strings.Replace(net, "kernel_size: 3", "kernel_size: 3 bias_term: false", 1), nil, "MD103", "needs 1 blobs"},
		{"diverged", net, func(n *models.Network) { n.Layers[1].Weights[0].Data[5] = float32(math.NaN()) }, "MD105", "NaN at element 5"},
		{"negative variance", net, func(n *models.Network) { n.Layers[2].Weights[1].Data[2] = -1 }, "MD105", "blob 1 has -1 at element 2"},
		{"not a network", "layer {", nil, "NV145", ""},
		{"a runtime refuses", strings.Replace(net, `"BatchNorm"`, `"PReLU"`, 1), func(n *models.Network) {
			n.Layers[2].Type, n.Layers[2].Op = "PReLU", models.PReLU{}
			n.Layers[2].Weights = n.Layers[2].Weights[:1]
		}, "NV118", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := Check(write(t, c.prototxt, net, c.change), Options{})
			if err != nil || codes(found) != c.codes {
				t.Fatalf("%v: %s\n%v", err, codes(found), found)
			}
			if c.fact != "" && !strings.Contains(found[0].Fact, c.fact) {
				t.Errorf("%q lacks %q", found[0].Fact, c.fact)
			}
			if c.codes == "MD102 MD104" && !strings.HasSuffix(found[0].Where, "n.prototxt:5") {
				t.Errorf("at %q", found[0].Where)
			}
		})
	}
}

func TestRuntimes(t *testing.T) {
	s := write(t, strings.Replace(net, `"BatchNorm"`, `"PReLU"`, 1), net, func(n *models.Network) {
		n.Layers[2].Type, n.Layers[2].Op, n.Layers[2].Weights = "PReLU", models.PReLU{}, n.Layers[2].Weights[:1]
	})
	for runtimes, want := range map[string]string{"fp32": "", "fp32 tensorrt-int8": "", "nvdla-int8": "NV118"} {
		found, err := Check(s, Options{Runtimes: strings.Fields(runtimes)})
		if err != nil || codes(found) != want {
			t.Errorf("%s: %v %v", runtimes, err, found)
		}
	}
}

func TestCatalogue(t *testing.T) {
	for _, name := range []string{"lenet5", "resnet18"} {
		if found, err := Check(modelstore.Source{Name: name}, Options{}); err != nil || codes(found) != "" {
			t.Errorf("%s: %v %v", name, err, found)
		}
	}
	dir := t.TempDir()
	if _, err := Check(modelstore.Source{Name: "lenet-mnist"}, Options{Dirs: []string{dir}}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, f := range []string{"lenet.prototxt", "lenet.caffemodel"} {
		path := filepath.Join(dir, "models", "lenet-mnist", f)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("<html>"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Check(modelstore.Source{Name: "lenet-mnist"}, Options{Dirs: []string{dir}})
	if err != nil || codes(found) != "MD101 MD101" || !strings.Contains(found[0].Fact, "size is 6 instead of 1737") {
		t.Errorf("%v %v", err, found)
	}
	if _, err := Check(modelstore.Source{Name: "lenet6"}, Options{}); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Error(err)
	}
}

// No file of a network at hand is wrong.
func TestReal(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: the networks are not part of the repository")
	}
	checked := 0
	for _, l := range modelstore.List([]string{data}) {
		if l.State == modelstore.Absent {
			continue
		}
		checked++
		found, err := Check(modelstore.Source{Name: l.Name}, Options{Dirs: []string{data}, Runtimes: []string{"fp32", "tensorrt-int8"}})
		if err != nil || codes(found) != "" {
			t.Errorf("%s: %v %v", l.Name, err, found)
		}
	}
	if checked < 10 {
		t.Errorf("%d networks at hand", checked)
	}
}

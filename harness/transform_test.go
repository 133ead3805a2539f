package harness

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/datasets"
	data "quantbench/datasets/catalogue"
	"quantbench/harness/modelstore"
	"quantbench/models"
	"quantbench/models/caffe"
	networks "quantbench/models/catalogue"
)

const tinyNet = `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 24 dim: 20 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 2 bias_term: false } }
`

// put writes a file and returns its path.
func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tinyFiles writes a small network for 3x24x20 pictures, with extra in front of
// its prototxt.
func tinyFiles(t *testing.T, dir, extra string) (prototxt, caffemodel string) {
	t.Helper()
	net, err := caffe.ParseNetwork("tiny", []byte(tinyNet))
	if err != nil {
		t.Fatal(err)
	}
	net.Layers[1].Weights = []models.Blob{{Shape: []int{2, 1440}, Data: make([]float32, 2880)}}
	var weights bytes.Buffer
	if err := caffe.WriteWeights(&weights, net); err != nil {
		t.Fatal(err)
	}
	return put(t, dir, "tiny.prototxt", []byte(extra+tinyNet)), put(t, dir, "tiny.caffemodel", weights.Bytes())
}

// ramp is a mean image of 3 x 30 x 30, as Caffe writes it.
func ramp() []byte {
	var b, values []byte
	for field, v := range []uint64{1: 1, 2: 3, 3: 30, 4: 30} {
		if field > 0 {
			b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(field), protowire.VarintType), v)
		}
	}
	for i := range 2700 {
		values = protowire.AppendFixed32(values, math.Float32bits(float32(i%251)/2))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), values)
}

// inputs are what a preprocessing makes of pictures: the bytes, then the floats.
func inputs(t *testing.T, p datasets.Preprocess, in models.Shape, pictures []datasets.Picture) []byte {
	t.Helper()
	if err := p.Check(in.C, in.H, in.W); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, pic := range pictures {
		pixels, values := make([]byte, in.Len()), make([]float32, in.Len())
		if err := p.Bytes(pic, in.C, in.H, in.W, pixels); err != nil {
			t.Fatal(err)
		}
		p.Floats(pixels, in.C, in.H, in.W, values)
		out = append(append(out, pixels...), floatBytes(values)...)
	}
	return out
}

func noise(n, h, w int) []datasets.Picture {
	r := rand.New(rand.NewPCG(4, 2))
	var list []datasets.Picture
	for i := range n {
		pic := datasets.Picture{ID: fmt.Sprint("noise/", i), Channels: 3, Height: h + i, Width: w + 2*i, Pixels: make([]byte, 3*(h+i)*(w+2*i))}
		for j := range pic.Pixels {
			pic.Pixels[j] = byte(r.IntN(256))
		}
		list = append(list, pic)
	}
	return list
}

// The same pictures through a transform_param and through the same rule written
// down: equal byte for byte, and one rule to the cache.
func TestTransformAgrees(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "mean.binaryproto", ramp())
	const label = `layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { %s } data_param { source: "%s" } }` + "\n"
	for name, c := range map[string]struct{ param, source, more, written string }{
		"mean":           {"mirror: true crop_size: 24 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.017", "lmdb", "resize: {rule: shorter, size: 26}", "{order: bgr, mean: [104, 117, 123], scale: 0.017, crop: center, resize: {rule: shorter, size: 26}}"},
		"one mean, RGB":  {"mean_value: 128", "cifar10_train_lmdb", "resize: {rule: squash}", "{order: rgb, mean: [128], resize: {rule: squash}}"},
		"mean image":     {`mean_file: "examples/x/mean.binaryproto" crop_size: 24`, "lmdb", "resize: {rule: squash, size: 30}", "{order: bgr, mean_file: mean.binaryproto, crop: center, resize: {rule: squash, size: 30}}"},
		"own fields win": {"mean_value: 1 scale: 2", "lmdb", "order: rgb, mean: [3], resize: {rule: squash}", "{order: rgb, mean: [3], scale: 2, resize: {rule: squash}}"},
	} {
		t.Run(name, func(t *testing.T) {
			prototxt, caffemodel := tinyFiles(t, dir, "")
			put(t, dir, "train.prototxt", fmt.Appendf(nil, label, c.param, c.source))
			text := fmt.Sprintf("version: 1\nmodels:\n - {name: a, prototxt: %[1]s, caffemodel: %[2]s, preprocess: {transform_param: train.prototxt, %[3]s}}\n - {name: b, prototxt: %[1]s, caffemodel: %[2]s, preprocess: %[4]s}\ndatasets: [cifar10]", filepath.ToSlash(prototxt), filepath.ToSlash(caffemodel), c.more, c.written)
			x := experiment(t, t.TempDir(), text, nil)
			x.cfg.File = filepath.Join(dir, "test.yaml")
			a, p, err := x.Network("a")
			if err != nil {
				t.Fatal(err)
			}
			_, q, err := x.Network("b")
			if err != nil {
				t.Fatal(err)
			}
			if p.Digest() != q.Digest() || p.String() != q.String() {
				t.Errorf("%s is not %s", p, q)
			}
			pictures := noise(4, 31, 40)
			if !bytes.Equal(inputs(t, p, a.Input().Out, pictures), inputs(t, q, a.Input().Out, pictures)) {
				t.Error("the inputs differ")
			}
			mirrored := slices.ContainsFunc(a.Warnings, func(w error) bool { return strings.Contains(w.Error(), "mirror has no part") })
			if mirrored != strings.Contains(c.param, "mirror") {
				t.Errorf("warnings %v", a.Warnings)
			}
		})
	}
}

// A prototxt with a data layer of its own needs no further word; what the
// configuration says wins.
func TestTransformOfOwnPrototxt(t *testing.T) {
	dir := t.TempDir()
	prototxt, caffemodel := tinyFiles(t, dir, `layer { name: "d" type: "Data" top: "data" include { phase: TRAIN } transform_param { mean_value: 7 scale: 0.5 } }`+"\n")
	for more, want := range map[string]string{"": "BGR minus 7, divided by 2", ", preprocess: {scale: 0.25}": "pixel/4"} {
		x := experiment(t, t.TempDir(), fmt.Sprintf("version: 1\nmodels: [{name: a, prototxt: %s, caffemodel: %s%s}]\ndatasets: [cifar10]", filepath.ToSlash(prototxt), filepath.ToSlash(caffemodel), more), nil)
		if _, p, err := x.Network("a"); err != nil || p.String() != want {
			t.Errorf("%q: %s %v, want %s", more, p, err, want)
		}
	}
}

func TestTransformMistakes(t *testing.T) {
	for text, want := range map[string]string{
		tinyNet: "no Data, ImageData or MemoryData layer",
		`layer { name: "d" type: "ImageData" image_data_param { new_height: 3 new_width: 4 } }`: "3x4; only squares",
		`layer { name: "d" type: "Data" transform_param { scale: -1 } }`:                        "scale -1",
		`layer {`: "t:1",
	} {
		if _, _, err := TransformParam("t", []byte(text), models.Shape{C: 3, H: 2, W: 2}, datasets.Preprocess{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, _, err := TransformFile(filepath.Join(t.TempDir(), "none"), models.Shape{}, datasets.Preprocess{}); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// The catalogue says of the article's ImageNet network what its train prototxt
// says, on real photographs.
func TestTransformReal(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the train prototxt and the photographs do not ship")
	}
	e, _ := networks.Named("resnet18-imagenet")
	train, err := modelstore.Locate(e, e.Train, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	p, warnings, err := TransformFile(train, e.Input, datasets.Preprocess{Resize: datasets.Resize{Rule: datasets.Shorter, Size: 256}})
	if err != nil || len(warnings) != 1 {
		t.Fatal(warnings, err)
	}
	set, err := data.Open("imagenet", "test", []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var pictures []datasets.Picture
	for i := range 5 {
		pic, err := set.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, pic)
	}
	if !bytes.Equal(inputs(t, p, e.Input, pictures), inputs(t, modelstore.Preprocess(e.Preprocess), e.Input, pictures)) {
		t.Error("the inputs differ")
	}
}

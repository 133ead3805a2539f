package fp32

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/models"
	"quantbench/models/caffe"
)

var update = flag.Bool("update", false, "record the goldens again with OpenCV (python3-opencv)")

const goldens = "testdata/opencv"

// tolerance is how far a value may be from OpenCV's, as a part of its layer's
// largest magnitude. Both sides round every sum to float32: n terms in another
// order differ by about sqrt(n)*2^-24 of the sum's size, 1.2e-6 for the largest
// sums of the small networks (n = 363), and a part of the differences of the
// layers before is passed on. What the test logs is below 1e-6; four times the
// estimate leaves room for kernels that round more often.
const tolerance = 5e-6

// wholeTolerance is the same for sums of up to 576 terms in a row of 20 layers,
// each of which adds its own: 20 * sqrt(576) * 2^-24 = 2.9e-5.
const wholeTolerance = 3e-5

// numbers are pseudorandom values in -1..1, the same on every machine.
type numbers uint64

func numbersFor(name string) *numbers {
	h := fnv.New64a()
	h.Write([]byte(name))
	n := numbers(h.Sum64())
	return &n
}

// next is splitmix64.
func (n *numbers) next() float64 {
	*n += 0x9e3779b97f4a7c15
	z := uint64(*n)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64(int64(z^z>>31)) / (1 << 63)
}

// fill gives the network weights that keep values of all layers near 1.
func fill(net *models.Network, n *numbers) {
	for _, l := range net.Layers {
		for i, shape := range l.WeightShapes() {
			if len(shape) == 0 {
				shape = []int{1} // OpenCV cannot read the scalar of a shared PReLU
			}
			b := models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))}
			for k := range b.Data {
				b.Data[k] = float32(weight(l, i, len(b.Data), n.next()))
			}
			l.Weights = append(l.Weights, b)
		}
	}
}

func weight(l *models.Layer, blob, size int, x float64) float64 {
	switch l.Op.(type) {
	case models.BatchNorm:
		return []float64{x / 2, 1 + x/2, 2}[blob]
	case models.Scale:
		return []float64{1 + x/2, x}[blob]
	case models.PReLU:
		return (1 + x) / 4
	case models.Deconvolution:
		return []float64{x, x / 4}[blob]
	}
	if blob == 0 {
		return x * math.Sqrt(6*float64(l.Out.C)/float64(size)) // uniform, variance 2/fan-in
	}
	return x / 4
}

// pictureFor is the network's input: bytes, which are taken as (v-128)/64.
func pictureFor(net *models.Network, n *numbers) []byte {
	p := make([]byte, net.Input().Out.Len())
	for i := range p {
		p[i] = byte(128 + 127*n.next())
	}
	return p
}

var opencvInput = datasets.Preprocess{Mean: []float32{128}, Scale: 1.0 / 64}

// preprocess is opencvInput for the network's channels.
func preprocess(net *models.Network) datasets.Preprocess {
	p := opencvInput
	p.Mean = make([]float32, net.Input().Out.C)
	for i := range p.Mean {
		p.Mean[i] = opencvInput.Mean[0]
	}
	return p
}

// opencvCase is one network with its picture.
type opencvCase struct {
	name, prototxt string
	model          runtime.Model
	picture        []byte
	// layers are those recorded, with the step between recorded values; nil for
	// every value of all layers.
	layers    map[string]int
	tolerance float64
}

func smallCase(t testing.TB, path string) *opencvCase {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	net, err := caffe.ParseNetwork(path, text)
	if err != nil {
		t.Fatal(err)
	}
	c := &opencvCase{name: strings.TrimSuffix(filepath.Base(path), ".prototxt"), prototxt: path, tolerance: tolerance}
	n := numbersFor(c.name)
	fill(net, n)
	c.picture = pictureFor(net, n)
	c.model = runtime.Model{Network: net, Preprocess: preprocess(net)}
	return c
}

// step is the distance between recorded values of a layer; 0 for a layer that
// is not recorded.
func (c *opencvCase) step(l *models.Layer) int {
	switch _, input := l.Op.(models.Input); {
	case input:
		return 0
	case c.layers == nil:
		return 1
	}
	return c.layers[l.Name]
}

func cases(t testing.TB) []*opencvCase {
	paths, err := filepath.Glob(goldens + "/*.prototxt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no networks in %s: %v", goldens, err)
	}
	var all []*opencvCase
	for _, p := range paths {
		all = append(all, smallCase(t, p))
	}
	return all
}

// TestOpenCV compares every layer with OpenCV's output.
func TestOpenCV(t *testing.T) {
	all := cases(t)
	whole := wholeCases(t)
	if *update {
		record(t, append(append([]*opencvCase{}, all...), whole...))
	}
	if len(whole) == 0 {
		t.Log("BENCH_DATA is not set: whole networks are left out")
	}
	for _, c := range append(all, whole...) {
		t.Run(c.name, func(t *testing.T) { c.compare(t) })
	}
}

// golden is one layer as OpenCV has it.
type golden struct {
	Name   string
	Shape  []int
	Step   int
	values []float32
}

func readGoldens(t testing.TB, name string) []golden {
	data, err := os.ReadFile(filepath.Join(goldens, name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	var head struct{ Layers []golden }
	if err := json.Unmarshal(line, &head); err != nil {
		t.Fatal(err)
	}
	for i := range head.Layers {
		g := &head.Layers[i]
		g.values = make([]float32, (models.Elements(g.Shape)+g.Step-1)/g.Step)
		if err := binary.Read(bytes.NewReader(rest), binary.LittleEndian, g.values); err != nil {
			t.Fatalf("%s: %v", g.Name, err)
		}
		rest = rest[4*len(g.values):]
	}
	if len(rest) > 0 {
		t.Fatalf("%d bytes too many", len(rest))
	}
	return head.Layers
}

func (c *opencvCase) compare(t *testing.T) {
	p, err := PrepareUnfused(c.model)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	err = p.Worker().Trace(c.picture, func(l *models.Layer, v []float32, _ int) { got[l.Name] = append([]float32(nil), v...) })
	if err != nil {
		t.Fatal(err)
	}
	list := readGoldens(t, c.name)
	worst, at := 0.0, ""
	for _, g := range list {
		d, err := g.distance(c.model.Network.Layer(g.Name), got[g.Name])
		if err != nil || d > c.tolerance {
			t.Errorf("%s: differs by %.2g of the largest value, allowed are %g: %v", g.Name, d, c.tolerance, err)
		}
		if d > worst {
			worst, at = d, g.Name
		}
	}
	recorded := 0
	for _, l := range c.model.Network.Layers {
		if c.step(l) > 0 {
			recorded++
		}
	}
	if recorded != len(list) {
		t.Errorf("%d layers are recorded, the network has %d; run with -update", len(list), recorded)
	}
	t.Logf("%d layers, at most %.2g of the layer's largest value apart (%s)", len(list), worst, at)
	c.compareFused(t, list[len(list)-1])
}

// compareFused scores the picture with fused layers.
func (c *opencvCase) compareFused(t *testing.T, last golden) {
	if c.model.Network.Output().Name != last.Name || last.Step != 1 {
		return
	}
	p, err := Runtime{}.Prepare(c.model)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, len(last.values))
	if err := p.NewWorker().Score(c.picture, scores); err != nil {
		t.Fatal(err)
	}
	if d, err := last.distance(c.model.Network.Output(), scores); err != nil || d > c.tolerance {
		t.Errorf("fused: the output differs by %.2g of its largest value: %v", d, err)
	}
}

// distance is the largest difference, as a part of the largest value recorded.
func (g *golden) distance(l *models.Layer, got []float32) (float64, error) {
	if l == nil || got == nil {
		return 0, fmt.Errorf("the runtime has no such layer")
	}
	if n := models.Elements(g.Shape); n != l.Out.Len() || n != len(got) {
		return 0, fmt.Errorf("shape %v in OpenCV, %s here", g.Shape, l.Out)
	}
	var largest, apart float64
	for i, v := range g.values {
		largest = max(largest, math.Abs(float64(v)))
		if d := math.Abs(float64(v) - float64(got[i*g.Step])); !(d <= apart) {
			apart = d
		}
	}
	if largest == 0 {
		return apart, nil
	}
	return apart / largest, nil
}

// record makes the goldens of all cases with OpenCV.
func record(t *testing.T, all []*opencvCase) {
	dir := t.TempDir()
	for _, c := range all {
		c.write(t, filepath.Join(dir, c.name))
	}
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	out, err := exec.Command(python, filepath.Join(goldens, "make.py"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range all {
		data, err := os.ReadFile(filepath.Join(dir, c.name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(goldens, c.name+".golden"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes what make.py reads. The prototxt is the original one, not what
// our reader understood of it; only a batch is cut to one picture, by make.py.
func (c *opencvCase) write(t *testing.T, base string) {
	net := c.model.Network
	text, err := os.ReadFile(c.prototxt)
	if err != nil {
		t.Fatal(err)
	}
	var weights, input bytes.Buffer
	if err := caffe.WriteWeights(&weights, net); err != nil {
		t.Fatal(err)
	}
	in := net.Input().Out
	values := make([]float32, in.Len())
	c.model.Preprocess.Floats(c.picture, in.C, in.H, in.W, values)
	if err := binary.Write(&input, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	list := fmt.Sprintf("%d %d %d\n", in.C, in.H, in.W)
	for _, l := range net.Layers {
		if step := c.step(l); step > 0 {
			list += fmt.Sprintf("%d %s\n", step, l.Name)
		}
	}
	for ext, data := range map[string][]byte{"prototxt": text, "caffemodel": weights.Bytes(), "f32": input.Bytes(), "layers": []byte(list)} {
		if err := os.WriteFile(base+"."+ext, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// wholeCases are networks of BENCH_DATA, of which some values are recorded.
func wholeCases(t testing.TB) []*opencvCase {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		return nil
	}
	var all []*opencvCase
	for _, w := range []struct {
		name, prototxt, caffemodel string
		layers                     []string
	}{
		{"squeezenet_v1.1", "squeezenet/deploy.prototxt", "squeezenet/squeezenet_v1.1_fp16.caffemodel",
			[]string{"pool1", "fire2/concat", "fire5/concat", "fire9/concat", "conv10", "pool10", "prob"}},
		{"resnet20", "resnet20-cifar10/resnet20-cifar10.prototxt", "resnet20-cifar10/resnet20-cifar10.caffemodel",
			[]string{"first_conv_relu", "group0_block2_relu", "group1_block0_relu", "group2_block2_relu", "global_avg_pool", "fc", "softmax"}},
	} {
		all = append(all, wholeCase(t, data, w.name, w.prototxt, w.caffemodel, w.layers))
	}
	return all
}

// recordedValues is about how many values of a whole network's layer are kept.
const recordedValues = 200

func wholeCase(t testing.TB, data, name, prototxt, caffemodel string, layers []string) *opencvCase {
	c := &opencvCase{name: "whole-" + name, prototxt: filepath.Join(data, "models", prototxt), layers: map[string]int{}, tolerance: wholeTolerance}
	net, err := caffe.Read(c.prototxt, filepath.Join(data, "models", caffemodel))
	if err != nil {
		t.Fatal(err)
	}
	c.model = runtime.Model{Network: net, Preprocess: preprocess(net)}
	c.picture = pictureFor(net, numbersFor(name))
	for _, l := range layers {
		c.layers[l] = max(1, net.Layer(l).Out.Len()/recordedValues)
	}
	c.layers[net.Output().Name] = 1
	return c
}

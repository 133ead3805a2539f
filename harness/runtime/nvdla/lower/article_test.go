package lower_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models/caffe"
)

// articleModels are the published networks with their tables.
var articleModels = map[string][3]string{ // prototxt, caffemodel, table
	"cifar": {"resnet18-cifar10-caffe/deploy.prototxt", "resnet18-cifar10-caffe/resnet-18.caffemodel", "resnet18-cifar10-caffe/resnet18.cifar10.fixed.json"},
	"lenet": {"lenet-mnist-caffe/lenet/lenet.prototxt", "lenet-mnist-caffe/lenet/lenet.caffemodel", "lenet-mnist-caffe/lenet.int8.json"},
}

func lowerArticle(t *testing.T, dir, model string, opt lower.Options) *hardware.Program {
	t.Helper()
	files := articleModels[model]
	net, err := caffe.Read(filepath.Join(dir, files[0]), filepath.Join(dir, files[1]))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := lower.Lower(net, tableOf(t, net, filepath.Join(dir, files[2])), opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestArticleLoadables compares every operation, operand and weight byte with
// the published loadables of four profiles.
func TestArticleLoadables(t *testing.T) {
	dir := filepath.Join(benchData(t), "models/article")
	for _, c := range []struct {
		model, file string
		profile     lower.Profile
	}{
		{"lenet", "lenet-mnist-caffe/fast-math.nvdla", lower.FastMath},
		{"cifar", "resnet18-cifar10-caffe/loadables/fast-math.nvdla", lower.FastMath},
		{"cifar", "resnet18-cifar10-caffe/loadables/default.nvdla", lower.Default},
		{"cifar", "resnet18-cifar10-caffe/loadables/performance.nvdla", lower.Performance},
		{"cifar", "resnet18-cifar10-caffe/loadables/basic.nvdla", lower.Basic},
	} {
		t.Run(c.model+"/"+string(c.profile), func(t *testing.T) {
			got := lowerArticle(t, dir, c.model, lower.Options{Target: hardware.Small, Profile: c.profile})
			data, err := os.ReadFile(filepath.Join(dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			want, err := loadable.Read(c.file, data)
			if err != nil {
				t.Fatal(err)
			}
			comparePrograms(t, got, want)
		})
	}
}

func comparePrograms(t *testing.T, got, want *hardware.Program) {
	t.Helper()
	if len(got.Operations) != len(want.Operations) {
		t.Fatalf("%d operations, the compiler made %d", len(got.Operations), len(want.Operations))
	}
	var words int
	for i := range got.Operations {
		a, b := &got.Operations[i], &want.Operations[i]
		if s, w := descriptors(a), descriptors(b); s != w {
			t.Errorf("operation %d: %s\nthe compiler has %s", i, s, w)
		}
		for _, pair := range [][2]hardware.Cube{{a.Weights, b.Weights}, {a.X1, b.X1}, {a.X2, b.X2}} {
			mine, theirs := constant(got, pair[0]), constant(want, pair[1])
			words += len(mine)
			if mine != nil && !bytes.Equal(mine, theirs) {
				t.Errorf("operation %d: weights or operands differ (%d and %d bytes)", i, len(mine), len(theirs))
			}
		}
	}
	t.Logf("%d operations, %d bytes of weights and operands compared", len(got.Operations), words)
}

// descriptors prints what an operation is programmed with, without places.
func descriptors(op *hardware.Operation) string {
	s := fmt.Sprint(op.Kind, op.FusedParent, shape(op.Src), shape(op.Dst))
	switch op.Kind {
	case hardware.Conv:
		d := *op.Conv
		d.Reserved = nil
		s += fmt.Sprintf(" %+v", d)
	case hardware.SDP:
		s += fmt.Sprintf(" %+v %v %v", *op.SDP, shape(op.X1), shape(op.X2))
	case hardware.PDP:
		s += fmt.Sprintf(" %+v", *op.PDP)
	case hardware.CPUSoftmax:
		s += fmt.Sprintf(" %+v", *op.Softmax)
	}
	return s
}

func shape(c hardware.Cube) [5]int { return [5]int{c.W, c.H, c.C, c.LineStride, c.SurfStride} }

// constant is the data that a cube has before the first operation; nil if it is
// not constant in a lowered program.
func constant(p *hardware.Program, c hardware.Cube) []byte {
	if c.Size == 0 || c.Region < 0 || c.Offset+c.Size > len(p.Regions[c.Region].Init) {
		return nil
	}
	return p.Regions[c.Region].Init[c.Offset : c.Offset+c.Size]
}

// TestArticleResults runs the lowered networks on the published pictures.
func TestArticleResults(t *testing.T) {
	dir := filepath.Join(benchData(t), "models/article")
	kernel, filter := lower.Options{Target: hardware.Small}, lower.Options{Target: hardware.Small, Mode: lower.PerFilter}
	wide := lower.Options{Target: hardware.Full, Mode: lower.PerFilter}
	image, wideImage := kernel, lower.Options{Target: hardware.Full, InputFormat: lower.NHWC}
	image.InputFormat = lower.NHWC
	for _, c := range []struct {
		model, picture string
		opt            lower.Options
		logits, output string
	}{
		{"cifar", "175_4.jpg", kernel, "-19 -20 -3 2 45 11 3 1 -3 -17", "0 0 0 0 126 0 0 0 0 0"},
		{"cifar", "cat_32.jpg", kernel, "-6 -17 21 25 18 -3 0 -8 -11 -18", "0 0 24 92 8 0 0 0 0 0"},
		{"cifar", "31_9.jpg", kernel, "-8 -18 -13 18 3 2 -19 -2 20 16", "0 0 0 36 0 0 0 0 70 18"},
		{"cifar", "191_7.jpg", kernel, "0 -24 12 2 12 1 -3 0 8 -8", "0 0 53 1 53 1 0 0 13 0"},
		{"cifar", "175_4.jpg", filter, "-19 -21 -3 2 46 12 4 0 -6 -16", "0 0 0 0 126 0 0 0 0 0"},
		{"cifar", "cat_32.jpg", filter, "-7 -18 19 29 19 -3 2 -9 -12 -19", "0 0 4 117 4 0 0 0 0 0"},
		{"cifar", "cat_32.jpg", wide, "-7 -18 19 29 19 -3 2 -9 -12 -19", "0 0 4 117 4 0 0 0 0 0"},
		{"cifar", "175_4.jpg", image, "-19 -19 -1 0 44 10 4 1 -3 -17", "0 0 0 0 126 0 0 0 0 0"},
		{"cifar", "cat_32.jpg", image, "-8 -17 20 28 17 -2 0 -9 -10 -18", "0 0 7 115 2 0 0 0 0 0"},
		{"cifar", "cat_32.jpg", wideImage, "-8 -17 20 28 17 -2 0 -9 -10 -18", "0 0 7 115 2 0 0 0 0 0"},
		{"lenet", "seven.pgm", kernel, "-15 -2 23 19 -32 -5 -49 68 -12 9", "0 0 0 0 0 0 0 119 0 0"},
	} {
		p := lowerArticle(t, dir, c.model, c.opt)
		path := filepath.Join(dir, "resnet18-cifar10-caffe/Image", c.picture)
		if c.model == "lenet" {
			path = filepath.Join(dir, "../../nvdla-regression/digits", c.picture)
		}
		logits, output := runPicture(t, p, path, c.model == "lenet")
		if logits != c.logits || output != c.output {
			t.Errorf("%s %s, %s: logits %s, output %s; want %s, %s", c.model, c.picture, c.opt.Mode, logits, output, c.logits, c.output)
		}
	}
}

func runPicture(t *testing.T, p *hardware.Program, path string, invert bool) (logits, output string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pic, err := loadable.ReadPicture(path, data)
	if err != nil {
		t.Fatal(err)
	}
	in := make([]int8, len(pic.Pixels))
	for i, b := range pic.Pixels {
		if invert {
			b = 255 - b
		}
		in[i] = hardware.InputPixel(b)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	m.Observe = func(d simulate.Dump) {
		if d.Op.Kind == hardware.CPUSoftmax {
			logits = strings.Trim(fmt.Sprint(signed(d.Src[:d.Op.Src.C])), "[]")
		}
	}
	out, err := m.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	return logits, strings.Trim(fmt.Sprint(out), "[]")
}

package models

import (
	"math"
	"strings"
	"testing"
)

// chain links the operations one after the other, behind an input of in.
func chain(t *testing.T, in Shape, ops ...Op) *Network {
	t.Helper()
	n := &Network{Layers: []*Layer{{Name: "in", Type: "Input", Op: Input{in}, Tops: []string{"in"}}}}
	for i, op := range ops {
		top := string(rune('a' + i))
		n.Layers = append(n.Layers, &Layer{Name: top, Type: "T", Op: op, Bottoms: n.Layers[i].Tops[:1], Tops: []string{top}})
	}
	if err := n.Link(); err != nil {
		t.Fatal(err)
	}
	return n
}

// window makes a square window; zero stride and dilation mean 1.
func window(kernel, stride, pad, dilation int) Window {
	return Window{kernel, kernel, stride, stride, pad, pad, dilation, dilation}
}

// poolByWindows counts pooling windows the slow way: Caffe keeps windows until
// the end of the padded picture is covered, and with padding none may begin
// beyond the picture and its leading padding.
func poolByWindows(in, kernel, stride, pad int) int {
	n := 1
	for start := -pad; start+kernel < in+pad; n++ {
		start += stride
		if pad > 0 && start >= in {
			return n
		}
	}
	return n
}

func TestPoolingSizes(t *testing.T) {
	tried := 0
	for in := 1; in <= 20; in++ {
		for kernel := 1; kernel <= 6; kernel++ {
			for stride := 1; stride <= 5; stride++ {
				for pad := 0; pad < kernel && kernel <= in+2*pad; pad++ {
					n := chain(t, Shape{3, in, in}, Pooling{Window: window(kernel, stride, pad, 1)})
					want := poolByWindows(in, kernel, stride, pad)
					err := n.InferShapes()
					if outside := (want-1)*stride >= in+pad; outside != (err != nil) {
						t.Errorf("in %d kernel %d stride %d pad %d: %v", in, kernel, stride, pad, err)
					}
					if tried++; err == nil && n.Output().Out != (Shape{3, want, want}) {
						t.Errorf("in %d kernel %d stride %d pad %d: %s, want %d", in, kernel, stride, pad, n.Output().Out, want)
					}
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d sizes tried", tried)
	}
}

func TestShapes(t *testing.T) {
	for name, c := range map[string]struct {
		in   Shape
		op   Op
		want string // the shape, or a part of the error
	}{
		"convolution floor":   {Shape{3, 227, 227}, Convolution{Window: window(3, 2, 0, 1), Out: 64, Groups: 1}, "64x113x113"},
		"convolution dilated": {Shape{3, 20, 20}, Convolution{Window: window(3, 2, 2, 3), Out: 6, Groups: 3}, "6x9x9"},
		"convolution exact":   {Shape{3, 3, 5}, Convolution{Window: Window{3, 5, 1, 1, 0, 0, 1, 1}, Out: 2, Groups: 1}, "2x1x1"},
		"too small":           {Shape{3, 2, 5}, Convolution{Window: window(3, 1, 0, 1), Out: 2, Groups: 1}, "does not fit"},
		"stride 0":            {Shape{3, 9, 9}, Convolution{Window: window(3, 0, 0, 1), Out: 2, Groups: 1}, "must be at least 1"},
		"negative pad":        {Shape{3, 9, 9}, Convolution{Window: window(3, 1, -1, 1), Out: 2, Groups: 1}, "negative"},
		"huge kernel":         {Shape{3, 9, 9}, Convolution{Window: window(1<<25, 1, 0, 1), Out: 2, Groups: 1}, "surely a mistake"},
		"huge weights":        {Shape{1 << 20, 9, 9}, Convolution{Window: window(3, 1, 0, 1), Out: 1 << 20, Groups: 1}, "weights have more"},
		"huge output":         {Shape{1, 1 << 15, 1 << 15}, Convolution{Window: window(1, 1, 0, 1), Out: 8, Groups: 1}, "2^31-1 elements"},
		"groups":              {Shape{4, 9, 9}, Convolution{Window: window(3, 1, 0, 1), Out: 4, Groups: 3}, "must divide"},
		"no outputs":          {Shape{4, 9, 9}, Convolution{Window: window(3, 1, 0, 1), Groups: 1}, "num_output is 0"},
		"deconvolution":       {Shape{4, 5, 6}, Deconvolution{Window: window(4, 2, 1, 1), Out: 2, Groups: 1}, "2x10x12"},
		"deconvolution pad":   {Shape{4, 1, 1}, Deconvolution{Window: window(2, 1, 1, 1), Out: 2, Groups: 1}, "is empty"},
		"deconvolution group": {Shape{4, 5, 6}, Deconvolution{Window: window(4, 2, 1, 1), Out: 2, Groups: 3}, "must divide"},
		"pool floor":          {Shape{2, 6, 6}, Pooling{Window: window(3, 2, 0, 1), Floor: true}, "2x2x2"},
		"pool ceil":           {Shape{2, 6, 6}, Pooling{Window: window(3, 2, 0, 1)}, "2x3x3"},
		"pool one pad":        {Shape{2, 6, 6}, Pooling{Window: Window{2, 2, 2, 2, 1, 0, 1, 1}}, "2x4x3"},
		"pool dilation":       {Shape{2, 6, 6}, Pooling{Window: window(2, 1, 0, 2)}, "no dilation"},
		"pool window":         {Shape{2, 6, 6}, Pooling{Window: window(0, 1, 0, 1)}, "at least 1x1"},
		"global":              {Shape{2, 6, 7}, Pooling{Global: true}, "2x1x1"},
		"inner product":       {Shape{2, 6, 7}, InnerProduct{Out: 9}, "9x1x1"},
		"no inner product":    {Shape{2, 6, 7}, InnerProduct{}, "0 outputs"},
		"flatten":             {Shape{2, 6, 7}, Flatten{}, "84x1x1"},
		"reshape":             {Shape{2, 6, 7}, Reshape{Shape{-1, 3, 0}}, "4x3x7"},
		"reshape full":        {Shape{2, 6, 7}, Reshape{Shape{7, 6, 2}}, "7x6x2"},
		"reshape two free":    {Shape{2, 6, 7}, Reshape{Shape{-1, -1, 2}}, "cannot make"},
		"reshape uneven":      {Shape{2, 6, 7}, Reshape{Shape{-1, 5, 1}}, "cannot make"},
		"reshape negative":    {Shape{2, 6, 7}, Reshape{Shape{-2, 5, 1}}, "dimension -2"},
		"reshape huge":        {Shape{2, 6, 7}, Reshape{Shape{1 << 30, 1 << 30, 1}}, "more than 2^31-1"},
		"lrn":                 {Shape{2, 6, 7}, LRN{Size: 5}, "2x6x7"},
		"lrn even":            {Shape{2, 6, 7}, LRN{Size: 2}, "odd"},
		"same":                {Shape{2, 6, 7}, TanH{}, "2x6x7"},
	} {
		n := chain(t, c.in, c.op)
		err := n.InferShapes()
		if got := n.Output().Out.String(); err == nil && got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		} else if err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for _, in := range []Shape{{}, {1, -1, 1}, {math.MaxInt32, 2, 1}} {
		if err := chain(t, in).InferShapes(); err == nil {
			t.Errorf("input %s: no error", in)
		}
	}
	n := chain(t, Shape{2, 6, 7}, Pooling{Global: true})
	if err := n.InferShapes(); err != nil {
		t.Fatal(err)
	}
	if p := n.Output().Op.(Pooling); p.KernelH != 6 || p.KernelW != 7 {
		t.Errorf("window of the global pooling: %+v", p)
	}
}

func TestEltwise(t *testing.T) {
	for want, op := range map[string]Eltwise{
		"":             {Operation: EltwiseSum, Coeff: []float32{1, -1}},
		"has 1 coeff":  {Operation: EltwiseSum, Coeff: []float32{1}},
		"has 2 coeff ": {Operation: EltwiseProd, Coeff: []float32{1, 2}},
	} {
		n := chain(t, Shape{2, 3, 4})
		n.Layers = append(n.Layers, &Layer{Name: "e", Op: op, Bottoms: []string{"in", "in"}, Tops: []string{"e"}})
		if err := n.Link(); err != nil {
			t.Fatal(err)
		}
		if err := n.InferShapes(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCounts(t *testing.T) {
	w := window(3, 1, 0, 1)
	for name, c := range map[string]struct {
		op         Op
		parameters int
		macs       int64
	}{
		"convolution":   {Convolution{Window: w, Out: 6, Groups: 2, Bias: true}, 6*2*9 + 6, 6 * 3 * 4 * 2 * 9},
		"deconvolution": {Deconvolution{Window: w, Out: 6, Groups: 2}, 4 * 3 * 9, 4 * 5 * 6 * 3 * 9},
		"inner product": {InnerProduct{Out: 7, Bias: true}, 120*7 + 7, 840},
		"transposed":    {InnerProduct{Out: 7, Transpose: true}, 840, 840},
		"batch norm":    {BatchNorm{}, 9, 0},
		"scale":         {Scale{Bias: true}, 8, 0},
		"prelu":         {PReLU{}, 4, 0},
		"shared prelu":  {PReLU{Shared: true}, 1, 0},
		"relu":          {ReLU{}, 0, 0},
	} {
		n := chain(t, Shape{4, 5, 6}, c.op)
		if err := n.InferShapes(); err != nil {
			t.Fatal(err)
		}
		if n.Parameters() != c.parameters || n.MACs() != c.macs {
			t.Errorf("%s: %d parameters, %d MACs; want %d, %d", name, n.Parameters(), n.MACs(), c.parameters, c.macs)
		}
	}
}

func TestNetwork(t *testing.T) {
	n := chain(t, Shape{2, 3, 4}, ReLU{}, TanH{})
	if n.Input().Name != "in" || n.Output().Name != "b" || n.Layer("zz") != nil || n.Layer("a").Top() != "a" || n.Input().In() != (Shape{}) {
		t.Error("look-ups")
	}
	if c := n.Consumers(); len(c) != 3 || len(c[0]) != 1 || c[0][0].Name != "a" || c[2] != nil {
		t.Errorf("consumers: %v", c)
	}
	n.Layers[1].Op = nil
	if err := n.Link(); err == nil || !strings.Contains(err.Error(), "no operation") {
		t.Error(err)
	}
	for _, c := range []struct {
		pos  Pos
		want string
	}{{Pos{"f", 3}, "f:3"}, {Pos{"f", 0}, "f"}, {Pos{}, ""}} {
		if c.pos.String() != c.want {
			t.Errorf("%q, want %q", c.pos, c.want)
		}
	}
}

// TestClosed keeps the set of operations closed: each is an Op and nothing else.
func TestClosed(t *testing.T) {
	ops := []Op{Input{}, Convolution{}, Deconvolution{}, Pooling{}, InnerProduct{}, ReLU{}, PReLU{}, BatchNorm{}, Scale{}, Eltwise{},
		Concat{}, Softmax{}, LRN{}, Power{}, Sigmoid{}, TanH{}, Dropout{}, Flatten{}, Reshape{}, Split{}}
	for _, op := range ops {
		op.op()
	}
	if len(ops) != 20 {
		t.Errorf("%d operations", len(ops))
	}
}

package lower_test

import (
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

// tower builds a network layer by layer.
type tower struct {
	t      *testing.T
	net    *models.Network
	scales []float32
}

func newTower(t *testing.T, c, h, w int, scale float32) *tower {
	b := &tower{t: t, net: &models.Network{File: "net.prototxt"}}
	return b.add("data", "Input", models.Input{Shape: models.Shape{C: c, H: h, W: w}}, scale, nil)
}

// add appends a layer whose top has its name; weights are its blobs' values.
func (b *tower) add(name, kind string, op models.Op, scale float32, weights [][]float32, bottoms ...string) *tower {
	b.t.Helper()
	l := &models.Layer{Name: name, Type: kind, Op: op, Bottoms: bottoms, Tops: []string{name}, Pos: models.Pos{File: "net.prototxt", Line: len(b.net.Layers) + 1}}
	for _, w := range weights {
		l.Weights = append(l.Weights, models.Blob{Shape: []int{len(w)}, Data: w})
	}
	b.net.Layers = append(b.net.Layers, l)
	b.scales = append(b.scales, scale)
	if err := b.net.Link(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.net.InferShapes(); err != nil {
		b.t.Fatal(err)
	}
	return b
}

func window(k int) models.Window {
	return models.Window{KernelH: k, KernelW: k, StrideH: 1, StrideW: 1, PadH: k / 2, PadW: k / 2, DilationH: 1, DilationW: 1}
}

func (b *tower) conv(name string, out, kernel int, scale float32, weights, bias []float32, bottom string) *tower {
	blobs := [][]float32{weights}
	if bias != nil {
		blobs = append(blobs, bias)
	}
	return b.add(name, "Convolution", models.Convolution{Window: window(kernel), Out: out, Groups: 1, Bias: bias != nil}, scale, blobs, bottom)
}

func (b *tower) relu(name string, scale float32, bottom string) *tower {
	return b.add(name, "ReLU", models.ReLU{}, scale, nil, bottom)
}

func (b *tower) sum(name string, scale float32, x, y string) *tower {
	return b.add(name, "Eltwise", models.Eltwise{Operation: models.EltwiseSum}, scale, nil, x, y)
}

func (b *tower) lower(opt lower.Options) (*hardware.Program, []error) {
	b.t.Helper()
	if opt.Target.Name == "" {
		opt.Target = hardware.Small
	}
	p, warnings, err := lower.Lower(b.net, b.scales, opt)
	if err != nil {
		b.t.Fatal(err)
	}
	return p, warnings
}

// refused checks that lowering fails with all of words.
func (b *tower) refused(opt lower.Options, words ...string) {
	b.t.Helper()
	_, _, err := lower.Lower(b.net, b.scales, opt)
	if err == nil {
		b.t.Errorf("lowered, want an error with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			b.t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// warned checks that exactly the kinds were warned of, in order.
func warned(t *testing.T, warnings []error, kinds ...lower.Kind) {
	t.Helper()
	var got []lower.Kind
	for _, w := range warnings {
		got = append(got, w.(*lower.Warning).Kind)
		if !strings.HasPrefix(w.Error(), "net.prototxt:") {
			t.Errorf("warning without a place: %v", w)
		}
	}
	if len(got) != len(kinds) {
		t.Fatalf("warnings %v, want %v: %v", got, kinds, warnings)
	}
	for i := range got {
		if got[i] != kinds[i] {
			t.Errorf("warnings %v, want %v", got, kinds)
		}
	}
}

// words are the int16 operands of a stage.
func words(p *hardware.Program, c hardware.Cube) []int16 {
	var out []int16
	data := p.Regions[c.Region].Init[c.Offset:]
	for i := 0; i < c.Size; i += 2 {
		out = append(out, int16(data[i])|int16(data[i+1])<<8)
	}
	return out
}

func bytesOf(p *hardware.Program, c hardware.Cube) []int8 {
	return signed(p.Regions[c.Region].Init[c.Offset : c.Offset+c.Size])
}

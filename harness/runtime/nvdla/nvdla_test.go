package nvdla

import (
	"math"
	"slices"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// small is a network of a convolution, ReLU, pooling, inner product, Softmax.
func small(t *testing.T) (*generator, runtime.Model) {
	t.Helper()
	g := newGenerator(3)
	g.net.Layers, g.blobs = nil, nil
	x := g.layer("Input", models.Input{Shape: models.Shape{C: 3, H: 8, W: 8}}, nil)
	same := models.Window{KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1}
	x = g.layer("ReLU", models.ReLU{}, nil, g.conv(x, same, 16, true))
	g.scale[x] = 4
	half := models.Window{KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1}
	x = g.layer("Pooling", models.Pooling{Window: half}, nil, x)
	g.scale[x] = 4
	x = g.layer("InnerProduct", models.InnerProduct{Out: 5, Bias: true}, []models.Blob{g.blob(5*256, 0.01), g.blob(5, 1)}, x)
	g.scale[x] = 0.5
	g.scale[g.layer("Softmax", models.Softmax{}, nil, x)] = 0.0079
	g.scale[g.net.Input().Name] = 1
	return g, runtime.Model{Network: g.net, Scales: g.scales(), Preprocess: datasets.Preprocess{Mean: []float32{128}}}
}

func pixels(g *generator, n int) []byte {
	out := make([]byte, n*g.net.Input().Out.Len())
	for i := range out {
		out[i] = byte(g.r.IntN(256))
	}
	return out
}

// TestScore: scores are the device's integers times the output's scale, from
// both executors, with whole and part batches.
func TestScore(t *testing.T) {
	g, m := small(t)
	for _, r := range []Runtime{{Target: "nv_small"}, {Target: "nv_large", Mode: lower.PerFilter}, {Format: lower.NHWC}} {
		p, err := r.Prepare(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Warnings()) > 0 {
			t.Errorf("warnings %v", p.Warnings())
		}
		in := pixels(g, 37)
		fast, slow := make([]float32, 37*5), make([]float32, 37*5)
		if err := p.NewWorker().Score(in, fast); err != nil {
			t.Fatal(err)
		}
		plain := *p.(*program)
		plain.fast = nil
		if err := plain.NewWorker().Score(in, slow); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(fast, slow) {
			t.Errorf("%+v: fast %v, simulator %v", r, fast[:10], slow[:10])
		}
		for _, v := range fast {
			if q := float64(v / 0.0079); math.Abs(q-math.Round(q)) > 1e-3 || q < 0 || q > 127 {
				t.Fatalf("score %v is no multiple of the output's scale", v)
			}
		}
	}
}

// TestTrace: both executors show the same values of the same layers.
func TestTrace(t *testing.T) {
	g, m := small(t)
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	plain := *p.(*program)
	plain.fast = nil
	in := pixels(g, 1)
	type seen struct {
		name    string
		values  []float32
		clipped int
	}
	trace := func(p runtime.Program) (out []seen) {
		err := p.NewWorker().(runtime.Tracer).Trace(in, func(l *models.Layer, v []float32, clipped int) {
			out = append(out, seen{l.Name, slices.Clone(v), clipped})
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b := trace(p), trace(&plain)
	if len(a) != len(b) || len(a) != 4 {
		t.Fatalf("%d and %d layers, want 4: ReLU, Pooling, InnerProduct, Softmax", len(a), len(b))
	}
	for i := range a {
		if a[i].name != b[i].name || a[i].clipped != b[i].clipped || !slices.Equal(a[i].values, b[i].values) {
			t.Errorf("layer %s and %s differ", a[i].name, b[i].name)
		}
	}
}

func TestInputModes(t *testing.T) {
	_, m := small(t)
	hw := &hardware.Program{Input: hardware.Tensor{Scale: 2}}
	quantized := newInput(Quantized, m, hw)
	// (131 - 128)/2 = 1.5 rounds to 2, (129 - 128)/2 = 0.5 to 0.
	if a, b := quantized.tables[0][131], quantized.tables[0][129]; a != 2 || b != 0 {
		t.Errorf("131 -> %d, 129 -> %d; want 2, 0", a, b)
	}
	fixed := newInput(RuntimeInput, m, hw)
	if a, b := fixed.tables[2][255], fixed.tables[2][1]; a != 127 || b != 0 {
		t.Errorf("255 -> %d, 1 -> %d; want 127, 0", a, b)
	}
	m.Preprocess.MeanImage = make([]float32, 3*64)
	m.Preprocess.MeanImage[70] = 100
	image := newInput(Quantized, m, hw)
	in := make([]byte, 3*64)
	in[70], in[71] = 110, 110
	if got := image.integers(nil, in); got[70] != 5 || got[71] != 55 || image.lut() != nil {
		t.Errorf("with a mean image %v", got[70:72])
	}
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, 10)
	if err := p.NewWorker().Score(append(in, in...), scores); err != nil || !slices.Equal(scores[:5], scores[5:]) {
		t.Errorf("%v, %v", err, scores)
	}
}

func TestPrepareRefuses(t *testing.T) {
	_, m := small(t)
	for _, c := range []struct {
		r    Runtime
		word string
	}{
		{Runtime{Target: "nv_tiny"}, "nv_small, nv_large, nv_full"},
		{Runtime{Input: "raw"}, "nvdla_runtime"},
		{Runtime{Mode: "x"}, "per-kernel"},
	} {
		if _, err := c.r.Prepare(m); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%+v: error %v, want %q", c.r, err, c.word)
		}
	}
	w := models.Window{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	g := newGenerator(3)
	g.net.Layers, g.blobs = nil, nil
	x := g.layer("Input", models.Input{Shape: models.Shape{C: 3, H: 9, W: 9}}, nil)
	g.layer("Pooling", models.Pooling{Window: w, Global: true}, nil, x)
	_, err := Runtime{}.Prepare(runtime.Model{Network: g.net, Scales: g.scales()})
	if err == nil || !strings.Contains(err.Error(), "Pooling1") || !strings.Contains(err.Error(), "driver") {
		t.Errorf("a window of 9: %v", err)
	}
}

func TestScoreChecksSizes(t *testing.T) {
	g, m := small(t)
	p, err := Runtime{}.Prepare(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []runtime.Worker{p.NewWorker(), &simulator{p: p.(*program)}} {
		if err := w.Score(pixels(g, 1)[1:], make([]float32, 5)); err == nil {
			t.Error("a picture with a byte missing is accepted")
		}
	}
}

// TestSlowPath: what the kernels cannot express runs on the simulator, with a
// warning.
func TestSlowPath(t *testing.T) {
	g := newGenerator(3)
	g.net.Layers, g.blobs = nil, nil
	x := g.layer("Input", models.Input{Shape: models.Shape{C: 8, H: 4, W: 4}}, nil)
	one := models.Window{KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	g.layer("Concat", models.Concat{}, nil, g.conv(x, one, 5, true), g.conv(x, one, 9, true))
	g.finish()
	p, err := Runtime{Target: "nv_full"}.Prepare(runtime.Model{Network: g.net, Scales: g.scales()})
	if err != nil {
		t.Fatal(err)
	}
	warnings := p.Warnings()
	if _, ok := p.NewWorker().(*simulator); !ok || !strings.Contains(warnings[len(warnings)-1].Error(), "plain simulator") {
		t.Errorf("warnings %v", warnings)
	}
}

// TestCompileRefuses: what the kernels refuse is never computed wrongly.
func TestCompileRefuses(t *testing.T) {
	g, m := small(t)
	change := func(f func(p *hardware.Program)) error {
		p, _, err := lower.Lower(g.net, m.Scales, lower.Options{Target: hardware.Small})
		if err != nil {
			t.Fatal(err)
		}
		f(p)
		_, err = compile(p, 3)
		return err
	}
	if err := change(func(*hardware.Program) {}); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(p *hardware.Program){
		"pad value":      func(p *hardware.Program) { p.Operations[0].Conv.PadValue = 1 },
		"picture":        func(p *hardware.Program) { p.Operations[0].Conv.DataFormat = hardware.FormatA8B8G8R8 },
		"weights":        func(p *hardware.Program) { p.Operations[0].Weights.Offset = 1 << 20 },
		"no weights":     func(p *hardware.Program) { p.Operations[0].Weights.Region = -1 },
		"source":         func(p *hardware.Program) { p.Operations[0].Src.Offset = 64 },
		"source channel": func(p *hardware.Program) { p.Operations[0].Src.C = 2 },
		"lut":            func(p *hardware.Program) { p.Operations[1].SDP.LUT = &hardware.LUT{} },
		"y":              func(p *hardware.Program) { p.Operations[1].SDP.Y.Enable = true },
		"alu":            func(p *hardware.Program) { p.Operations[1].SDP.X1.ALU = hardware.ALUMin },
		"int8 operands":  func(p *hardware.Program) { p.Operations[1].SDP.X1.Precision = hardware.Int8 },
		"x2":             func(p *hardware.Program) { p.Operations[1].SDP.X2 = p.Operations[1].SDP.X1 },
		"no convolution": func(p *hardware.Program) { p.Operations[1].FusedParent = 7 },
		"minimum":        func(p *hardware.Program) { p.Operations[2].PDP.Mode = hardware.PoolMin },
		"engine":         func(p *hardware.Program) { p.Operations[2].Kind = hardware.BDMA },
		"no table":       func(p *hardware.Program) { p.Operations[2].Kind = hardware.CDP },
		"table": func(p *hardware.Program) {
			p.Operations[2].Kind, p.Operations[2].CDP = hardware.CDP, &hardware.CDPDesc{LUT: &hardware.LUT{LE: [65]int16{1}}}
		},
		"rubik": func(p *hardware.Program) {
			p.Operations[2].Kind, p.Operations[2].Rubik = hardware.Rubik, &hardware.RubikDesc{StrideX: 2, StrideY: 2}
		},
		"softmax": func(p *hardware.Program) { p.Operations[5].Src.W = 2 },
		"output":  func(p *hardware.Program) { p.Operations, p.Output.Cube.Offset = p.Operations[:5], 1 },
	} {
		if err := change(f); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}

// TestRegisters: operands in registers, a stage that only shifts, and sums in X1
// behind one another give the simulator's bytes.
func TestRegisters(t *testing.T) {
	g, m := small(t)
	for name, f := range map[string]func(s *hardware.SDPDesc){
		"per layer": func(s *hardware.SDPDesc) {
			s.X1 = hardware.SDPStage{Enable: true, ALU: hardware.ALUSum, Type: hardware.SDPBoth, Mode: hardware.PerLayer, ALUOperand: -77, MulOperand: 300, Shift: 2, Truncate: 9, Precision: hardware.Int16}
		},
		"truncate only": func(s *hardware.SDPDesc) { s.X1.Truncate = 3 },
		"off":           func(s *hardware.SDPDesc) { s.X1.Enable = false },
		"no converter":  func(s *hardware.SDPDesc) { s.OutCvt.Enable = false },
	} {
		p, _, err := lower.Lower(g.net, m.Scales, lower.Options{Target: hardware.Small})
		if err != nil {
			t.Fatal(err)
		}
		f(p.Operations[1].SDP)
		if err := sameBytes(g, p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := simulate.New(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package nvdla

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// generator makes random small networks with weights and scales.
type generator struct {
	r   *rand.Rand
	net *models.Network
	// shapes of the blobs so far, by name
	blobs  []string
	shapes map[string]models.Shape
	scale  map[string]float32
}

func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 7)), shapes: map[string]models.Shape{}, scale: map[string]float32{}}
	g.net = &models.Network{Name: "random", File: fmt.Sprintf("random-%d.prototxt", seed)}
	s := models.Shape{C: 1 + g.r.IntN([]int{4, 20}[g.r.IntN(2)]), H: 1 + g.r.IntN(12), W: 1 + g.r.IntN(12)}
	g.layer("Input", models.Input{Shape: s}, nil)
	return g
}

// layer appends a layer that writes a blob of its own name,
// or, where the shapes do not fit, writes none ("") and leaves the network alone.
func (g *generator) layer(kind string, op models.Op, weights []models.Blob, bottoms ...string) string {
	if slices.Contains(bottoms, "") {
		return ""
	}
	name := fmt.Sprintf("%s%d", kind, len(g.net.Layers))
	l := &models.Layer{Name: name, Type: kind, Op: op, Weights: weights, Bottoms: bottoms, Tops: []string{name}, Pos: models.Pos{File: g.net.File, Line: len(g.net.Layers) + 1}}
	g.net.Layers = append(g.net.Layers, l)
	if err := g.net.Link(); err != nil {
		panic(err)
	}
	if err := g.net.InferShapes(); err != nil {
		g.net.Layers = g.net.Layers[:len(g.net.Layers)-1]
		return ""
	}
	g.blobs = append(g.blobs, name)
	g.shapes[name] = l.Out
	g.scale[name] = 0.005 + 0.1*g.r.Float32()
	if g.r.IntN(3) == 0 && len(bottoms) > 0 {
		g.scale[name] = g.scale[bottoms[0]]
	}
	return name
}

func (g *generator) blob(n int, spread float32) models.Blob {
	b := models.Blob{Shape: []int{n}, Data: make([]float32, n)}
	kind := g.r.IntN(8)
	if kind == 1 && g.r.IntN(3) == 0 {
		spread *= 100 // sums and operands at their limits
	}
	for i := range b.Data {
		b.Data[i] = spread * float32(g.r.NormFloat64())
		if kind == 0 && g.r.IntN(3) == 0 {
			b.Data[i] = 0
		}
	}
	return b
}

// last and any choose a blob.
func (g *generator) last() string { return g.blobs[len(g.blobs)-1] }
func (g *generator) any() string  { return g.blobs[g.r.IntN(len(g.blobs))] }

func (g *generator) window(s models.Shape) models.Window {
	most := []int{4, 4, 11}[g.r.IntN(3)]
	k := func(n, pad int) int { return 1 + g.r.IntN(min(n+2*pad, most)) }
	w := models.Window{StrideH: 1 + g.r.IntN(3), StrideW: 1 + g.r.IntN(4), PadH: g.r.IntN(3), PadW: g.r.IntN(3), DilationH: 1, DilationW: 1}
	w.KernelH, w.KernelW = k(s.H, w.PadH), k(s.W, w.PadW)
	return w
}

func (g *generator) conv(bottom string, w models.Window, out int, bias bool) string {
	s := g.shapes[bottom]
	n := s.C * w.KernelH * w.KernelW
	blobs := []models.Blob{g.blob(out*n, 0.3)}
	if g.r.IntN(6) == 0 {
		clear(blobs[0].Data[:n]) // a kernel of zeros
	}
	if bias {
		blobs = append(blobs, g.blob(out, 1+10*g.r.Float32()))
	}
	return g.layer("Convolution", models.Convolution{Window: w, Out: out, Groups: 1, Bias: bias}, blobs, bottom)
}

// grouped is a convolution in groups, or a dilated one.
func (g *generator) grouped(bottom string) string {
	s, w := g.shapes[bottom], models.Window{KernelH: 3, KernelW: 1 + g.r.IntN(3), StrideH: 1, StrideW: 1, PadH: 2, PadW: 2, DilationH: 1 + g.r.IntN(2), DilationW: 1 + g.r.IntN(2)}
	groups := 1
	if g.r.IntN(2) == 0 {
		groups = s.C
	}
	out := groups * (1 + g.r.IntN(3))
	blobs := []models.Blob{g.blob(out*s.C/groups*w.KernelH*w.KernelW, 0.3), g.blob(out, 5)}
	return g.layer("Convolution", models.Convolution{Window: w, Out: out, Groups: groups, Bias: true}, blobs, bottom)
}

// deconv is a deconvolution of a shape that the compiler takes, or near it.
func (g *generator) deconv(bottom string) string {
	h, v := 1+g.r.IntN(3), 1+g.r.IntN(3)
	w := models.Window{KernelH: h, KernelW: v, StrideH: h, StrideW: v, DilationH: 1, DilationW: 1}
	if g.r.IntN(3) == 0 {
		w.KernelH, w.PadH = 2*h, h
	}
	op := models.Deconvolution{Window: w, Out: 1 + g.r.IntN(40), Groups: 1, Bias: g.r.IntN(2) == 0}
	blobs := []models.Blob{g.blob(op.Out*g.shapes[bottom].C*w.KernelH*w.KernelW, 0.3)}
	if op.Bias {
		blobs = append(blobs, g.blob(op.Out, 5))
	}
	return g.layer("Deconvolution", op, blobs, bottom)
}

// affine is a Scale, with or without offsets, with factors of both signs.
func (g *generator) affine(bottom string) string {
	c := g.shapes[bottom].C
	blobs := []models.Blob{g.blob(c, 1), g.blob(c, 3)}
	bias := g.r.IntN(2)
	return g.layer("Scale", models.Scale{Bias: bias > 0}, blobs[:1+bias], bottom)
}

func (g *generator) norm(bottom string) string {
	c := g.shapes[bottom].C
	variance := g.blob(c, 1)
	for i, v := range variance.Data {
		variance.Data[i] = v*v + 0.01
	}
	x := g.layer("BatchNorm", models.BatchNorm{Eps: 1e-5}, []models.Blob{g.blob(c, 1), variance, {Shape: []int{1}, Data: []float32{0.97}}}, bottom)
	return g.layer("Scale", models.Scale{Bias: true}, []models.Blob{g.blob(c, 1), g.blob(c, 1)}, x)
}

// step appends one layer or block.
func (g *generator) step() {
	x := g.last()
	if g.r.IntN(4) == 0 {
		x = g.any()
	}
	s := g.shapes[x]
	same := models.Window{KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1}
	switch g.r.IntN(13) {
	case 8:
		x = g.grouped(x)
	case 9:
		x = g.deconv(x)
	case 10:
		x = g.affine(x)
	case 11: // what changes nothing, or only the CPU computes
		if x = g.layer("Dropout", models.Dropout{}, nil, x); g.r.IntN(4) == 0 {
			x = g.layer("LRN", models.LRN{Size: 5, Alpha: 1, Beta: 0.75, K: 1}, nil, x)
		}
		if g.r.IntN(2) == 0 {
			x = g.layer("Power", models.Power{Power: 1, Scale: 2 * g.r.Float32()}, nil, x)
		}
	case 12: // three branches, one of which joins two itself
		w := models.Window{KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		inner := g.layer("Concat", models.Concat{}, nil, g.conv(x, w, 32, true), g.conv(x, same, 1+g.r.IntN(40), true))
		g.layer("Concat", models.Concat{}, nil, g.conv(x, w, 32*(1+g.r.IntN(2)), g.r.IntN(2) == 0), inner)
		return
	case 0, 1:
		x = g.conv(x, g.window(s), 1+g.r.IntN(40), g.r.IntN(4) > 0)
	case 2:
		x = g.norm(g.conv(x, same, 8*(1+g.r.IntN(4)), g.r.IntN(2) == 0))
	case 3: // residual block
		y := g.norm(g.conv(x, same, s.C, false))
		y = g.layer("ReLU", models.ReLU{}, nil, y)
		y = g.norm(g.conv(y, same, s.C, g.r.IntN(2) == 0))
		x = g.layer("Eltwise", models.Eltwise{Operation: models.EltwiseSum}, nil, x, y)
	case 4: // projection block
		w := models.Window{KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		out := 1 + g.r.IntN(20)
		x = g.layer("Eltwise", models.Eltwise{Operation: models.EltwiseSum}, nil, g.conv(x, same, out, true), g.conv(x, w, out, g.r.IntN(3) > 0))
	case 5:
		m := models.PoolMethod(g.r.IntN(2))
		w := g.window(s)
		w.PadH, w.PadW = min(w.PadH, w.KernelH-1), min(w.PadW, w.KernelW-1)
		op := models.Pooling{Window: w, Method: m}
		if g.r.IntN(6) == 0 {
			op = models.Pooling{Global: true, Method: m, Window: models.Window{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}}
		}
		g.layer("Pooling", op, nil, x)
		return
	case 6: // two branches
		w := models.Window{KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		a, b := 32*(1+g.r.IntN(2)), 1+g.r.IntN(40)
		if g.r.IntN(4) == 0 {
			a = 1 + g.r.IntN(40)
		}
		g.layer("Concat", models.Concat{}, nil, g.conv(x, same, a, true), g.conv(x, w, b, true))
		return
	case 7:
		x = g.norm(x)
	}
	if g.r.IntN(2) == 0 {
		g.layer("ReLU", models.ReLU{}, nil, x) // of nothing, if x did not fit
	}
}

// finish closes all open ends with one output.
func (g *generator) finish() {
	x := g.last()
	s := g.shapes[x]
	if g.r.IntN(8) == 0 { // a picture is the result
		return
	}
	if g.r.IntN(4) == 0 {
		x = g.layer("Flatten", models.Flatten{}, nil, x)
	}
	n := 2 + g.r.IntN(12)
	x = g.layer("InnerProduct", models.InnerProduct{Out: n, Bias: true}, []models.Blob{g.blob(n*s.Len(), 0.1), g.blob(n, 1)}, x)
	if g.r.IntN(2) == 0 {
		g.layer("Softmax", models.Softmax{}, nil, x)
	}
}

func (g *generator) scales() []float32 {
	out := make([]float32, len(g.net.Layers))
	for i, l := range g.net.Layers {
		out[i] = g.scale[l.Name]
	}
	return out
}

// networks is how many random networks the test runs: QUANTBENCH_NETWORKS, or 50.
func networks(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("QUANTBENCH_NETWORKS")); err == nil {
		return n
	}
	if testing.Short() {
		return 10
	}
	return 50
}

// TestRandomNetworks: the fast kernels leave the bytes of the simulator, for
// random networks, targets, modes and profiles.
func TestRandomNetworks(t *testing.T) {
	var ran, fastRan, refused, undriven int
	kinds := map[string]int{}
	reasons := map[string]int{}
	want := networks(t)
	for seed := uint64(1); ran < want; seed++ {
		if seed > uint64(20*want) {
			t.Fatalf("only %d of %d networks could be lowered", ran, want)
		}
		g := newGenerator(seed)
		for range 1 + g.r.IntN(5) {
			g.step()
		}
		g.finish()
		opt := lower.Options{
			Target:  hardware.Targets[g.r.IntN(3)],
			Mode:    []lower.Mode{lower.PerKernel, lower.PerFilter}[g.r.IntN(2)],
			Profile: []lower.Profile{lower.FastMath, lower.FastMath, lower.Default, lower.Basic, lower.Performance}[g.r.IntN(5)],
			Whole:   g.r.IntN(8) > 0,
		}
		opt.InputFormat = []lower.InputFormat{lower.NCxHWx, lower.NCHW, lower.NHWC}[g.r.IntN(3)]
		for _, f := range lower.Fixes {
			if g.r.IntN(6) == 0 {
				opt.Fixes = append(opt.Fixes, f)
			}
		}
		p, _, err := lower.Lower(g.net, g.scales(), opt)
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), "layer ") {
				t.Errorf("seed %d: a refusal that names no layer: %v", seed, err)
			}
			continue
		}
		if err := writes(p); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		if err := simulate.Check(p); err != nil {
			undriven++
			continue
		}
		for _, l := range g.net.Layers {
			kinds[l.Type]++
		}
		ran++
		if err := sameBytes(g, p); err == nil {
			fastRan++
		} else if fmt.Sprintf("%T", err) == "*nvdla.difference" {
			t.Errorf("seed %d, %s %s %s: %v", seed, opt.Target.Name, opt.Mode, opt.Profile, err)
		} else {
			reasons[err.Error()]++
		}
	}
	t.Logf("%d networks ran, %d of them on the fast kernels with equal bytes; %d refused by the lowering, %d by the driver; not expressible: %v; layers: %v", ran, fastRan, refused, undriven, reasons, kinds)
	if fastRan < ran/2 {
		t.Errorf("only %d of %d networks ran on the fast kernels", fastRan, ran)
	}
}

// writes checks that the operations can be shown as JSON.
func writes(p *hardware.Program) error {
	var out bytes.Buffer
	if err := lower.WriteJSON(&out, p); err != nil {
		return err
	}
	if !json.Valid(out.Bytes()) {
		return fmt.Errorf("no JSON: %.200s", out.String())
	}
	return nil
}

// difference is an output that is not the simulator's.
type difference struct{ text string }

func (d *difference) Error() string { return d.text }

// sameBytes runs 17 extreme and random inputs both ways.
func sameBytes(g *generator, p *hardware.Program) error {
	f, err := compile(p, g.net.Input().Out.C)
	if err != nil {
		return err
	}
	m, err := simulate.New(p)
	if err != nil {
		return err
	}
	const pictures = 17
	size := g.net.Input().Out.Len()
	in := make([]int8, pictures*size)
	for i := range in {
		in[i] = int8(g.r.IntN(256) - 128)
		switch i / size {
		case 0:
			in[i] = -128
		case 1:
			in[i] = 127
		}
	}
	w := newFastWorker(&program{hardware: p, fast: f, input: &input{}})
	if err := w.compute.RunInt8(in[:16*size]); err != nil {
		return &difference{err.Error()}
	}
	for i := range pictures {
		if i == 16 {
			if err := w.compute.RunInt8(in[16*size:]); err != nil {
				return &difference{err.Error()}
			}
		}
		want, err := m.Run(in[i*size : (i+1)*size])
		if err != nil {
			return &difference{err.Error()}
		}
		if got := w.integers(i % 16); !slices.Equal(got, want) {
			return &difference{fmt.Sprintf("picture %d: %v, the simulator has %v", i, got, want)}
		}
	}
	return nil
}

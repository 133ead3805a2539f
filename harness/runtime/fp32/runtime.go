package fp32

import (
	"fmt"

	"quantbench/datasets"
	"quantbench/harness/compute"
	"quantbench/harness/diagnose"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// Runtime is the float reference; see the package comment.
type Runtime struct {
	// Winograd computes most 3x3 convolutions by F(2x2,3x3): faster, with scores
	// that differ from those of direct sums by rounding.
	Winograd bool
}

var (
	_ runtime.Runtime     = Runtime{}
	_ runtime.Program     = (*Program)(nil)
	_ runtime.Worker      = (*Worker)(nil)
	_ runtime.Tracer      = (*Worker)(nil)
	_ runtime.GroupTracer = (*Worker)(nil)
)

// Name is "fp32".
func (Runtime) Name() string { return "fp32" }

// Prepare compiles the network with fused layers.
func (r Runtime) Prepare(m runtime.Model) (runtime.Program, error) {
	c := newCompiler(m.Network)
	c.b.Winograd = r.Winograd
	return prepare(m, c, func() error { return c.run(fuse.Stages(m.Network)) })
}

// PrepareUnfused compiles the network with a tensor of its own for every layer,
// as calibration and tracing need it; convolutions are direct sums.
func PrepareUnfused(m runtime.Model) (*Program, error) {
	c := newCompiler(m.Network)
	return prepare(m, c, func() error { return c.run(fuse.Single(m.Network)) })
}

// Program is a network prepared for float execution.
type Program struct {
	net      *models.Network
	program  *compute.Program
	pre      datasets.Preprocess
	lut      compute.LUT
	output   compute.Tensor
	winograd bool // was asked for
	// layers lists, for each tensor, the layers whose output it is: several where
	// a layer changes nothing (Dropout, Split, Flatten).
	layers map[compute.Tensor][]*models.Layer
}

func prepare(m runtime.Model, c *compiler, compile func() error) (*Program, error) {
	if n := len(m.Network.Inputs()); n != 1 {
		return nil, fmt.Errorf("%s: the network has %d inputs, the fp32 runtime takes one", m.Network.File, n)
	}
	in := m.Network.Input().Out
	if err := m.Preprocess.Check(in.C, in.H, in.W); err != nil {
		return nil, err
	}
	p := &Program{net: m.Network, pre: m.Preprocess, layers: map[compute.Tensor][]*models.Layer{}}
	for c := range in.C {
		p.lut.Float32 = append(p.lut.Float32, m.Preprocess.LUT(c))
	}
	if err := checkAll(m.Network); err != nil {
		return nil, err
	}
	p.winograd = c.b.Winograd
	if err := compile(); err != nil {
		return nil, err
	}
	for _, l := range m.Network.Layers {
		if x := c.tensors[l.Index]; x != 0 {
			p.layers[x] = append(p.layers[x], l)
		}
	}
	p.output = c.tensors[m.Network.Output().Index]
	c.b.Keep(p.output)
	var err error
	p.program, err = c.b.Build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Network.File, err)
	}
	return p, nil
}

// Warnings are none, or the note that Winograd's algorithm was used: the scores
// are then not those of direct sums.
func (p *Program) Warnings() []error {
	if !p.winograd {
		return nil
	}
	n, of := p.program.Winograd()
	return []error{diagnose.Finding{Code: "RT002", Severity: diagnose.Note,
		Fact:   fmt.Sprintf("%d of %d layers with weights are computed by Winograd's F(2x2,3x3); scores differ from those of direct sums by rounding", n, of),
		Advice: "leave winograd out for the reference's exact scores"}}
}

// Batch is the number of pictures that a worker runs in one go.
func (p *Program) Batch() int { return p.program.Batch() }

// NewWorker makes an executor; it is a *Worker.
func (p *Program) NewWorker() runtime.Worker { return p.Worker() }

// Worker makes an executor with buffers of its own.
func (p *Program) Worker() *Worker {
	w := &Worker{p: p, w: p.program.NewWorker(), picture: p.net.Input().Out.Len()}
	if len(p.pre.MeanImage) > 0 {
		w.floats = make([]float32, w.picture*p.Batch())
	}
	return w
}

// Worker runs one program; it is not safe for concurrent use.
type Worker struct {
	p       *Program
	w       *compute.Worker
	picture int       // bytes
	floats  []float32 // the inputs of a batch, with a mean image only
	values  []float32 // one layer, for Trace
}

// batch runs the pictures of one batch.
func (w *Worker) batch(pixels []byte) error {
	if w.floats == nil {
		return w.w.RunBytes(pixels, &w.p.lut)
	}
	in := w.p.net.Input().Out
	for i := 0; i < len(pixels); i += w.picture {
		w.p.pre.Floats(pixels[i:i+w.picture], in.C, in.H, in.W, w.floats[i:i+w.picture])
	}
	return w.w.RunFloat32(w.floats[:len(pixels)])
}

// each runs any number of pictures, a batch at a time; done gets the index of a
// batch's first picture and their number.
func (w *Worker) each(pixels []byte, done func(first, count int)) error {
	if len(pixels)%w.picture != 0 {
		return fmt.Errorf("%s: %d bytes are not a number of pictures of %s", w.p.net.File, len(pixels), w.p.net.Input().Out)
	}
	size := w.w.Batch() * w.picture
	for at := 0; at < len(pixels); at += size {
		part := pixels[at:min(at+size, len(pixels))]
		if err := w.batch(part); err != nil {
			return err
		}
		done(at/w.picture, len(part)/w.picture)
	}
	return nil
}

// Score runs any number of pictures; see runtime.Worker.
func (w *Worker) Score(pixels []byte, scores []float32) error {
	classes := w.p.net.Output().Out.Len()
	if n := len(pixels) / w.picture; len(scores) != n*classes {
		return fmt.Errorf("%s: room for %d scores, %d pictures have %d each", w.p.net.File, len(scores), n, classes)
	}
	return w.each(pixels, func(first, count int) {
		for i := range count {
			w.w.Float32(w.p.output, i, scores[(first+i)*classes:(first+i+1)*classes])
		}
	})
}

// View is one layer's tensor, for some of the pictures of a run. It is valid
// during the call that receives it.
type View struct {
	Layer *models.Layer
	// First is the index of the view's first picture in the run, Count their
	// number.
	First, Count int

	w  *compute.Worker
	x  compute.Tensor
	at int // First's index in the batch
}

// Visit shows all values of all pictures of the view, in pieces and in no
// particular order; the pieces must not be changed or kept.
func (v View) Visit(see func(values []float32)) { v.w.Visit(v.x, v.at, v.Count, see) }

// Picture copies the values of picture First+i to dst, C x H x W.
func (v View) Picture(i int, dst []float32) { v.w.Float32(v.x, v.at+i, dst) }

// Watch runs any number of pictures and shows every tensor as soon as it is
// computed: layer by layer in network order for each group of pictures.
func (w *Worker) Watch(pixels []byte, see func(View)) error {
	base := 0
	w.w.Watch(func(x compute.Tensor, first, count int) {
		for _, l := range w.p.layers[x] {
			see(View{Layer: l, First: base + first, Count: count, w: w.w, x: x, at: first})
		}
	})
	defer w.w.Watch(nil)
	return w.each(pixels, func(first, count int) { base = first + count })
}

// Trace shows the layers of one picture; see runtime.Tracer. Layers that were
// fused into a later one are left out, with PrepareUnfused there are none.
func (w *Worker) Trace(pixels []byte, see func(l *models.Layer, values []float32, clipped int)) error {
	if len(pixels) != w.picture {
		return fmt.Errorf("%s: %d bytes are not one picture of %s", w.p.net.File, len(pixels), w.p.net.Input().Out)
	}
	return w.TraceGroup(pixels, func(l *models.Layer, _ int, values []float32, clipped int) { see(l, values, clipped) })
}

// TraceGroup shows the layers of several pictures; see runtime.GroupTracer.
func (w *Worker) TraceGroup(pixels []byte, see func(l *models.Layer, picture int, values []float32, clipped int)) error {
	return w.Watch(pixels, func(v View) {
		n := v.Layer.Out.Len()
		if len(w.values) < n {
			w.values = make([]float32, n)
		}
		for i := range v.Count {
			v.Picture(i, w.values[:n])
			see(v.Layer, v.First+i, w.values[:n], 0)
		}
	})
}

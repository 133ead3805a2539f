package nvdla

import (
	"quantbench/harness/compute"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// fastWorker runs pictures on the kernels.
type fastWorker struct {
	p         *program
	compute   *compute.Worker
	lut       *compute.LUT
	in        []int8
	out, cut  []int8 // the kernels' output of a picture, and softmax of it
	operation map[compute.Tensor]int
}

var (
	_ runtime.Tracer      = (*fastWorker)(nil)
	_ runtime.GroupTracer = (*fastWorker)(nil)
)

func newFastWorker(p *program) *fastWorker {
	w := &fastWorker{p: p, compute: p.fast.program.NewWorker(), lut: p.input.lut(), operation: map[compute.Tensor]int{}}
	w.out, w.cut = make([]int8, p.classes()), make([]int8, p.classes())
	for i, t := range p.fast.tensors {
		if t != 0 {
			w.operation[t] = i
		}
	}
	return w
}

// Score runs pictures and gives the output's real values.
func (w *fastWorker) Score(pixels []byte, scores []float32) error {
	n, err := w.p.check(pixels, scores)
	if err != nil {
		return err
	}
	size, classes := w.p.model.Network.Input().Out.Len(), w.p.classes()
	for n > 0 {
		k := min(n, w.compute.Batch())
		if err := w.run(pixels[:k*size]); err != nil {
			return err
		}
		for i := range k {
			w.p.real(w.integers(i), scores[i*classes:(i+1)*classes])
		}
		pixels, scores, n = pixels[k*size:], scores[k*classes:], n-k
	}
	return nil
}

// run executes up to a batch of pictures.
func (w *fastWorker) run(pixels []byte) error {
	if w.lut != nil {
		return w.compute.RunBytes(pixels, w.lut)
	}
	size := w.p.model.Network.Input().Out.Len()
	w.in = w.in[:0]
	for at := 0; at < len(pixels); at += size {
		w.in = w.p.input.integers(w.in, pixels[at:at+size])
	}
	return w.compute.RunInt8(w.in)
}

// integers are what the device writes for a picture of the last run.
func (w *fastWorker) integers(picture int) []int8 {
	w.compute.Int8(w.p.fast.output, picture, w.out)
	if w.p.fast.softmax == nil {
		return w.out
	}
	w.p.fast.softmax.Softmax(w.out, w.cut)
	return w.cut
}

// Trace runs one picture and shows what every operation wrote for a layer.
func (w *fastWorker) Trace(pixels []byte, see func(l *models.Layer, values []float32, clipped int)) error {
	return w.TraceGroup(pixels, func(l *models.Layer, _ int, values []float32, clipped int) { see(l, values, clipped) })
}

// TraceGroup is Trace of up to a batch of pictures.
func (w *fastWorker) TraceGroup(pixels []byte, see func(l *models.Layer, picture int, values []float32, clipped int)) error {
	ops := w.p.hardware.Operations
	real := make([]float32, w.p.classes())
	show := func(op, picture int, q []int8) {
		if len(real) < len(q) {
			real = make([]float32, len(q))
		}
		w.p.show(op, q, real, func(l *models.Layer, values []float32, clipped int) { see(l, picture, values, clipped) })
	}
	w.compute.Watch(func(t compute.Tensor, first, count int) {
		op, ok := w.operation[t]
		if !ok {
			return
		}
		c := ops[op].Dst
		q := make([]int8, c.C*c.H*c.W)
		for i := first; i < first+count; i++ {
			w.compute.Int8(t, i, q)
			show(op, i, q)
		}
	})
	defer w.compute.Watch(nil)
	if err := w.run(pixels); err != nil {
		return err
	}
	if last := len(ops) - 1; ops[last].Kind == hardware.CPUSoftmax {
		for i := range len(pixels) / w.p.model.Network.Input().Out.Len() {
			show(last, i, w.integers(i))
		}
	}
	return nil
}

package tensorrt

import (
	"math"

	"quantbench/harness/compute"
	"quantbench/harness/runtime"
	"quantbench/models"
)

// worker executes a program.
type worker struct {
	p       *program
	compute *compute.Worker
	sums    []int32
	real    []float32
	ints    []int8
	inputs  []int8 // quantized pictures, where a mean image rules out a table
	watched map[compute.Tensor]tensor
}

var _ runtime.GroupTracer = (*worker)(nil)
var _ runtime.Tracer = (*worker)(nil)

// NewWorker makes an executor with buffers of its own.
func (p *program) NewWorker() runtime.Worker {
	w := &worker{p: p, compute: p.compute.NewWorker(), watched: map[compute.Tensor]tensor{}}
	largest := 0
	for _, t := range p.tensors {
		if t.layer != nil {
			w.watched[t.id] = t
			largest = max(largest, t.layer.Out.Len())
		}
	}
	w.sums, w.real, w.ints = make([]int32, largest), make([]float32, largest), make([]int8, largest)
	return w
}

// Score runs pictures and gives the output layer's real values.
func (w *worker) Score(pixels []byte, scores []float32) error {
	size, classes := w.p.model.Network.Input().Out.Len(), w.p.model.Network.Output().Out.Len()
	for n := len(pixels) / size; n > 0; {
		k := min(n, w.compute.Batch())
		if err := w.run(pixels[:k*size]); err != nil {
			return err
		}
		for i := range k {
			w.output(i, scores[i*classes:(i+1)*classes])
		}
		pixels, scores, n = pixels[k*size:], scores[k*classes:], n-k
	}
	return nil
}

// run executes up to a batch of pictures.
func (w *worker) run(pixels []byte) error {
	if w.p.lut != nil {
		return w.compute.RunBytes(pixels, w.p.lut)
	}
	in := w.p.model.Network.Input()
	w.inputs = w.inputs[:0]
	plane := in.Out.H * in.Out.W
	for i, b := range pixels {
		i %= in.Out.Len()
		w.inputs = append(w.inputs, Quantize(w.p.model.Preprocess.Value(b, i/plane, i), w.p.model.Scales[in.Index]))
	}
	return w.compute.RunInt8(w.inputs)
}

// output reads the last layer's values of one picture.
func (w *worker) output(picture int, dst []float32) {
	w.read(w.p.tensors[w.p.output], picture, dst)
	if w.p.softmax {
		softmax(dst)
	}
}

// read gives a tensor's real values and how many integers are at a limit.
func (w *worker) read(t tensor, picture int, dst []float32) (clipped int) {
	switch n := len(dst); {
	case t.logits != nil:
		w.compute.Int32(t.id, picture, w.sums[:n])
		per := n / len(t.logits.mul)
		for i, s := range w.sums[:n] {
			k := i / per
			dst[i] = float32(float32(s)*t.logits.mul[k]) + t.logits.bias[k]
		}
	case t.scale > 0:
		w.compute.Int8(t.id, picture, w.ints[:n])
		for i, q := range w.ints[:n] {
			dst[i] = float32(q) * t.scale
			if q == 127 || q == -128 {
				clipped++
			}
		}
	default:
		w.compute.Float32(t.id, picture, dst)
	}
	return clipped
}

// softmax normalises in place, in float64 for the sum.
func softmax(x []float32) {
	largest, sum := float64(math.Inf(-1)), 0.0
	for _, v := range x {
		largest = max(largest, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - largest)
	}
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v)-largest) / sum)
	}
}

// Trace runs one picture and shows the tensor of every stage.
func (w *worker) Trace(pixels []byte, see func(l *models.Layer, values []float32, clipped int)) error {
	return w.TraceGroup(pixels, func(l *models.Layer, _ int, values []float32, clipped int) { see(l, values, clipped) })
}

// TraceGroup is Trace of up to a batch of pictures.
func (w *worker) TraceGroup(pixels []byte, see func(l *models.Layer, picture int, values []float32, clipped int)) error {
	w.compute.Watch(func(x compute.Tensor, first, count int) {
		t, ok := w.watched[x]
		if !ok {
			return
		}
		values := w.real[:t.layer.Out.Len()]
		if w.p.softmax && t.layer.Index == w.p.output {
			t.layer = t.layer.From[0] // the sums belong to the layer before the Softmax
		}
		for i := first; i < first+count; i++ {
			clipped := w.read(t, i, values)
			see(t.layer, i, values, clipped)
		}
	})
	defer w.compute.Watch(nil)
	return w.run(pixels)
}

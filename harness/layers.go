package harness

import (
	"context"
	"math"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
)

// layerPictures is how many pictures the error of each layer is taken over.
const layerPictures = 32

// maxSQNR caps a ratio whose noise is (nearly) zero, dB.
const maxSQNR = 99

// layerSum gathers one layer's signal, noise and integers.
type layerSum struct {
	signal, noise, power, dot float64
	clipped, dead, elements   int
	codes                     [256]bool
}

// layerErrors compares each layer output of a quantized program with the float
// reference on the first pictures. Programs that cannot be traced have none.
func (e *Experiment) layerErrors(ctx context.Context, p Point, m runtime.Model, program runtime.Program, pix *pixels) ([]record.LayerError, error) {
	tracer, ok := program.NewWorker().(runtime.Tracer)
	if !ok || p.Runtime == FP32 {
		return nil, nil
	}
	sums, err := compareTraces(ctx, m, tracer, stepsOf(program, m.Network), pix, layerPictures)
	if err != nil {
		return nil, err
	}
	return layerRecords(m.Network, sums, stepsOf(program, m.Network)), nil
}

// stepsOf are the integer steps of a program's tensors, zeros if it has none.
func stepsOf(program runtime.Program, n *models.Network) []float32 {
	if g, ok := program.(emulated.Grid); ok {
		return g.Steps()
	}
	return make([]float32, len(n.Layers))
}

// compareTraces traces pictures in float and in another program, and sums up the
// differences by layer.
func compareTraces(ctx context.Context, m runtime.Model, tracer runtime.Tracer, steps []float32, pix *pixels, pictures int) ([]layerSum, error) {
	m.Scales = nil
	reference, err := fp32.PrepareUnfused(m)
	if err != nil {
		return nil, err
	}
	float := reference.NewWorker().(runtime.Tracer)
	sums := make([]layerSum, len(m.Network.Layers))
	want := make([][][]float32, len(m.Network.Layers)) // by layer and picture of a group
	pictures = min(pictures, pix.n())
	group := traceGroup(m.Network)
	for i := range want {
		want[i] = make([][]float32, group)
	}
	for i := 0; i < pictures; i += group {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pixels, err := pix.Read(ctx, i, min(i+group, pictures), nil)
		if err != nil {
			return nil, err
		}
		err = trace(float, pixels, pix.size, func(l *models.Layer, picture int, values []float32, _ int) {
			want[l.Index][picture] = append(want[l.Index][picture][:0], values...)
		})
		if err != nil {
			return nil, err
		}
		err = trace(tracer, pixels, pix.size, func(l *models.Layer, picture int, values []float32, clipped int) {
			sums[l.Index].add(want[l.Index][picture], values, clipped, steps[l.Index])
		})
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// traceValues is how many values of a group of pictures are kept for comparison.
const traceValues = 16 << 20

// traceGroup is how many pictures of a network are traced at once: up to the 16
// of a GroupTracer, fewer where their values would take much memory.
func traceGroup(n *models.Network) int {
	values := 1
	for _, l := range n.Layers {
		values += l.Out.Len()
	}
	return max(1, min(16, traceValues/values))
}

// trace shows the layers of pictures of so many bytes.
func trace(t runtime.Tracer, pixels []byte, size int, see func(l *models.Layer, picture int, values []float32, clipped int)) error {
	if g, ok := t.(runtime.GroupTracer); ok {
		return g.TraceGroup(pixels, see)
	}
	for i := range len(pixels) / size {
		err := t.Trace(pixels[i*size:][:size], func(l *models.Layer, values []float32, clipped int) { see(l, i, values, clipped) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *layerSum) add(want, got []float32, clipped int, step float32) {
	for i, g := range got {
		x, y := float64(want[i]), float64(g)
		s.signal += x * x
		s.noise += (x - y) * (x - y)
		s.power += y * y
		s.dot += x * y
		if x != 0 && y == 0 {
			s.dead++
		}
		if step != 0 {
			s.codes[(int(math.Round(float64(g/step)))+128)&255] = true
		}
	}
	s.clipped += clipped
	s.elements += len(got)
}

// sqnr is the signal-to-quantization-noise ratio in dB.
func (s *layerSum) sqnr() float64 {
	ratio := 10 * math.Log10(s.signal/s.noise)
	switch {
	case s.noise == 0 || ratio > maxSQNR:
		return maxSQNR
	case s.signal == 0 || ratio < -maxSQNR:
		return -maxSQNR
	}
	return ratio
}

// cosine is the cosine of the angle between both tensors.
func (s *layerSum) cosine() float64 {
	switch {
	case s.signal == 0 && s.power == 0:
		return 1
	case s.signal == 0 || s.power == 0:
		return 0
	}
	return max(-1, min(1, s.dot/math.Sqrt(s.signal*s.power)))
}

// unused is the share of codes that never occurred.
func (s *layerSum) unused() float64 {
	n := 0
	for _, used := range s.codes {
		if !used {
			n++
		}
	}
	return float64(n) / float64(len(s.codes))
}

func layerRecords(n *models.Network, sums []layerSum, steps []float32) []record.LayerError {
	var out []record.LayerError
	for i := range sums {
		s := &sums[i]
		if s.elements == 0 {
			continue
		}
		share := func(k int) float64 { return float64(k) / float64(s.elements) }
		l := record.LayerError{Layer: n.Layers[i].Name, SQNR: s.sqnr(), Cosine: s.cosine(), Saturation: share(s.clipped), Dead: share(s.dead)}
		if steps[i] != 0 {
			u := s.unused()
			l.Unused = &u
		}
		out = append(out, l)
	}
	return out
}

package harness

import (
	"context"
	"math"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
)

// layerPictures is how many pictures the error of each layer is taken over.
const layerPictures = 32

// maxSQNR caps a ratio whose noise is (nearly) zero, dB.
const maxSQNR = 99

// layerSum gathers one layer's signal, noise and clipped elements.
type layerSum struct {
	signal, noise     float64
	clipped, elements int
}

// layerErrors compares each layer output of a quantized program with the float
// reference on the first pictures. Programs that cannot be traced have none.
func (e *Experiment) layerErrors(ctx context.Context, p Point, m runtime.Model, program runtime.Program, pix *pixels) ([]record.LayerError, error) {
	tracer, ok := program.NewWorker().(runtime.Tracer)
	if !ok || p.Runtime == FP32 {
		return nil, nil
	}
	m.Scales = nil
	reference, err := fp32.PrepareUnfused(m)
	if err != nil {
		return nil, err
	}
	float := reference.NewWorker().(runtime.Tracer)
	sums := make([]layerSum, len(m.Network.Layers))
	want := make([][]float32, len(m.Network.Layers))
	for i := range min(layerPictures, pix.n()) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		picture, err := pix.picture(ctx, i)
		if err != nil {
			return nil, err
		}
		err = float.Trace(picture, func(l *models.Layer, values []float32, _ int) {
			want[l.Index] = append(want[l.Index][:0], values...)
		})
		if err != nil {
			return nil, err
		}
		err = tracer.Trace(picture, func(l *models.Layer, values []float32, clipped int) {
			sums[l.Index].add(want[l.Index], values, clipped)
		})
		if err != nil {
			return nil, err
		}
	}
	return layerRecords(m.Network, sums), nil
}

func (s *layerSum) add(want, got []float32, clipped int) {
	for i, w := range want {
		d := float64(w) - float64(got[i])
		s.signal += float64(w) * float64(w)
		s.noise += d * d
	}
	s.clipped += clipped
	s.elements += len(got)
}

func layerRecords(n *models.Network, sums []layerSum) []record.LayerError {
	var out []record.LayerError
	for i, s := range sums {
		if s.elements == 0 {
			continue
		}
		ratio := 10 * math.Log10(s.signal/s.noise)
		switch {
		case s.noise == 0 || ratio > maxSQNR:
			ratio = maxSQNR
		case s.signal == 0 || ratio < -maxSQNR:
			ratio = -maxSQNR
		}
		out = append(out, record.LayerError{Layer: n.Layers[i].Name, SQNR: ratio, Saturation: float64(s.clipped) / float64(s.elements)})
	}
	return out
}

package calibrate

import (
	"context"
	"fmt"

	"quantbench/models"
)

// Result is a calibrated network.
type Result struct {
	Calibrator string
	Scales     []float32 // by Layer.Index
	Tensors    []Tensor  // by Layer.Index
	Warnings   []error
}

// Tensor says how one layer's scale came about.
type Tensor struct {
	Layer *models.Layer
	Choice
	Range     float64 // of the histogram
	Doublings int
	// From is the layer whose scale was taken over; nil if it was chosen here.
	From *models.Layer
}

// inherits reports layers that keep their input's scale: those that compute
// nothing, and pooling, which TensorRT does not calibrate and NVDLA's hardware
// cannot rescale.
func inherits(l *models.Layer) bool {
	switch l.Op.(type) {
	case models.Pooling, models.Dropout, models.Flatten, models.Reshape, models.Split:
		return len(l.From) > 0
	}
	return false
}

// Apply lets a calibrator choose the scale of every layer, on several
// goroutines, or all at once if it is a NetworkCalibrator. Pooling and layers
// that compute nothing take their input's. A tensor of zeros only gets ZeroScale and a warning; a layer whose tensor was
// never seen is an error.
func Apply(ctx context.Context, net *models.Network, s *Statistics, c Calibrator, workers int) (*Result, error) {
	n := len(net.Layers)
	if len(s.Layers) != n {
		return nil, fmt.Errorf("%s: the statistics have %d layers, the network %d; collect them again", net.File, len(s.Layers), n)
	}
	r := &Result{Calibrator: c.Name(), Scales: make([]float32, n), Tensors: make([]Tensor, n)}
	if err := s.check(net); err != nil {
		return nil, err
	}
	var all []Choice
	if nc, ok := c.(NetworkCalibrator); ok {
		all = nc.ChooseAll(net, s.Layers)
	}
	err := each(ctx, n, workers, func(_ context.Context, i int) error {
		if inherits(net.Layers[i]) {
			return nil
		}
		l, h := net.Layers[i], &s.Layers[i]
		t := Tensor{Layer: l, Range: h.Range(), Doublings: h.Doublings}
		if all != nil {
			t.Choice = all[i]
		}
		switch {
		case t.Scale != 0:
		case h.First > 0:
			t.Choice = c.Choose(h)
		default:
			t.Choice = Choice{Scale: ZeroScale, Threshold: 1, Bin: -1}
		}
		r.Tensors[i] = t
		return t.check(h)
	})
	if err != nil {
		return nil, err
	}
	for i, l := range net.Layers {
		if inherits(l) {
			r.Tensors[i] = r.Tensors[l.From[0].Index]
			r.Tensors[i].Layer, r.Tensors[i].From = l, l.From[0]
		} else if s.Layers[i].First == 0 {
			r.Warnings = append(r.Warnings, fmt.Errorf("layer %s was zero for every calibration picture; its scale is set to %v", l.Name, ZeroScale))
		}
		r.Scales[i] = r.Tensors[i].Scale
	}
	return r, nil
}

// check reports layers without histograms.
func (s *Statistics) check(net *models.Network) error {
	for i, l := range net.Layers {
		h := &s.Layers[i]
		if h.Counts == nil && !inherits(l) {
			return fmt.Errorf("%s: layer %s was not seen during calibration", l.Pos, l.Name)
		}
	}
	return nil
}

// check reports a scale that no tensor can have.
func (t *Tensor) check(h *Histogram) error {
	if !finite(t.Scale) || t.Scale <= 0 {
		return fmt.Errorf("%s: layer %s: values up to %v are too small or too large for a float32 scale", t.Layer.Pos, t.Layer.Name, h.AbsMax())
	}
	return nil
}

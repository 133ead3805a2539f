package tensorrt

import "quantbench/models"

// Steps are the scales of the int8 tensors, by Layer.Index; see package emulated.
// A float32 tensor that int8 layers read has the scale to which it is rounded.
func (p *program) Steps() []float32 {
	steps := make([]float32, len(p.tensors))
	for i, t := range p.tensors {
		steps[i] = max(t.scale, t.rounded)
	}
	return steps
}

// RoundWeights rounds weights as QuantizeWeights does. BatchNorm and Scale, which
// a stage folds into them, multiply whole rows and so leave the grid in its place.
func (p *program) RoundWeights(_ *models.Layer, rows int, w []float32) bool {
	if len(w) == 0 {
		return true
	}
	q, scales := QuantizeWeights(w, rows)
	per := len(w) / rows
	for i := range w {
		w[i] = float32(q[i]) * scales[i/per]
	}
	return true
}

package nvdla

import (
	"math"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

// Steps are the scales by which later operations take each tensor, by
// Layer.Index, with the compiler's Eltwise override in them; the input's is the
// one that pictures are quantized with. See package emulated.
func (p *program) Steps() []float32 {
	steps := make([]float32, len(p.model.Network.Layers))
	for i, l := range p.layers {
		if l != nil {
			steps[l.Index] = p.hardware.Operations[i].DstScale
		}
	}
	steps[p.model.Network.Input().Index] = p.hardware.Input.Scale
	return steps
}

// RoundWeights rounds weights to the compiler's grid: one scale a layer
// (per-kernel), or one a row (per-filter). Those of a convolution with groups are
// left alone: the compiler quantizes only a part of them.
func (p *program) RoundWeights(l *models.Layer, rows int, w []float32) bool {
	if op, ok := l.Op.(models.Convolution); ok && op.Groups > 1 {
		return false
	}
	if op, ok := l.Op.(models.Deconvolution); ok && op.Groups > 1 {
		return false
	}
	block := len(w)
	if p.mode == lower.PerFilter {
		block /= rows
	}
	for at := 0; at < len(w); at += block {
		roundBlock(w[at : at+block])
	}
	return true
}

// roundBlock rounds weights that share a scale; zeros stay zeros.
func roundBlock(w []float32) {
	var top float32
	for _, x := range w {
		top = max(top, float32(math.Abs(float64(x))))
	}
	if top == 0 {
		return
	}
	scale := hardware.WeightScale(top)
	for i, x := range w {
		w[i] = float32(hardware.QuantizeWeight(x, scale)) * scale
	}
}

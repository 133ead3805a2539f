// Package emulated computes an int8 network in float: chosen weights and tensors
// are rounded to the grid that a real int8 program uses, everything between is
// the unfused fp32 reference. So single layers can be put in int8, or out of it,
// which no real runtime offers.
//
// It has no integer arithmetic: sums are not int32, multipliers are not 16 bits,
// biases and BatchNorm factors are not rounded, and NVDLA's faults that are no
// rounding are not in it. How far it is from the real program is measured, never
// assumed.
package emulated

import (
	"slices"

	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/models"
)

// Grid is a real int8 program that tells what it rounds to.
type Grid interface {
	// Steps are the real values of one integer step of each layer's tensor, by
	// Layer.Index; 0 where the tensor does not exist or is no int8.
	Steps() []float32
	// RoundWeights rounds a layer's weights in place, rows rows, one an output
	// channel. It leaves them alone and returns false where the program's weights
	// are not those of the layer.
	RoundWeights(l *models.Layer, rows int, w []float32) bool
}

// Mix says, by Layer.Index, whose weights and whose tensors are rounded.
type Mix struct{ Weights, Tensors []bool }

// NewMix rounds nothing of a network of so many layers.
func NewMix(layers int) Mix { return Mix{make([]bool, layers), make([]bool, layers)} }

// Set switches weights and tensor of a layer.
func (m Mix) Set(layer int, on bool) { m.Weights[layer], m.Tensors[layer] = on, on }

// All rounds everything, less the layers given.
func All(layers int, but ...int) Mix {
	m := NewMix(layers)
	for i := range layers {
		m.Set(i, !slices.Contains(but, i))
	}
	return m
}

// Only rounds nothing but the layers given.
func Only(layers int, of ...int) Mix {
	m := NewMix(layers)
	for _, i := range of {
		m.Set(i, true)
	}
	return m
}

// Prepare makes the float program of a mix. With nothing rounded it equals
// fp32.PrepareUnfused bit for bit.
func Prepare(m runtime.Model, g Grid, mix Mix) (*fp32.Program, error) {
	return fp32.PrepareRounded(m, rounding(g, mix))
}

// PrepareLocal makes a program whose every layer gets the float reference's
// tensors, rounded to their own steps: its trace shows each layer's own error.
func PrepareLocal(m runtime.Model, g Grid) (*fp32.Program, error) {
	return fp32.PrepareLocal(m, rounding(g, All(len(m.Network.Layers))))
}

func rounding(g Grid, mix Mix) fp32.Rounding {
	steps := g.Steps()
	return fp32.Rounding{
		Weights: func(l *models.Layer, rows int, w []float32) {
			if mix.Weights[l.Index] {
				g.RoundWeights(l, rows, w)
			}
		},
		Step: func(l *models.Layer) float32 {
			if mix.Tensors[l.Index] {
				return steps[l.Index]
			}
			return 0
		},
	}
}

// Package fuse cuts a network into stages as an inference engine does: a
// convolution takes in the BatchNorm, Scale, residual sum and ReLU that follow
// it, and only a stage's last tensor exists.
//
// NVDLA's compiler merges by rules of its own; they are in nvdla/lower.
package fuse

import (
	"math"

	"quantbench/harness/compute"
	"quantbench/models"
)

// Stage is a run of layers that are executed as one.
type Stage struct {
	// Layers in network order; the first decides what is computed.
	Layers []*models.Layer
	// Weights and Bias of a Convolution, Deconvolution or InnerProduct, with the
	// BatchNorm and Scale layers of the stage folded in: one row an output channel,
	// for a Deconvolution in the order of compute.Transposed. Bias is never nil then.
	Weights, Bias []float32
	// Add is the layer whose tensor is added before the ReLU; nil for none.
	Add *models.Layer
	// ReLU says that the stage ends in a ReLU without negative slope.
	ReLU bool
}

// Head is the layer that decides what the stage computes.
func (s *Stage) Head() *models.Layer { return s.Layers[0] }

// Out is the layer whose tensor the stage writes.
func (s *Stage) Out() *models.Layer { return s.Layers[len(s.Layers)-1] }

// Stages cuts a network. Every stage reads only tensors that earlier stages, or
// the network's input, wrote.
func Stages(n *models.Network) []*Stage {
	f := fuser{consumers: n.Consumers(), written: make([]bool, len(n.Layers)), taken: make([]bool, len(n.Layers))}
	var stages []*Stage
	for _, l := range n.Layers {
		if f.taken[l.Index] {
			continue
		}
		s := f.stage(l)
		f.written[s.Out().Index] = true
		stages = append(stages, s)
	}
	return stages
}

// Single makes every layer a stage of its own, as calibration needs it.
func Single(n *models.Network) []*Stage {
	var stages []*Stage
	for _, l := range n.Layers {
		s := &Stage{Layers: []*models.Layer{l}}
		s.start(l)
		stages = append(stages, s)
	}
	return stages
}

// Geometry is the head of a weighted stage as a convolution, without weights; a
// fully connected layer is a convolution as large as its input.
func (s *Stage) Geometry() compute.Conv {
	l := s.Head()
	var op models.Convolution
	switch head := l.Op.(type) {
	case models.Convolution:
		op = head
	case models.Deconvolution:
		op = models.Convolution(head)
	default:
		return compute.Conv{Out: len(s.Bias), KernelH: l.In().H, KernelW: l.In().W}
	}
	return compute.Conv{
		Out: op.Out, Groups: op.Groups, KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
		PadH: op.PadH, PadW: op.PadW, DilationH: op.DilationH, DilationW: op.DilationW, OutH: l.Out.H, OutW: l.Out.W,
	}
}

// Convolve adds the stage, which Geometry began to describe, to a program.
func (s *Stage) Convolve(b *compute.Builder, x compute.Tensor, c compute.Conv) compute.Tensor {
	if _, ok := s.Head().Op.(models.Deconvolution); ok {
		return b.Deconv(x, c)
	}
	return b.Conv(x, c)
}

type fuser struct {
	consumers [][]*models.Layer
	written   []bool // tensors that exist
	taken     []bool // layers that are in a stage
}

func (f *fuser) stage(l *models.Layer) *Stage {
	s := &Stage{}
	f.take(s, l)
	s.start(l)
	for f.extend(s) {
	}
	return s
}

func (f *fuser) take(s *Stage, l *models.Layer) {
	s.Layers = append(s.Layers, l)
	f.taken[l.Index] = true
}

// start copies the head's weights, so that folding leaves the network alone.
func (s *Stage) start(l *models.Layer) {
	out := outputs(l)
	if out == 0 || len(l.Weights) == 0 {
		return
	}
	s.Weights = append([]float32(nil), l.Weights[0].Data...)
	switch op := l.Op.(type) {
	case models.InnerProduct:
		if op.Transpose {
			transpose(s.Weights, l.Weights[0].Data, l.In().Len(), out)
		}
	case models.Deconvolution:
		s.Weights = compute.Transposed(s.Weights, l.In().C, out, op.Groups, op.KernelH, op.KernelW)
	}
	s.Bias = make([]float32, out)
	if len(l.Weights) > 1 {
		copy(s.Bias, l.Weights[1].Data)
	}
}

// outputs is the number of output channels of a layer with foldable weights.
func outputs(l *models.Layer) int {
	switch op := l.Op.(type) {
	case models.Convolution:
		return op.Out
	case models.Deconvolution:
		return op.Out
	case models.InnerProduct:
		return op.Out
	}
	return 0
}

// transpose turns rows x columns into columns x rows.
func transpose(dst, src []float32, rows, columns int) {
	for r := range rows {
		for k := range columns {
			dst[k*rows+r] = src[r*columns+k]
		}
	}
}

// extend takes in the one layer that reads the stage's tensor, if it can.
func (f *fuser) extend(s *Stage) bool {
	readers := f.consumers[s.Out().Index]
	if len(readers) != 1 || s.ReLU {
		return false
	}
	next := readers[0]
	switch op := next.Op.(type) {
	case models.BatchNorm:
		if s.Weights == nil || s.Add != nil {
			return false
		}
		s.fold(BatchNorm(next, op))
	case models.Scale:
		if s.Weights == nil || s.Add != nil || len(next.From) != 1 || len(next.Weights) == 0 {
			return false
		}
		s.fold(ScaleBias(next))
	case models.Eltwise:
		other := f.operand(s, next, op)
		if other == nil {
			return false
		}
		s.Add = other
	case models.ReLU:
		if op.NegativeSlope != 0 || !s.takesReLU() {
			return false
		}
		s.ReLU = true
	default:
		return false
	}
	f.take(s, next)
	return true
}

// operand is the other operand of a plain sum that the stage can take in: one
// that is written already. Nil if the sum must stay a stage of its own.
func (f *fuser) operand(s *Stage, sum *models.Layer, op models.Eltwise) *models.Layer {
	if s.Weights == nil || s.Add != nil || op.Operation != models.EltwiseSum || op.Coeff != nil || len(sum.From) != 2 {
		return nil
	}
	other := sum.From[0]
	if other == s.Out() {
		other = sum.From[1]
	}
	if other == s.Out() || !f.written[other.Index] {
		return nil
	}
	return other
}

// takesReLU says whether the stage's kernel can end in a ReLU.
func (s *Stage) takesReLU() bool {
	if s.Weights != nil {
		return true
	}
	e, ok := s.Head().Op.(models.Eltwise)
	return ok && e.Operation == models.EltwiseSum
}

// fold applies y = x*factor[k] + offset[k] to the stage's weights and bias.
func (s *Stage) fold(factor, offset []float64) {
	per := len(s.Weights) / len(s.Bias)
	for k := range s.Bias {
		for i := k * per; i < (k+1)*per; i++ {
			s.Weights[i] = float32(float64(s.Weights[i]) * factor[k])
		}
		s.Bias[k] = float32(float64(s.Bias[k])*factor[k] + offset[k])
	}
}

// BatchNorm is a BatchNorm layer as a factor and an offset a channel:
// factor = 1/sqrt(var/f + eps), offset = -mean/f*factor, with f the layer's
// moving-average factor (Caffe: batch_norm_layer.cpp; f = 0 means zeros).
func BatchNorm(l *models.Layer, op models.BatchNorm) (factor, offset []float64) {
	mean, variance := l.Weights[0].Data, l.Weights[1].Data
	f := 1.0
	if len(l.Weights) > 2 {
		f = float64(l.Weights[2].Data[0])
		if f != 0 {
			f = 1 / f
		}
	}
	factor, offset = make([]float64, len(mean)), make([]float64, len(mean))
	for k := range mean {
		factor[k] = 1 / math.Sqrt(float64(variance[k])*f+float64(op.Eps))
		offset[k] = -float64(mean[k]) * f * factor[k]
	}
	return factor, offset
}

// ScaleBias is a Scale layer as a factor and an offset a channel.
func ScaleBias(l *models.Layer) (factor, offset []float64) {
	gamma := l.Weights[0].Data
	factor, offset = make([]float64, len(gamma)), make([]float64, len(gamma))
	for k := range gamma {
		factor[k] = float64(gamma[k])
		if len(l.Weights) > 1 {
			offset[k] = float64(l.Weights[1].Data[k])
		}
	}
	return factor, offset
}

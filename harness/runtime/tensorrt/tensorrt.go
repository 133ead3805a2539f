// Package tensorrt emulates int8 inference as TensorRT computes it: symmetric
// scales, one weight scale an output channel, exact int32 sums, float32 epilogue,
// rounding half to even.
//
// It is an emulation. TensorRT is closed: what it documents is followed (Developer
// Guide, "Working with Quantized Types"); the order of the epilogue's float
// operations and the precision of each layer are not documented, so single
// values may differ from a GPU's by one unit at a rounding boundary. Here
// convolutions, deconvolutions, fully connected layers, pooling, sums of two and
// Concat run in int8, with what is fused into them; every other layer runs in
// float32 between two roundings, and a FloatLayers warning names it.
package tensorrt

import (
	"fmt"
	"math"
	"strings"

	"quantbench/harness/compute"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// Runtime is the runtime "tensorrt-int8".
type Runtime struct{}

var _ runtime.Runtime = Runtime{}

// Name is "tensorrt-int8".
func (Runtime) Name() string { return "tensorrt-int8" }

// Prepare quantizes the network's weights and compiles it. It fails if a layer's
// tensor has no usable scale, or for a layer that the emulation does not know.
func (Runtime) Prepare(m runtime.Model) (runtime.Program, error) {
	if len(m.Scales) != len(m.Network.Layers) {
		return nil, fmt.Errorf("%s: %d scales for %d layers; int8 needs a calibration table", m.Network.File, len(m.Scales), len(m.Network.Layers))
	}
	p := &program{model: m, builder: compute.NewBuilder(), tensors: make([]tensor, len(m.Network.Layers))}
	stages := fuse.Stages(m.Network)
	for i, s := range stages {
		if err := p.stage(s, i == len(stages)-1); err != nil {
			return nil, err
		}
	}
	for _, t := range p.tensors {
		if t.kept {
			p.builder.Keep(t.id)
		}
	}
	var err error
	if p.compute, err = p.builder.Build(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Network.File, err)
	}
	p.builder = nil
	return p, nil
}

// tensor is what a stage wrote: an int8 tensor with its scale, a float32 one
// (scale 0), or the int32 sums of the last fully connected layer.
type tensor struct {
	id    compute.Tensor
	scale float32
	// rounded is the scale to which int8 layers round a float32 tensor.
	rounded float32
	kept    bool
	layer   *models.Layer
	logits  *logits
}

// logits turn int32 sums into real values: sum*mul + bias.
type logits struct{ mul, bias []float32 }

// program is a compiled network.
type program struct {
	model   runtime.Model
	builder *compute.Builder
	compute *compute.Program
	tensors []tensor // by layer index
	lut     *compute.LUT
	output  int // layer index
	softmax bool
	floats  []*models.Layer // that run in float32, but for a final Softmax
}

// FloatLayers warns of layers that run in float32.
type FloatLayers struct {
	File   string
	Layers []*models.Layer
}

// Error names the layers.
func (f *FloatLayers) Error() string {
	var names []string
	for _, l := range f.Layers {
		names = append(names, fmt.Sprintf("%q (%s, line %d)", l.Name, l.Type, l.Pos.Line))
	}
	return fmt.Sprintf("%s: run in float32 between two roundings: %s. TensorRT computes LRN and Softmax so too; of the others it chooses the precision by speed, so an engine may round once more or less there", f.File, strings.Join(names, ", "))
}

// Warnings name the layers that run in float32; none if there are none.
func (p *program) Warnings() []error {
	if len(p.floats) == 0 {
		return nil
	}
	return []error{&FloatLayers{File: p.model.Network.File, Layers: p.floats}}
}

// scale is the calibrated scale of a layer's tensor.
func (p *program) scale(l *models.Layer) (float32, error) {
	s := p.model.Scales[l.Index]
	if !(s > 0) || math.IsInf(float64(s), 0) {
		return 0, fmt.Errorf("%s: the scale of layer %q is %v; it must be positive and finite", l.Pos, l.Name, s)
	}
	return s, nil
}

// stage adds one stage's kernels.
func (p *program) stage(s *fuse.Stage, last bool) error {
	var t tensor
	var err error
	switch op := s.Head().Op.(type) {
	case models.Input:
		t, err = p.input(s.Head(), op)
	case models.Convolution, models.Deconvolution, models.InnerProduct:
		t, err = p.weighted(s)
	case models.Pooling:
		t, err = p.pool(s, op)
	case models.Eltwise:
		t, err = p.eltwise(s, op)
	case models.Concat:
		t, err = p.concat(s)
	case models.Dropout, models.Split:
		t = p.tensors[s.Head().From[0].Index]
	case models.Flatten, models.Reshape:
		t = p.tensors[s.Head().From[0].Index]
		t.id = p.builder.Reshape(t.id, s.Out().Out.C, s.Out().Out.H, s.Out().Out.W)
	case models.Softmax:
		t, err = p.softmaxStage(s.Head(), last)
	default:
		t, err = p.float(s.Head())
	}
	if err != nil {
		return err
	}
	t.layer = s.Out()
	if last {
		t.kept = true
		p.output = s.Out().Index
	}
	p.tensors[s.Out().Index] = t
	return nil
}

// input quantizes the network's input: q = clamp(rne(x/s), -128, 127).
func (p *program) input(l *models.Layer, op models.Input) (tensor, error) {
	s, err := p.scale(l)
	if err != nil {
		return tensor{}, err
	}
	if p.model.Preprocess.MeanImage == nil {
		p.lut = &compute.LUT{Int8: make([][256]int8, op.Shape.C)}
		for c := range p.lut.Int8 {
			for b, x := range p.model.Preprocess.LUT(c) {
				p.lut.Int8[c][b] = Quantize(x, s)
			}
		}
	}
	return tensor{id: p.builder.Input(compute.Int8, op.Shape.C, op.Shape.H, op.Shape.W), scale: s}, nil
}

// Quantize is q = clamp(rne(x/s), -128, 127), rne rounding half to even.
func Quantize(x, s float32) int8 {
	q := math.RoundToEven(float64(x / s))
	return int8(max(-128, min(127, q)))
}

// QuantizeWeights gives each output channel its own scale max|w|/127, or 1 for
// a channel of zeros; q = rne(w/scale) in -127..127.
func QuantizeWeights(w []float32, out int) (q []int8, scales []float32) {
	q, scales = make([]int8, len(w)), make([]float32, out)
	per := len(w) / out
	for k := range scales {
		row, largest := w[k*per:(k+1)*per], float32(0)
		for _, x := range row {
			largest = max(largest, float32(math.Abs(float64(x))))
		}
		scales[k] = largest / 127
		if scales[k] == 0 {
			scales[k] = 1
		}
		for i, x := range row {
			q[k*per+i] = max(-127, Quantize(x, scales[k]))
		}
	}
	return q, scales
}

// weighted is a convolution or fully connected layer with what it took in.
func (p *program) weighted(s *fuse.Stage) (tensor, error) {
	in, err := p.int8(s.Head().From[0])
	if err != nil {
		return tensor{}, err
	}
	if s.Weights == nil {
		return tensor{}, fmt.Errorf("%s: layer %q has no weights", s.Head().Pos, s.Head().Name)
	}
	weights, mul := QuantizeWeights(s.Weights, len(s.Bias))
	for k := range mul {
		mul[k] *= in.scale
	}
	c := s.Geometry()
	c.Int8 = weights
	if p.feedsSoftmax(s) && p.model.Network.Output().From[0] == s.Out() {
		t := tensor{id: s.Convolve(p.builder, in.id, c), logits: &logits{mul, s.Bias}, kept: true}
		return t, nil
	}
	out, err := p.scale(s.Out())
	if err != nil {
		return tensor{}, err
	}
	c.ReLU = s.ReLU
	c.TensorRT = &compute.TensorRT{Mul: mul, Bias: s.Bias, OutMul: 1 / out}
	if s.Add != nil {
		r, err := p.int8(s.Add)
		if err != nil {
			return tensor{}, err
		}
		c.Residual, c.TensorRT.ResidualMul = r.id, r.scale
	}
	return tensor{id: s.Convolve(p.builder, in.id, c), scale: out}, nil
}

// feedsSoftmax says that a stage's real values go to a final Softmax only. They
// are not rounded to int8 then, as the Softmax runs in float32.
func (p *program) feedsSoftmax(s *fuse.Stage) bool {
	last := p.model.Network.Output()
	if _, ok := last.Op.(models.Softmax); !ok || s.ReLU || s.Add != nil {
		return false
	}
	// Layers that only give the values another shape may stand between.
	from := last.From[0]
	for from != s.Out() {
		switch from.Op.(type) {
		case models.Flatten, models.Reshape, models.Dropout:
			from = from.From[0]
		default:
			return false
		}
	}
	return len(p.model.Network.Consumers()[from.Index]) == 1
}

// int8 is a layer's tensor in int8, rounded if it is float32.
func (p *program) int8(l *models.Layer) (tensor, error) {
	t := p.tensors[l.Index]
	if t.scale > 0 {
		return t, nil
	}
	s, err := p.scale(l)
	if err != nil {
		return tensor{}, err
	}
	p.tensors[l.Index].rounded = s
	return tensor{id: p.builder.Quantize(t.id, 1/s), scale: s, layer: l}, nil
}

// real is a layer's tensor in float32.
func (p *program) real(l *models.Layer) compute.Tensor {
	t := p.tensors[l.Index]
	if t.scale > 0 {
		return p.builder.Dequantize(t.id, t.scale)
	}
	return t.id
}

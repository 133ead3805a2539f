package fp32

import (
	"quantbench/harness/compute"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// Rounding says what of an unfused network is rounded to an int8 grid while it
// is still computed in float.
type Rounding struct {
	// Weights rounds a layer's weights in place: rows rows, one an output channel,
	// a Deconvolution's in the order of compute.Transposed. Nil rounds none.
	Weights func(l *models.Layer, rows int, w []float32)
	// Step is the grid's step of a layer's tensor; 0 leaves the tensor as it is.
	Step func(l *models.Layer) float32
}

// PrepareRounded is PrepareUnfused with rounded weights and tensors: a tensor
// with a step becomes clamp(rne(x/step), -128, 127)*step. Where nothing is
// rounded the program is PrepareUnfused's, bit for bit.
func PrepareRounded(m runtime.Model, r Rounding) (*Program, error) {
	c := newCompiler(m.Network)
	return prepare(m, c, func() error {
		for _, s := range fuse.Single(c.net) {
			x, err := c.rounded(s, r)
			if err != nil {
				return err
			}
			c.tensors[s.Out().Index] = x
		}
		return nil
	})
}

// PrepareLocal computes every layer from the float network's own tensors, rounded
// to their steps, so that a layer shows its own error only. A tensor without a
// step does not exist in int8: its reader gets what the layer before made of
// rounded tensors.
func PrepareLocal(m runtime.Model, r Rounding) (*Program, error) {
	c := newCompiler(m.Network)
	return prepare(m, c, func() error {
		l := &local{compiler: c, float: make([]compute.Tensor, len(c.tensors)), read: make([]compute.Tensor, len(c.tensors)), own: make([]compute.Tensor, len(c.tensors))}
		if err := l.run(r); err != nil {
			return err
		}
		c.tensors = l.own
		return nil
	})
}

// rounded compiles a stage of one layer with rounded weights and result.
func (c *compiler) rounded(s *fuse.Stage, r Rounding) (compute.Tensor, error) {
	if s.Weights != nil && r.Weights != nil {
		r.Weights(s.Head(), len(s.Bias), s.Weights)
	}
	x, err := c.stage(s)
	return c.round(x, r.Step(s.Out())), err
}

// round puts a tensor on the int8 grid of a step, if it has one.
func (c *compiler) round(x compute.Tensor, step float32) compute.Tensor {
	if step == 0 {
		return x
	}
	return c.b.Dequantize(c.b.Quantize(x, 1/step), step)
}

// local holds three tensors for each layer: the float network's, the one that
// layers behind it read, and the layer's own result.
type local struct {
	*compiler
	float, read, own []compute.Tensor
}

func (l *local) run(r Rounding) error {
	apart := fuse.Single(l.net) // the float network's weights stay as they are
	for i, s := range fuse.Single(l.net) {
		l.tensors = l.float
		x, err := l.stage(apart[i])
		if err != nil {
			return err
		}
		l.float[i] = x
		y := l.round(x, r.Step(s.Out()))
		l.read[i], l.own[i] = y, y
		if len(s.Head().From) == 0 {
			continue
		}
		l.tensors = l.read
		if l.own[i], err = l.rounded(s, r); err != nil {
			return err
		}
		if r.Step(s.Out()) == 0 {
			l.read[i] = l.own[i]
		}
	}
	return nil
}

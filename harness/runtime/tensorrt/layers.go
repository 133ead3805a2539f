package tensorrt

import (
	"fmt"

	"quantbench/harness/compute"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// pool keeps the scale of its input for a maximum; an average is exact in the
// input's integers and rounded once.
func (p *program) pool(s *fuse.Stage, op models.Pooling) (tensor, error) {
	l := s.Head()
	in, err := p.int8(l.From[0])
	if err != nil {
		return tensor{}, err
	}
	c := compute.Pool{
		Max: op.Method == models.PoolMax, KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
		PadH: op.PadH, PadW: op.PadW, OutH: l.Out.H, OutW: l.Out.W,
	}
	if op.Global {
		c.KernelH, c.KernelW, c.StrideH, c.StrideW = l.In().H, l.In().W, 1, 1
	}
	if c.Max {
		return tensor{id: p.builder.Pool(in.id, c), scale: in.scale}, nil
	}
	if p.feedsSoftmax(s) {
		return tensor{id: p.builder.Pool(p.real(l.From[0]), c)}, nil
	}
	out, err := p.scale(s.Out())
	if err != nil {
		return tensor{}, err
	}
	c.Average = compute.TensorRTAverage(in.scale / out)
	return tensor{id: p.builder.Pool(in.id, c), scale: out}, nil
}

// eltwise is a sum that no convolution took in, or another combination (which
// runs in float32).
func (p *program) eltwise(s *fuse.Stage, op models.Eltwise) (tensor, error) {
	l := s.Head()
	if op.Operation != models.EltwiseSum || op.Coeff != nil || len(l.From) != 2 {
		return p.float(l)
	}
	out, err := p.scale(s.Out())
	if err != nil {
		return tensor{}, err
	}
	a, err := p.int8(l.From[0])
	if err != nil {
		return tensor{}, err
	}
	b, err := p.int8(l.From[1])
	if err != nil {
		return tensor{}, err
	}
	mul := make([]float32, l.Out.C)
	for k := range mul {
		mul[k] = a.scale
	}
	c := compute.Conv{ReLU: s.ReLU, TensorRT: &compute.TensorRT{Mul: mul, ResidualMul: b.scale, OutMul: 1 / out}}
	return tensor{id: p.builder.AddInt8(a.id, b.id, c), scale: out}, nil
}

// concat brings its operands to the common output scale.
func (p *program) concat(s *fuse.Stage) (tensor, error) {
	out, err := p.scale(s.Out())
	if err != nil {
		return tensor{}, err
	}
	var operands []compute.Tensor
	for _, from := range s.Head().From {
		in, err := p.int8(from)
		if err != nil {
			return tensor{}, err
		}
		id := in.id
		if in.scale != out {
			id = p.builder.Lookup(id, func(q int8) int8 { return Quantize(float32(q)*in.scale, out) })
		}
		operands = append(operands, id)
	}
	return tensor{id: p.builder.Concat(operands...), scale: out}, nil
}

// softmaxStage runs in float32. A final Softmax is computed from the exact sums
// after the run, by the worker.
func (p *program) softmaxStage(l *models.Layer, last bool) (tensor, error) {
	in := p.tensors[l.From[0].Index]
	if last && in.logits != nil {
		p.softmax = true
		return in, nil
	}
	if !last {
		p.floats = append(p.floats, l)
	}
	return tensor{id: p.builder.Softmax(p.real(l.From[0]))}, nil
}

// float runs a layer without an int8 implementation in float32.
func (p *program) float(l *models.Layer) (tensor, error) {
	x := p.real(l.From[0])
	b := p.builder
	p.floats = append(p.floats, l)
	switch op := l.Op.(type) {
	case models.ReLU:
		return tensor{id: b.ReLU(x, op.NegativeSlope)}, nil
	case models.PReLU:
		return tensor{id: b.PReLU(x, slopes(l, op))}, nil
	case models.BatchNorm:
		return tensor{id: affine(b, x)(fuse.BatchNorm(l, op))}, nil
	case models.Scale:
		if len(l.From) == 1 && len(l.Weights) > 0 {
			return tensor{id: affine(b, x)(fuse.ScaleBias(l))}, nil
		}
	case models.LRN:
		if op.WithinChannel {
			return tensor{id: b.LRNWithin(x, op.Size, op.Alpha, op.Beta, 1)}, nil
		}
		return tensor{id: b.LRN(x, op.Size, op.Alpha, op.Beta, op.K)}, nil
	case models.Power:
		return tensor{id: b.Power(x, op.Power, op.Scale, op.Shift)}, nil
	case models.Sigmoid:
		return tensor{id: b.Sigmoid(x)}, nil
	case models.TanH:
		return tensor{id: b.TanH(x)}, nil
	case models.ELU:
		return tensor{id: b.ELU(x, op.Alpha)}, nil
	case models.AbsVal:
		return tensor{id: b.Abs(x)}, nil
	case models.Eltwise:
		var operands []compute.Tensor
		for _, from := range l.From {
			operands = append(operands, p.real(from))
		}
		how := map[models.EltwiseOp]compute.Combine{models.EltwiseProd: compute.Product, models.EltwiseSum: compute.Sum, models.EltwiseMax: compute.Maximum}
		return tensor{id: b.Eltwise(how[op.Operation], op.Coeff, operands...)}, nil
	}
	return tensor{}, fmt.Errorf("%s: the TensorRT emulation has no %s layer (%q)", l.Pos, l.Type, l.Name)
}

func affine(b *compute.Builder, x compute.Tensor) func(factor, offset []float64) compute.Tensor {
	return func(factor, offset []float64) compute.Tensor {
		f, o := make([]float32, len(factor)), make([]float32, len(offset))
		for k := range f {
			f[k], o[k] = float32(factor[k]), float32(offset[k])
		}
		return b.Affine(x, f, o, false)
	}
}

// slopes is one slope a channel.
func slopes(l *models.Layer, op models.PReLU) []float32 {
	data := l.Weights[0].Data
	if !op.Shared {
		return data
	}
	s := make([]float32, l.Out.C)
	for i := range s {
		s[i] = data[0]
	}
	return s
}

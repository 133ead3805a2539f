package fp32

import (
	"quantbench/harness/compute"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// compiler turns a network's stages into a compute program.
type compiler struct {
	net     *models.Network
	b       *compute.Builder
	tensors []compute.Tensor // by layer index; 0 for a layer fused into a later one
}

func newCompiler(net *models.Network) *compiler {
	return &compiler{net: net, b: compute.NewBuilder(), tensors: make([]compute.Tensor, len(net.Layers))}
}

// run compiles stages as they are.
func (c *compiler) run(stages []*fuse.Stage) error {
	for _, s := range stages {
		x, err := c.stage(s)
		if err != nil {
			return err
		}
		c.tensors[s.Out().Index] = x
	}
	return nil
}

// checkAll refuses a network with a layer that checkWeights refuses.
func checkAll(net *models.Network) error {
	for _, l := range net.Layers {
		if err := checkWeights(l); err != nil {
			return err
		}
	}
	return nil
}

// checkWeights refuses a layer whose trained blobs are absent or of the wrong
// size.
func checkWeights(l *models.Layer) error {
	shapes := l.WeightShapes()
	if len(l.Weights) < len(shapes) {
		return l.Errorf("has %d of %d trained blobs; read the network with its .caffemodel", len(l.Weights), len(shapes))
	}
	for i, s := range shapes {
		if n := models.Elements(s); len(l.Weights[i].Data) != n {
			return l.Errorf("blob %d has %d values, want %d", i, len(l.Weights[i].Data), n)
		}
	}
	return nil
}

// from is the tensor that a layer reads.
func (c *compiler) from(l *models.Layer, i int) compute.Tensor { return c.tensors[l.From[i].Index] }

// stage compiles one stage.
func (c *compiler) stage(s *fuse.Stage) (compute.Tensor, error) {
	b, l := c.b, s.Head()
	switch op := l.Op.(type) {
	case models.Input:
		return b.Input(compute.Float32, l.Out.C, l.Out.H, l.Out.W), nil
	case models.Convolution, models.Deconvolution, models.InnerProduct:
		return s.Convolve(b, c.from(l, 0), c.convolution(s)), nil
	case models.Pooling:
		return b.Pool(c.from(l, 0), compute.Pool{Max: op.Method == models.PoolMax,
			KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
			PadH: op.PadH, PadW: op.PadW, OutH: l.Out.H, OutW: l.Out.W}), nil
	case models.Eltwise:
		x, err := c.eltwise(l, op)
		if err == nil && s.ReLU {
			x = b.ReLU(x, 0)
		}
		return x, err
	case models.Concat:
		xs := make([]compute.Tensor, len(l.From))
		for i := range xs {
			xs[i] = c.from(l, i)
		}
		return b.Concat(xs...), nil
	case models.Flatten, models.Reshape:
		return b.Reshape(c.from(l, 0), l.Out.C, l.Out.H, l.Out.W), nil
	case models.Dropout, models.Split:
		return c.from(l, 0), nil
	}
	return c.elementwise(l)
}

// convolution is a weighted stage with what it took in.
func (c *compiler) convolution(s *fuse.Stage) compute.Conv {
	conv := s.Geometry()
	conv.Float32, conv.Bias, conv.ReLU = s.Weights, s.Bias, s.ReLU
	if s.Add != nil {
		conv.Residual = c.tensors[s.Add.Index]
	}
	return conv
}

// elementwise compiles the layers that keep their input's shape.
func (c *compiler) elementwise(l *models.Layer) (compute.Tensor, error) {
	b := c.b
	if len(l.From) == 0 {
		return 0, l.Errorf("has no input")
	}
	x := c.from(l, 0)
	switch op := l.Op.(type) {
	case models.BatchNorm:
		factor, offset := fuse.BatchNorm(l, op)
		return b.Affine(x, narrow(factor), narrow(offset), false), nil
	case models.Scale:
		factor, offset := fuse.ScaleBias(l)
		return b.Affine(x, narrow(factor), narrow(offset), false), nil
	case models.ReLU:
		return b.ReLU(x, op.NegativeSlope), nil
	case models.PReLU:
		return b.PReLU(x, l.Weights[0].Data), nil
	case models.Softmax:
		return b.Softmax(x), nil
	case models.LRN:
		if op.WithinChannel {
			return b.LRNWithin(x, op.Size, op.Alpha, op.Beta, 1), nil
		}
		return b.LRN(x, op.Size, op.Alpha, op.Beta, op.K), nil
	case models.Power:
		return b.Power(x, op.Power, op.Scale, op.Shift), nil
	case models.Sigmoid:
		return b.Sigmoid(x), nil
	case models.TanH:
		return b.TanH(x), nil
	case models.ELU:
		return b.ELU(x, op.Alpha), nil
	case models.AbsVal:
		return b.Abs(x), nil
	}
	return 0, l.Errorf("is not supported by the fp32 runtime; replace the layer or use another runtime")
}

func (c *compiler) eltwise(l *models.Layer, op models.Eltwise) (compute.Tensor, error) {
	xs := make([]compute.Tensor, len(l.From))
	for i := range xs {
		xs[i] = c.from(l, i)
	}
	how, ok := map[models.EltwiseOp]compute.Combine{models.EltwiseSum: compute.Sum,
		models.EltwiseProd: compute.Product, models.EltwiseMax: compute.Maximum}[op.Operation]
	if !ok {
		return 0, l.Errorf("unknown operation %d", op.Operation)
	}
	return c.b.Eltwise(how, op.Coeff, xs...), nil
}

func narrow(v []float64) []float32 {
	f := make([]float32, len(v))
	for i := range v {
		f[i] = float32(v[i])
	}
	return f
}

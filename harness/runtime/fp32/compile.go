package fp32

import (
	"math"

	"quantbench/harness/compute"
	"quantbench/models"
)

// compiler turns a network's layers into a compute program, in network order.
type compiler struct {
	net       *models.Network
	fuse      bool
	b         *compute.Builder
	tensors   []compute.Tensor // by layer index; 0 for a layer fused into a later one
	fused     []bool           // by layer index: already part of an earlier operation
	consumers [][]*models.Layer
}

func newCompiler(net *models.Network, fuse bool) *compiler {
	return &compiler{net: net, fuse: fuse, b: compute.NewBuilder(), consumers: net.Consumers(),
		tensors: make([]compute.Tensor, len(net.Layers)), fused: make([]bool, len(net.Layers))}
}

func (c *compiler) run() error {
	for _, l := range c.net.Layers {
		if c.fused[l.Index] {
			continue
		}
		if err := checkWeights(l); err != nil {
			return err
		}
		x, err := c.layer(l)
		if err != nil {
			return err
		}
		c.tensors[l.Index] = x
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

// layer compiles one layer; a convolution takes the layers after it along.
func (c *compiler) layer(l *models.Layer) (compute.Tensor, error) {
	b := c.b
	switch op := l.Op.(type) {
	case models.Input:
		return b.Input(compute.Float32, l.Out.C, l.Out.H, l.Out.W), nil
	case models.Convolution, models.InnerProduct:
		return c.convolution(l)
	case models.Pooling:
		return b.Pool(c.from(l, 0), compute.Pool{Max: op.Method == models.PoolMax,
			KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
			PadH: op.PadH, PadW: op.PadW, OutH: l.Out.H, OutW: l.Out.W}), nil
	case models.Eltwise:
		return c.eltwise(l, op)
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

// elementwise compiles the layers that keep their input's shape.
func (c *compiler) elementwise(l *models.Layer) (compute.Tensor, error) {
	b := c.b
	if len(l.From) == 0 {
		return 0, l.Errorf("has no input")
	}
	x := c.from(l, 0)
	switch op := l.Op.(type) {
	case models.BatchNorm, models.Scale:
		scale, bias := affine(l)
		return b.Affine(x, narrow(scale), narrow(bias), false), nil
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

// convolution compiles a convolution or fully connected layer together with the
// BatchNorm, Scale, Eltwise and ReLU layers that follow it and nothing else reads.
func (c *compiler) convolution(l *models.Layer) (compute.Tensor, error) {
	conv := describe(l)
	last := l
	if c.fuse {
		last = c.foldAffine(last, &conv)
		last = c.foldSum(last, &conv)
		last = c.foldReLU(last, &conv)
	}
	x := c.b.Conv(c.from(l, 0), conv)
	if last != l {
		c.tensors[last.Index] = x
		return 0, nil
	}
	return x, nil
}

// describe is the layer as a convolution, with weights that may be changed.
func describe(l *models.Layer) compute.Conv {
	var conv compute.Conv
	in := l.In()
	weights := l.Weights[0].Data
	switch op := l.Op.(type) {
	case models.Convolution:
		conv = compute.Conv{Out: op.Out, KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
			PadH: op.PadH, PadW: op.PadW, DilationH: op.DilationH, DilationW: op.DilationW, Groups: op.Groups,
			OutH: l.Out.H, OutW: l.Out.W}
		conv.Float32 = append([]float32(nil), weights...)
	case models.InnerProduct:
		conv = compute.Conv{Out: op.Out, KernelH: in.H, KernelW: in.W}
		conv.Float32 = append([]float32(nil), weights...)
		if op.Transpose {
			transpose(conv.Float32, weights, in.Len(), op.Out)
		}
	}
	conv.Bias = make([]float32, conv.Out)
	if len(l.WeightShapes()) > 1 {
		copy(conv.Bias, l.Weights[1].Data)
	}
	return conv
}

// transpose turns rows x columns into columns x rows.
func transpose(dst, src []float32, rows, columns int) {
	for r := range rows {
		for k := range columns {
			dst[k*rows+r] = src[r*columns+k]
		}
	}
}

// only is the one layer that reads l's tensor, if there is one only.
func (c *compiler) only(l *models.Layer) *models.Layer {
	if list := c.consumers[l.Index]; len(list) == 1 {
		return list[0]
	}
	return nil
}

// foldAffine multiplies following BatchNorm and Scale layers into the weights.
func (c *compiler) foldAffine(last *models.Layer, conv *compute.Conv) *models.Layer {
	for {
		next := c.only(last)
		if next == nil || checkWeights(next) != nil {
			return last
		}
		scale, bias := affine(next)
		if scale == nil {
			return last
		}
		per := len(conv.Float32) / conv.Out
		for o, s := range scale {
			for i := o * per; i < (o+1)*per; i++ {
				conv.Float32[i] = float32(float64(conv.Float32[i]) * s)
			}
			conv.Bias[o] = float32(float64(conv.Bias[o])*s + bias[o])
		}
		c.fused[next.Index] = true
		last = next
	}
}

// foldSum takes a following plain sum of two along if the other operand has been
// computed before.
func (c *compiler) foldSum(last *models.Layer, conv *compute.Conv) *models.Layer {
	next := c.only(last)
	if next == nil || len(next.From) != 2 {
		return last
	}
	op, ok := next.Op.(models.Eltwise)
	if !ok || op.Operation != models.EltwiseSum {
		return last
	}
	for _, f := range op.Coeff {
		if f != 1 {
			return last
		}
	}
	other := next.From[0]
	if other == last {
		other = next.From[1]
	}
	if c.tensors[other.Index] == 0 {
		return last
	}
	conv.Residual = c.tensors[other.Index]
	c.fused[next.Index] = true
	return next
}

func (c *compiler) foldReLU(last *models.Layer, conv *compute.Conv) *models.Layer {
	next := c.only(last)
	if next == nil {
		return last
	}
	if op, ok := next.Op.(models.ReLU); !ok || op.NegativeSlope != 0 {
		return last
	}
	conv.ReLU = true
	c.fused[next.Index] = true
	return next
}

// affine gives BatchNorm and Scale layers as x*scale + bias; nil for others.
func affine(l *models.Layer) (scale, bias []float64) {
	c := l.In().C
	switch op := l.Op.(type) {
	case models.BatchNorm:
		mean, variance := statistics(l)
		scale, bias = make([]float64, c), make([]float64, c)
		for i := range scale {
			scale[i] = 1 / math.Sqrt(variance[i]+float64(op.Eps))
			bias[i] = -mean[i] * scale[i]
		}
	case models.Scale:
		scale, bias = make([]float64, c), make([]float64, c)
		for i := range scale {
			scale[i] = float64(l.Weights[0].Data[i])
			if op.Bias {
				bias[i] = float64(l.Weights[1].Data[i])
			}
		}
	}
	return scale, bias
}

func narrow(v []float64) []float32 {
	f := make([]float32, len(v))
	for i := range v {
		f[i] = float32(v[i])
	}
	return f
}

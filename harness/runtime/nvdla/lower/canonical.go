package lower

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"quantbench/models"
)

// canonical makes the graph of engine operations from the network: what the
// compiler has before its first merge (EngineAST.cpp).
func canonical(net *models.Network, scales []float32, opt Options) (*graph, error) {
	if n := len(net.Inputs()); n != 1 {
		return nil, fmt.Errorf("%s: the network has %d inputs; lowering takes networks with one", net.File, n)
	}
	if err := checkScales(net, scales); err != nil {
		return nil, err
	}
	g := &graph{net: net, opt: opt, of: make([]*tensor, len(net.Layers))}
	for _, l := range net.Layers {
		b := &layerBuilder{g, l, tableScale(scales[l.Index])}
		if err := b.build(); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// tableScale is the scale that a tensor gets from the table's value s: the
// compiler makes the range +-127*s of it and divides by 127 again, which can
// change the last bit (Tensor.cpp, setChannelDynamicRange).
func tableScale(s float32) float32 { return float32(float64(float32(127*s)) / 127) }

// checkScales names every layer that needs a scale and has none.
func checkScales(net *models.Network, scales []float32) error {
	if len(scales) != len(net.Layers) {
		return fmt.Errorf("%s: %d scales for %d layers; one for each layer is needed", net.File, len(scales), len(net.Layers))
	}
	var missing []string
	for _, l := range net.Layers {
		s := float64(scales[l.Index])
		if needsScale(l) && (!(s > 0) || math.IsInf(s, 0)) {
			missing = append(missing, fmt.Sprintf("%q (%s)", l.Name, l.Pos))
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s: the calibration table has no usable scale for %d layers: %s; the compiler aborts without them",
		net.File, len(missing), strings.Join(missing, ", "))
}

// needsScale: layers that the compiler makes nothing of need no entry.
func needsScale(l *models.Layer) bool {
	switch l.Op.(type) {
	case models.Dropout, models.Flatten:
		return false
	}
	return true
}

// layerBuilder adds the engine operations of one layer.
type layerBuilder struct {
	*graph
	l     *models.Layer
	scale float32
}

func (b *layerBuilder) in() *tensor { return b.of[b.l.From[0].Index] }

// output is a new tensor of the layer, and from now on its result.
func (b *layerBuilder) output() *tensor {
	t := b.newTensor(b.l, b.l.Out, b.scale)
	b.of[b.l.Index] = t
	return t
}

// between is a tensor inside the layer.
func (b *layerBuilder) between() *tensor { return b.newTensor(b.l, b.l.Out, b.scale) }

func (b *layerBuilder) node(n node) *node {
	n.layer = b.l
	return &n
}

func (b *layerBuilder) build() error {
	switch op := b.l.Op.(type) {
	case models.Input:
		b.input = b.newTensor(b.l, op.Shape, b.scale)
		b.of[b.l.Index] = b.input
	case models.Dropout, models.Flatten:
		b.of[b.l.Index] = b.in()
	case models.Convolution:
		return b.convolution(op)
	case models.Deconvolution:
		return b.deconvolution(op)
	case models.InnerProduct:
		return b.innerProduct(op)
	case models.ReLU:
		b.reLU(op)
	case models.BatchNorm:
		return b.batchNorm(op)
	case models.Scale:
		return b.scaleLayer()
	case models.Eltwise:
		return b.eltwise(op)
	case models.Pooling:
		return b.pooling(op)
	case models.Concat:
		return b.concat()
	case models.LRN:
		return b.lrn(op)
	case models.Softmax:
		b.add(b.node(node{kind: kSoftmax}), b.output(), b.in())
	case models.Power:
		if op.Power != 1 || op.Shift != 0 {
			return b.l.Errorf("has power %g and shift %g; nvdla_compiler's parser takes power 1 and shift 0 only (\"error parsing layer type Power\"). Fold it into the layer before or behind it", op.Power, op.Shift)
		}
		b.add(b.node(node{kind: kPower}), b.output(), b.in())
	default:
		return b.l.Errorf("%s", refusal(b.l))
	}
	return nil
}

// refusal says why a layer cannot be lowered.
func refusal(l *models.Layer) string {
	switch l.Op.(type) {
	case models.Sigmoid, models.TanH:
		return "in int8 nvdla_compiler programs an empty lookup table for it, so its output means nothing; run it in fp32 or take it out"
	case models.Split:
		return "nvdla_compiler's parser stops with \"could not parse layer type Split\"; take the layer out and let those behind it read its bottom, which several may"
	}
	return "nvdla_compiler cannot parse this layer type; it takes Convolution, Pooling, InnerProduct, ReLU, LRN, Softmax, Power, Eltwise SUM, Concat, Deconvolution, BatchNorm, Scale, Dropout and Flatten"
}

// blobs returns the layer's trained blobs, or why they cannot be used.
func (b *layerBuilder) blobs(n int) ([]models.Blob, error) {
	if len(b.l.Weights) < n {
		return nil, b.l.Errorf("has %d weight blobs, needs %d; is this the right caffemodel?", len(b.l.Weights), n)
	}
	return b.l.Weights, nil
}

func (b *layerBuilder) convolution(op models.Convolution) error {
	blobs, err := b.blobs(1 + flag(op.Bias))
	if err != nil {
		return err
	}
	in := b.in().shape
	c := &convolution{window: op.Window, k: op.Out, c: in.C, r: op.KernelH, s: op.KernelW}
	c.weights = blobs[0].Data
	if op.Groups > 1 {
		if len(c.weights) != c.k*c.c/op.Groups*c.r*c.s {
			return b.l.Errorf("has %d weights, needs %d", len(c.weights), c.k*c.c/op.Groups*c.r*c.s)
		}
		c.merged = len(c.weights)
		b.warn(b.l, Groups, fmt.Sprintf("the compiler expands the %d groups with zero weights, but then quantizes only as many of the expanded weights as there were before (the first %d of %d): the result is wrong. The rest holds whatever memory held, 0 here", op.Groups, c.merged, c.merged*op.Groups))
		c.weights = expandGroups(c, op.Groups)
	}
	return b.weighted(c, op.Bias)
}

// expandGroups fills the weights of the other groups' channels with zeros.
func expandGroups(c *convolution, groups int) []float32 {
	own := c.c / groups * c.r * c.s
	all := make([]float32, c.k*c.c*c.r*c.s)
	for k := range c.k {
		group := k / (c.k / groups)
		copy(all[(k*groups+group)*own:], c.weights[k*own:(k+1)*own])
	}
	return all
}

// innerProduct is a convolution with a kernel as large as the picture.
func (b *layerBuilder) innerProduct(op models.InnerProduct) error {
	blobs, err := b.blobs(1 + flag(op.Bias))
	if err != nil {
		return err
	}
	if op.Transpose {
		return b.l.Errorf("transpose is not read by nvdla_compiler; store the weights as %d x inputs", op.Out)
	}
	in := b.in().shape
	c := &convolution{k: op.Out, c: in.C, r: in.H, s: in.W, weights: blobs[0].Data}
	c.window = models.Window{KernelH: in.H, KernelW: in.W, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	return b.weighted(c, op.Bias)
}

// weighted adds a convolution and the SDP operation that writes its result: a
// bias, or in int8 a scale by ones.
func (b *layerBuilder) weighted(c *convolution, bias bool) error {
	if want := c.k * c.c * c.r * c.s; len(c.weights) != want {
		return b.l.Errorf("has %d weights, needs %d", len(c.weights), want)
	}
	if c.merged == 0 {
		c.merged = len(c.weights)
	}
	stream := b.newTensor(b.l, b.l.Out, 0)
	b.add(b.node(node{kind: kConv, conv: c}), stream, b.in())
	n, err := b.writer(c.k, bias)
	if err != nil {
		return err
	}
	b.graph.add(n, b.output(), stream)
	return nil
}

// writer is the SDP operation that writes the results of k kernels: it adds the
// layer's bias or, in int8, multiplies by ones.
func (b *layerBuilder) writer(k int, bias bool) (*node, error) {
	n := b.node(node{kind: kScale})
	if !bias {
		n.perLayer = b.opt.Mode == PerKernel
		n.mul = ones(k)
		if n.perLayer {
			n.mul = ones(1)
		}
		return n, nil
	}
	n.kind, n.add = kBias, b.l.Weights[1].Data
	if len(n.add) != k {
		return nil, b.l.Errorf("has %d biases, needs %d", len(n.add), k)
	}
	n.perLayer = len(n.add) == 1
	return n, nil
}

// reLU is a scale by ones, which rescales to the ReLU's own scale, and the
// activation.
func (b *layerBuilder) reLU(op models.ReLU) {
	if op.NegativeSlope != 0 {
		b.warn(b.l, Ignored, fmt.Sprintf("negative_slope %g is not read by nvdla_compiler; the device computes an ordinary ReLU", op.NegativeSlope))
	}
	scaled := b.between()
	b.add(b.node(node{kind: kScale, unit: true, mul: ones(b.l.Out.C)}), scaled, b.in())
	b.add(b.node(node{kind: kAct, relu: true}), b.output(), scaled)
}

func (b *layerBuilder) eltwise(op models.Eltwise) error {
	if op.Operation != models.EltwiseSum {
		return b.l.Errorf("nvdla_compiler's parser takes the Eltwise operation SUM only; PROD and MAX end in \"error parsing layer type Eltwise\"")
	}
	if len(b.l.From) != 2 {
		return b.l.Errorf("adds %d tensors; nvdla_compiler reads two and drops the rest without a word. Use a chain of sums", len(b.l.From))
	}
	x, y := b.of[b.l.From[0].Index], b.of[b.l.From[1].Index]
	if x == y {
		return b.l.Errorf("adds a tensor to itself; nvdla_compiler takes two different tensors only (\"Elt wise op has input edges (1) != 2\")")
	}
	for i, c := range op.Coeff {
		if c != 1 {
			b.warn(b.l, Ignored, fmt.Sprintf("coeff %g of bottom %d is not read by nvdla_compiler; the device adds with factor 1", c, i))
		}
	}
	// Edge 0 is the tensor that was created first, whatever the order of the
	// bottoms: it streams, the other is the operand.
	if y.order < x.order {
		x, y = y, x
	}
	b.add(b.node(node{kind: kEltwise}), b.output(), x, y)
	return nil
}

// maxLRN is the largest local_size that the compiler takes.
const maxLRN = 16

// lrn is normalisation with a table of zeros: the compiler has none for int8
// (LutManager.cpp, "Empty INT8 LRN LUT"), and goes on.
func (b *layerBuilder) lrn(op models.LRN) error {
	if op.Size > maxLRN {
		return b.l.Errorf("has local_size %d; nvdla_compiler takes at most %d", op.Size, maxLRN)
	}
	table := slices.Index(b.tables, op)
	if table < 0 {
		table = len(b.tables)
		b.tables = append(b.tables, op)
	}
	b.warn(b.l, EmptyTable, "in int8 the compiler programs an empty lookup table for this layer (its log says \"Empty INT8 LRN LUT\"): everything that it writes is 0, and so is what later layers compute of it alone. Take it out and train again, or run it in fp32")
	b.add(b.node(node{kind: kLRN, table: table}), b.output(), b.in())
	return nil
}

// maxPool is the largest window of the pooling engine.
const maxPool = 8

func (b *layerBuilder) pooling(op models.Pooling) error {
	in := b.in()
	if op.Global {
		op.KernelH, op.KernelW = in.shape.H, in.shape.W
	}
	if op.Floor {
		b.warn(b.l, Ignored, "round_mode FLOOR is not read by nvdla_compiler, which rounds the size up; the shapes that follow are those of the network as read here")
	}
	if op.KernelH > maxPool || op.KernelW > maxPool {
		b.warn(b.l, DriverLimit, fmt.Sprintf("the window is %d x %d; the compiler takes it, but the driver refuses windows above %d x %d", op.KernelH, op.KernelW, maxPool, maxPool))
	}
	if op.Method == models.PoolAverage && op.PadH+op.PadW > 0 {
		b.warn(b.l, BorderAverage, "the device counts the padding in an average, Caffe does not: border values come out smaller")
	}
	b.add(b.node(node{kind: kPool, pool: op}), b.output(), in)
	return nil
}

// concat gives no operation, but the compiler orders and joins by it.
func (b *layerBuilder) concat() error {
	var in []*tensor
	for _, f := range b.l.From {
		t := b.of[f.Index]
		if t.producer == nil {
			return b.l.Errorf("joins the network's input %q; nvdla_compiler has no operation that could write it there", f.Name)
		}
		for c := t; c != nil; c = c.parent {
			if c.parent != nil {
				return b.l.Errorf("joins %q, which %q joins already; a tensor can lie in one place only", f.Name, c.parent.layer.Name)
			}
		}
		in = append(in, t)
	}
	out := b.output()
	for i, t := range in {
		if t.parent != nil {
			return b.l.Errorf("joins %q twice; a tensor can lie in one place only", b.l.From[i].Name)
		}
		t.parent = out
	}
	b.add(b.node(node{kind: kConcat}), out, in...)
	return nil
}

func ones(n int) []float32 { return repeated(1, n) }

func repeated(x float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = x
	}
	return out
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

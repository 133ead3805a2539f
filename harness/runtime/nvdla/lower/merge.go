package lower

// merge is the compiler's mergeActivationOperations: scales by one that only
// rescale go first, then neighbours whose arithmetic combines (SDPNode.cpp,
// ConvCoreNode.cpp, BiasOp.cpp, BatchNormOp.cpp, ScaleOp.cpp). All products and
// sums are float32, in the order of the compiler.
func merge(g *graph) error {
	if !g.opt.mergesUnitScales() {
		return nil
	}
	g.mergeAll(mergeUnitScale)
	if !g.opt.mergesMaths() {
		return nil
	}
	if err := g.checkBareReLU(); err != nil {
		return err
	}
	g.mergeAll(mergeMaths)
	return nil
}

// mergeAll tries every operation and its only consumer, in order, until nothing
// merges any more. After a success it goes on with the operation before.
func (g *graph) mergeAll(try func(g *graph, n, next *node) bool) {
	order := g.ordered()
	for i := 0; i < len(order); i++ {
		next := g.onlyNext(order[i])
		if next == nil || len(next.sources()) != 1 || !try(g, order[i], next) {
			continue
		}
		previous := order[max(i-1, 0)]
		order = g.ordered()
		i = max(indexOf(order, previous), 0) - 1
	}
}

func indexOf(list []*node, n *node) int {
	for i, m := range list {
		if m == n {
			return i
		}
	}
	return -1
}

// onlyNext is the one operation that reads n's result, if it runs on SDP.
func (g *graph) onlyNext(n *node) *node {
	if !n.kind.sdp() && n.kind != kConv || len(n.out.consumers) != 1 || !n.out.consumers[0].kind.sdp() {
		return nil
	}
	return n.out.consumers[0]
}

// mergeUnitScale drops a scale by one: n's output scale becomes that of the
// ReLU behind it.
func mergeUnitScale(g *graph, n, next *node) bool {
	if n.kind == kConv || next.kind != kScale || !next.unit {
		return false
	}
	n.relu = n.relu || next.relu
	g.absorb(n, next)
	return true
}

// mergeMaths combines n and next, and tells whether it did.
func mergeMaths(g *graph, n, next *node) bool {
	if n.relu {
		return false
	}
	switch n.kind {
	case kConv:
		return g.mergeIntoConv(n, next)
	case kBias:
		return g.mergeBias(n, next)
	case kNorm:
		return g.mergeNorm(n, next)
	}
	return g.mergeReLU(n, next)
}

// mergeReLU makes a ReLU the activation of the operation before it.
func (g *graph) mergeReLU(n, next *node) bool {
	if next.kind != kAct || n.kind == kAct {
		return false
	}
	n.relu = true
	g.absorb(n, next)
	return true
}

// mergeIntoConv folds a scale or a normalisation into the weights. A scale is
// kept if it has to write the result of the convolution itself: if no SDP
// operation follows, or a ReLU or a sum that needs its rescaling.
func (g *graph) mergeIntoConv(n, next *node) bool {
	switch next.kind {
	case kScale:
		if len(next.out.consumers) != 1 {
			return false
		}
		if after := next.out.consumers[0]; !after.kind.sdp() || after.kind == kAct || after.kind == kEltwise {
			return false
		}
		if !n.conv.times(next.mul) {
			return false
		}
		if next.relu {
			g.warn(next.layer, LostReLU, "the compiler folds the scale behind this layer into its weights, and the ReLU that the scale had taken in is lost: negative values pass. Give the layer a bias of zeros")
		}
		g.bypass(next)
	case kNorm:
		if !n.conv.times(next.mul) {
			return false
		}
		next.kind, next.add, next.mul = kBias, product(next.add, next.mul), nil
	default:
		return false
	}
	return true
}

// times multiplies each kernel's weights by its factor. Weights that are
// integers already (image input) stay.
func (c *convolution) times(factors []float32) bool {
	if c.quantized != nil {
		return false
	}
	per := c.merged / c.k
	scaled := make([]float32, len(c.weights))
	for i, w := range c.weights[:c.merged] {
		scaled[i] = w * factors[min(i/per, len(factors)-1)]
	}
	c.weights = scaled
	return true
}

func (g *graph) mergeBias(n, next *node) bool {
	if next.kind == kAct {
		return g.mergeReLU(n, next)
	}
	if next.perLayer != n.perLayer {
		return false
	}
	switch next.kind {
	case kBias:
		n.add, n.relu = sum(n.add, next.add), next.relu
	case kScale:
		n.kind, n.mul, n.relu = kNorm, next.mul, next.relu
	case kNorm:
		n.kind, n.add, n.mul, n.relu = kNorm, sum(n.add, next.add), next.mul, next.relu
	default:
		return false
	}
	g.absorb(n, next)
	return true
}

func (g *graph) mergeNorm(n, next *node) bool {
	if next.kind == kAct {
		return g.mergeReLU(n, next)
	}
	if next.perLayer != n.perLayer {
		return false
	}
	switch next.kind {
	case kScale:
		n.mul, n.relu = product(n.mul, next.mul), next.relu
	case kBias:
		n.add, n.relu = sum(product(next.add, inverse(n.mul)), n.add), next.relu
	default:
		return false
	}
	g.absorb(n, next)
	return true
}

func product(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] * b[i]
	}
	return out
}

func sum(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

func inverse(a []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = 1 / a[i]
	}
	return out
}

// checkBareReLU refuses what makes the compiler stop with "Conv node doesn't
// have a single SDP consumer": per-kernel, a convolution without bias directly
// before a ReLU.
func (g *graph) checkBareReLU() error {
	for _, n := range g.nodes {
		if n.kind != kConv || n.conv.quantized != nil || g.opt.Mode != PerKernel {
			continue
		}
		write := g.onlyNext(n)
		if write == nil || write.kind != kScale || write.layer != n.layer {
			continue
		}
		if act := g.onlyNext(write); act != nil && act.kind == kAct {
			return n.layer.Errorf("has no bias and is followed directly by the ReLU %q; with per-kernel and fast-math nvdla_compiler stops with \"Conv node doesn't have a single SDP consumer\". Give the layer a bias of zeros, or use per-filter", act.layer.Name)
		}
	}
	return nil
}

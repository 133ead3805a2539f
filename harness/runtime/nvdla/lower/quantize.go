package lower

import "math"

// quantize turns weights and added operands into integers (quantizeAuxData of
// the compiler's nodes).
func quantize(g *graph) error {
	for _, n := range g.ordered() {
		switch n.kind {
		case kConv:
			if n.conv.scales == nil {
				n.conv.quantize(g.opt.Mode)
			}
		case kBias:
			rs := rescaled(n)
			n.shift = leftShift(rs)
			n.addInt = stored(rs, n.shift)
		case kNorm:
			rs := rescaled(n)
			n.shift = leftShift(rs)
			n.addInt = stored(rs, n.shift)
			for n.shift > 0 && hasZero(n.addInt) {
				n.shift--
				n.addInt = stored(rs, n.shift)
			}
		}
	}
	return nil
}

// quantize makes int8 weights of the convolution's floats: scale = max|w|/127,
// over the whole layer or one kernel, and q = floor(w * (1/scale) + 0.5). A
// kernel of zeros has scale 0 and weights of no meaning (-128).
func (c *convolution) quantize(m Mode) {
	per := c.merged / c.k
	c.quantized = make([]int8, len(c.weights))
	c.scales = make([]float32, c.k)
	block := per
	if m == PerKernel {
		block = c.merged
	}
	for at := 0; at < c.merged; at += block {
		scale := quantizeBlock(c.weights[at:at+block], c.quantized[at:at+block])
		for k := at / per; k < (at+block)/per; k++ {
			c.scales[k] = scale
		}
	}
}

func quantizeBlock(w []float32, q []int8) float32 {
	var top float32
	for _, x := range w {
		top = max(top, abs(x))
	}
	scale := top / 127
	inverse := 1 / scale
	for i, x := range w {
		q[i] = int8(min(math.MaxInt8, max(math.MinInt8, round(float32(x*inverse)))))
	}
	return scale
}

// rescaled are n's added operands in units of what they are added to: the
// integers of its input, or the sums of the convolution before it.
func rescaled(n *node) []int32 {
	conv := n.fused()
	out := make([]int32, len(n.add))
	for i, b := range n.add {
		unit := n.inScale()
		if conv != nil {
			unit *= conv.conv.scales[i]
		}
		out[i] = round(float32(b / unit))
	}
	return out
}

// stored are rs without their low bits, as the 16-bit operands hold them.
func stored(rs []int32, shift uint8) []int16 {
	out := make([]int16, len(rs))
	for i, r := range rs {
		out[i] = int16(r >> shift)
	}
	return out
}

func hasZero(xs []int16) bool {
	for _, x := range xs {
		if x == 0 {
			return true
		}
	}
	return false
}

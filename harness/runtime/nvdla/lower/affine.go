package lower

import (
	"math"

	"quantbench/models"
)

func (b *layerBuilder) batchNorm(op models.BatchNorm) error {
	blobs, err := b.blobs(3)
	if err != nil {
		return err
	}
	if len(blobs[2].Data) == 0 || blobs[2].Data[0] == 0 {
		return b.l.Errorf("the moving-average factor (third blob) is 0; nvdla_compiler stops with \"Batch Normalization moving average is zero\". Caffe takes mean and variance as 0 then: was the network trained?")
	}
	mean, variance := blobs[0].Data, blobs[1].Data
	if len(mean) != len(variance) || len(mean) != b.in().shape.C && len(mean) != 1 {
		return b.l.Errorf("has %d means and %d variances for %d channels", len(mean), len(variance), b.in().shape.C)
	}
	n := b.node(node{kind: kNorm, perLayer: len(mean) == 1})
	factor := 1 / blobs[2].Data[0]
	n.add = make([]float32, len(mean))
	for i, m := range mean {
		n.add[i] = -float32(m * factor)
		if n.add[i] > 127 {
			return b.l.Errorf("channel %d has mean %g, below -127; nvdla_compiler stops with \"Cannot handle Mean values beyond computePrecision limits\". Scale the network's input down", i, -n.add[i])
		}
	}
	roots := inverseDeviations(variance, factor, op.Eps)
	n.mul = roots[0]
	b.chain(n, roots[1:])
	return nil
}

// inverseDeviations are the factors 1/sqrt(variance + eps). Where one is above
// 127, it is split into equal roots, each the factor of one scale operation
// (BatchNormOp.cpp, factorsPerEntity).
func inverseDeviations(variance []float32, factor, eps float32) [][]float32 {
	whole := make([]float32, len(variance))
	root := make([]float32, len(variance))
	parts := make([]int, len(variance))
	most := 1
	for i, v := range variance {
		sum := float32(v*factor) + eps
		whole[i] = 1 / float32(math.Sqrt(float64(sum)))
		root[i], parts[i] = nthRoot(whole[i])
		most = max(most, parts[i])
	}
	out := make([][]float32, most)
	for p := range out {
		out[p] = make([]float32, len(variance))
		for i := range variance {
			switch {
			case parts[i] > 1 || p == 0:
				out[p][i] = root[i]
			default:
				out[p][i] = 1
			}
		}
	}
	return out
}

// nthRoot is the first root of x that is at most 127, and which one.
func nthRoot(x float32) (float32, int) {
	if !(x > 127) || math.IsInf(float64(x), 0) {
		return x, 1
	}
	for n := 2; ; n++ {
		if r := float32(math.Pow(float64(x), float64(1/float32(n)))); r <= 127 {
			return r, n
		}
	}
}

// chain adds first and a scale operation for each of factors behind it.
func (b *layerBuilder) chain(first *node, factors [][]float32) {
	from := b.in()
	for _, f := range factors {
		t := b.between()
		b.add(first, t, from)
		first, from = b.node(node{kind: kScale, mul: f, perLayer: first.perLayer}), t
	}
	b.add(first, b.output(), from)
}

func (b *layerBuilder) scaleLayer() error {
	if len(b.l.From) > 1 {
		return b.l.Errorf("takes its factors from a second bottom; nvdla_compiler takes trained factors only")
	}
	op := b.l.Op.(models.Scale)
	blobs, err := b.blobs(1 + flag(op.Bias))
	if err != nil {
		return err
	}
	gamma, channels := blobs[0].Data, b.in().shape.C
	if len(gamma) != channels && len(gamma) != 1 {
		return b.l.Errorf("has %d factors for %d channels; one a channel is needed", len(gamma), channels)
	}
	n := b.node(node{kind: kScale, mul: gamma, perLayer: len(gamma) == 1})
	if n.perLayer && b.opt.Mode == PerFilter && channels > 1 {
		n.mul, n.perLayer = repeated(gamma[0], channels), false
	}
	if !op.Bias {
		b.add(n, b.output(), b.in())
		return nil
	}
	beta := blobs[1].Data
	if len(beta) != len(gamma) {
		return b.l.Errorf("has %d factors and %d offsets; as many of both are needed", len(gamma), len(beta))
	}
	t := b.between()
	b.add(n, t, b.in())
	b.add(b.node(node{kind: kBias, add: beta, perLayer: len(beta) == 1}), b.output(), t)
	return nil
}

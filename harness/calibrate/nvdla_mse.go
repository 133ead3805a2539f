package calibrate

import (
	"math"

	"quantbench/models"
)

// NVDLAMSE chooses scales for what NVDLA does with them: those of least squared
// error after rounding (half away from zero) and saturation to -128..127, over
// tensors that the hardware or its compiler forces to share one scale.
//
//   - The operands of an Eltwise share one: nvdla_compiler replaces the earlier
//     operand's scale by the other's, which saturates it if it is the smaller.
//   - The bottoms of a Concat and its output share one: they are one piece of
//     memory.
//   - Pooling never rescales, so its output shares its input's.
//   - A tensor that only a ReLU reads takes the ReLU's scale. It counts for
//     nothing where the compiler merges the two (profile fast-math); in the other
//     profiles the ReLU is an operation of its own that cannot rescale.
//
// The error that counts is that of a value as it is read: a tensor that only
// pooling reads counts through the pooling's output, and by 1/n itself if n
// values are averaged, since that is what averaging leaves of rounding errors.
// Within a group the mean squared errors are added as they are, because the sum
// of two operands has the sum of their errors.
//
// Two rules serve the decision instead of the error. The output of the last
// Softmax has the range 1/2: at most one class has more, so saturation leaves the
// order as it is, and NVDLA's truncation to 127 steps makes fewer ties. Its input
// is judged by its positive values, as negative ones decide nothing.
//
// The 16-bit multipliers move a scale by at most 2^-14 and are left out.
type NVDLAMSE struct{}

var _ NetworkCalibrator = NVDLAMSE{}

// Name is "nvdla-mse".
func (NVDLAMSE) Name() string { return "nvdla-mse" }

// Choose chooses for one tensor by itself.
func (NVDLAMSE) Choose(h *Histogram) Choice { return leastError([]judged{{h, 1, false}}) }

// judged is a tensor in a group with the weight of its error.
type judged struct {
	*Histogram
	weight       float64
	positiveOnly bool
}

// ChooseAll chooses one scale a group of tied tensors.
func (n NVDLAMSE) ChooseAll(net *models.Network, layers []Histogram) []Choice {
	ties := tie(net)
	weights := weigh(net)
	last := lastSoftmax(net)
	groups := map[int][]judged{}
	for i := range net.Layers {
		h := &layers[i]
		if h.First == 0 || weights[i] == 0 {
			continue
		}
		positive := last != nil && last.From[0].Index == i && h.Max > 0
		groups[ties.find(i)] = append(groups[ties.find(i)], judged{h, weights[i], positive})
	}
	choices := make([]Choice, len(net.Layers))
	for i := range choices {
		if g := groups[ties.find(i)]; len(g) > 0 && choices[ties.find(i)].Scale == 0 {
			choices[ties.find(i)] = leastError(g)
		}
	}
	for i := range choices {
		choices[i] = choices[ties.find(i)]
	}
	if last != nil && layers[last.Index].First > 0 {
		choices[last.Index] = chosen(0.5, -1)
	}
	return choices
}

// lastSoftmax is the network's output if it is a Softmax, else nil.
func lastSoftmax(net *models.Network) *models.Layer {
	if _, ok := net.Output().Op.(models.Softmax); ok {
		return net.Output()
	}
	return nil
}

// ties join layers to groups: each points to another of its group, or itself.
type ties []int

func (t ties) find(i int) int {
	for t[i] != i {
		i = t[i]
	}
	return i
}

// join makes one group of two, named after the earlier layer.
func (t ties) join(a, b *models.Layer) {
	i, j := t.find(a.Index), t.find(b.Index)
	t[max(i, j)] = min(i, j)
}

// tie groups the tensors that must have one scale.
func tie(net *models.Network) ties {
	t := make(ties, len(net.Layers))
	for i := range t {
		t[i] = i
	}
	consumers := net.Consumers()
	for _, l := range net.Layers {
		switch l.Op.(type) {
		case models.Eltwise:
			for _, f := range l.From[1:] {
				t.join(l.From[0], f)
			}
		case models.Concat:
			for _, f := range l.From {
				t.join(l, f)
			}
		case models.ReLU:
			if len(consumers[l.From[0].Index]) == 1 && len(l.From[0].From) > 0 {
				t.join(l, l.From[0])
			}
		default:
			if inherits(l) {
				t.join(l, l.From[0])
			}
		}
	}
	return t
}

// weigh is how much each tensor's error counts: 1 where an operation reads it,
// less where only pooling does, 0 where only a ReLU or nothing that computes does.
func weigh(net *models.Network) []float64 {
	weights := make([]float64, len(net.Layers))
	for i, readers := range net.Consumers() {
		if len(readers) == 0 {
			weights[i] = 1 // the network's output
		}
		for _, r := range readers {
			weights[i] = max(weights[i], readerWeight(r, len(readers) == 1))
		}
	}
	return weights
}

func readerWeight(r *models.Layer, only bool) float64 {
	switch op := r.Op.(type) {
	case models.Pooling:
		if op.Method == models.PoolAverage {
			return 1 / float64(op.KernelH*op.KernelW)
		}
		return 0
	case models.Dropout, models.Flatten, models.Reshape, models.Split:
		return 0
	case models.ReLU:
		if only {
			return 0
		}
	}
	return 1
}

// How far below the largest |x| a threshold may lie, and how many are tried for
// each halving.
const (
	mseHalvings = 4
	mseSteps    = 64
)

// leastError tries thresholds from the largest |x| of the group downwards.
func leastError(group []judged) Choice {
	top := 0.0
	for _, j := range group {
		if j.positiveOnly {
			top = max(top, float64(j.Max))
		} else {
			top = max(top, float64(j.AbsMax()))
		}
	}
	best, at := math.Inf(1), top
	for k := range mseHalvings*mseSteps + 1 {
		t := top * math.Exp2(-float64(k)/mseSteps)
		d := 0.0
		for _, j := range group {
			d += j.weight * j.meanError(t/Levels)
		}
		if d < best {
			best, at = d, t
		}
	}
	return chosen(at, -1)
}

// meanError is the mean squared error of the tensor's values, taken to lie in the
// middles of the bins of Signed, in steps of scale.
func (j *judged) meanError(scale float64) float64 {
	width := 2 * float64(j.AbsMax()) / SignedBins
	d, n := 0.0, uint64(0)
	for b, c := range j.Signed {
		n += c
		side := b - SignedBins/2
		if c == 0 || j.positiveOnly && side < 0 {
			continue
		}
		x := float64(side) * width
		q := max(-128, min(127, math.Round(x/scale)))
		e := q*scale - x
		d += e * e * float64(c)
	}
	return d / float64(n)
}

package calibrate

import "math"

// SignedBins is the number of bins of a signed histogram. It is odd: the middle
// bin has 0 in its middle.
const SignedBins = 8001

// How many bins a histogram that is lengthened for later batches may have. One
// that would need more has bins of twice the width, as often as it takes; the
// replicated programs have no such limit.
const (
	maxAppended = 16 * Bins
	maxWidened  = 4*(SignedBins-1) + 1
)

// Extra are the counts of one tensor besides TensorRT's. Negative, Positive,
// Signed and Zeros do not depend on batches at all; Appended and Widened depend
// on which batch comes first, as those of the programs that they replicate.
type Extra struct {
	// Zeros is the number of values that are exactly 0.
	Zeros uint64
	// Negative and Positive hold Bins counts of |x| each, in equal bins over
	// [0, AbsMax]: of the values below 0, and of the others.
	Negative, Positive []uint64
	// Signed holds SignedBins counts of x, in equal bins over [-AbsMax, AbsMax].
	Signed []uint64
	// Appended are counts of |x| in bins of the width that the first batch's
	// range gives, First/Bins, as many as AbsMax needs (see appended).
	Appended []uint64
	// Widened are counts of x in bins of the width that the first batch's range
	// gives, 2*First/SignedBins, as many on both sides as AbsMax needs (see
	// widened).
	Widened []uint64
}

// appended is the geometry of Appended: pytorch-quantization's
// HistogramCalibrator.collect.
func (h *Histogram) appended() (width float64, bins int) {
	top := float64(max(h.AbsMax(), h.First))
	width = float64(h.First) / Bins
	for top/width > maxAppended {
		width *= 2
	}
	return width, max(Bins, int(math.Ceil(top/width)))
}

// widened is the geometry of Widened: the number of bins on each side of the
// middle one; MXNet's combine_histogram.
func (h *Histogram) widened() (width float64, side int) {
	first := float64(h.First)
	beyond := max(0, float64(h.AbsMax())-first)
	width = 2 * first / SignedBins
	for side = SignedBins / 2; beyond > 0; width *= 2 {
		more := math.Floor(beyond/width) + 1
		if more <= maxWidened/2-SignedBins/2 {
			return width, side + int(more)
		}
	}
	return width, side
}

// step is the width of the bins of Negative and Positive.
func (h *Histogram) step() float64 { return float64(h.AbsMax()) / Bins }

// absolute is Negative and Positive together: the |x| over [0, AbsMax].
func (h *Histogram) absolute() []float64 {
	sum := make([]float64, Bins)
	for b := range sum {
		sum[b] = float64(h.Negative[b] + h.Positive[b])
	}
	return sum
}

// floats are counts as numbers.
func floats(counts []uint64) []float64 {
	f := make([]float64, len(counts))
	for b, c := range counts {
		f[b] = float64(c)
	}
	return f
}

// blank is the histogram without its counts, with room for others of the same
// geometry. A tensor of zeros only has no extra ones but Zeros.
func (h *Histogram) blank() Histogram {
	b := *h
	b.Counts, b.Extra = make([]uint64, Bins), Extra{}
	if h.AbsMax() == 0 {
		return b
	}
	_, appended := h.appended()
	_, side := h.widened()
	b.Extra = Extra{
		Negative: make([]uint64, Bins), Positive: make([]uint64, Bins), Signed: make([]uint64, SignedBins),
		Appended: make([]uint64, appended), Widened: make([]uint64, 2*side+1),
	}
	return b
}

// count adds values to the extra counts.
func (h *Histogram) count(values []float32) {
	top := float64(h.AbsMax())
	if top == 0 {
		h.Zeros += uint64(len(values))
		return
	}
	fixed, signed := Bins/top, SignedBins/(2*top)
	width, _ := h.appended()
	lengthen := 1 / width
	width, side := h.widened()
	widen, low := 1/width, (float64(side) + 0.5)
	zeros := uint64(0)
	for _, v := range values {
		if v == 0 {
			zeros++
			continue
		}
		x := float64(v)
		a := math.Abs(x)
		half := h.Positive
		if v < 0 {
			half = h.Negative
		}
		half[min(Bins-1, int(a*fixed))]++
		h.Signed[min(SignedBins-1, int((x+top)*signed))]++
		h.Appended[min(len(h.Appended)-1, int(a*lengthen))]++
		h.Widened[max(0, min(len(h.Widened)-1, int(x*widen+low)))]++
	}
	h.Zeros += zeros
	h.Positive[0] += zeros
	h.Signed[min(SignedBins-1, int(top*signed))] += zeros
	h.Appended[0] += zeros
	h.Widened[max(0, min(len(h.Widened)-1, int(low)))] += zeros
}

// add adds the counts of a histogram of the same geometry.
func (h *Histogram) add(o *Histogram) {
	h.Zeros += o.Zeros
	for i, from := range o.arrays() {
		to := *h.arrays()[i]
		for b, c := range *from {
			if c > 0 {
				to[b] += c
			}
		}
	}
}

// arrays are all lists of counts.
func (h *Histogram) arrays() []*[]uint64 {
	return []*[]uint64{&h.Counts, &h.Negative, &h.Positive, &h.Signed, &h.Appended, &h.Widened}
}

package calibrate

import (
	"fmt"
	"math"
)

// ONNX Runtime's quantization/calibrate.py. Its HistogramCollector sees all
// pictures at once unless told otherwise, so nothing here depends on batches.

// ORTPercent is the share that ONNX Runtime's percentile calibrator keeps.
const ORTPercent = 99.999

// ortLevels is EntropyCalibrater's num_quantized_bins.
const ortLevels = 128

// ORTEntropy is HistogramCollector.get_entropy_threshold: an even number of bins
// of x over plus and minus the largest |x|; slices of i bins below and i+1 above
// the middle, i from 64, merged to 128 levels as MXNet does; the bounds are the
// slice's edges, clamped to the smallest and largest x, and the scale is made of
// the larger bound. With the program's default of 128 bins there is one
// candidate, the whole range: the result is that of minmax.
//
// The bins are made of 2048 bins of |x| on each side, so a value on an edge below
// 0 is counted in the bin further from 0, and numpy counts it in the nearer one.
type ORTEntropy struct{ bins int }

// ORTPercentile is HistogramCollector.compute_percentile with symmetric true:
// 2048 bins of |x| over [0, the largest |x|], the lower edge of the first bin up
// to which the given percentage of the values lies. Where that is 0, which is no
// scale, it is the edge above (our choice).
type ORTPercentile struct{ percent float64 }

var (
	_ Calibrator = ORTEntropy{}
	_ Calibrator = ORTPercentile{}
)

// NewORTEntropy has a number of bins, a power of two from 128 to 4096.
func NewORTEntropy(bins int) (ORTEntropy, error) {
	if bins < ortLevels || bins > 2*Bins || bins&(bins-1) != 0 {
		return ORTEntropy{}, fmt.Errorf("ort-entropy calibrator: %d bins; they must be a power of two from %d to %d", bins, ortLevels, 2*Bins)
	}
	return ORTEntropy{bins}, nil
}

// Name is "ort-entropy", and "-" and the number of bins unless that is 128.
func (o ORTEntropy) Name() string {
	if o.bins == ortLevels {
		return "ort-entropy"
	}
	return fmt.Sprintf("ort-entropy-%d", o.bins)
}

// Choose finds the slice of least divergence, the first of equals.
func (o ORTEntropy) Choose(h *Histogram) Choice {
	mid := o.bins / 2
	counts := make([]float64, o.bins)
	fold := Bins / mid
	for b := range Bins {
		counts[mid+b/fold] += float64(h.Positive[b])
		counts[mid-1-b/fold] += float64(h.Negative[b])
	}
	s := newWindow(counts, ortLevels)
	best, lo, hi := math.Inf(1), 0, o.bins
	for i := ortLevels / 2; i <= mid; i++ {
		from, to := mid-i, min(mid+i+1, o.bins)
		if d := s.divergence(from, to); d < best {
			best, lo, hi = d, from, to
		}
	}
	width := float64(h.AbsMax()) / float64(mid)
	below := max(float64(lo-mid)*width, float64(h.Min))
	above := min(float64(hi-mid)*width, float64(h.Max))
	return chosen(max(-below, above), -1)
}

// NewORTPercentile keeps percent of the values, above 0 and at most 100.
func NewORTPercentile(percent float64) (ORTPercentile, error) {
	if !(percent > 0 && percent <= 100) {
		return ORTPercentile{}, fmt.Errorf("ort-percentile calibrator: percent %v is not above 0 and at most 100", percent)
	}
	return ORTPercentile{percent}, nil
}

// Name is "ort-percentile", and "-" and the percentage unless that is 99.999.
func (o ORTPercentile) Name() string { return percentName("ort-percentile", o.percent, ORTPercent) }

// Choose finds the bin by cumulated shares.
func (o ORTPercentile) Choose(h *Histogram) Choice {
	b := max(1, percentileBin(h.absolute(), o.percent))
	return chosen(float64(b)*h.step(), b)
}

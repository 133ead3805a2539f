package calibrate

import (
	"fmt"
	"strconv"
)

// DefaultPercent is the share of values that Percentile keeps unless told otherwise.
const DefaultPercent = 99.99

// Percentile clips at the upper edge of the first bin up to which the given
// percentage of the values lies (as pytorch-quantization's histogram calibrator
// does), but never above the largest |x|.
type Percentile struct{ percent float64 }

var _ Calibrator = Percentile{}

// NewPercentile keeps percent of the values, above 0 and at most 100.
func NewPercentile(percent float64) (Percentile, error) {
	if !(percent > 0 && percent <= 100) {
		return Percentile{}, fmt.Errorf("percentile calibrator: percent %v is not above 0 and at most 100", percent)
	}
	return Percentile{percent}, nil
}

// Name is "percentile-" and the percentage: "percentile-99.99".
func (p Percentile) Name() string {
	return "percentile-" + strconv.FormatFloat(p.percent, 'f', -1, 64)
}

// Choose finds the bin by cumulated counts.
func (p Percentile) Choose(h *Histogram) Choice {
	want := p.percent / 100 * float64(h.Total())
	var sum uint64
	bin := Bins - 1
	for b, c := range h.Counts {
		if sum += c; float64(sum) >= want {
			bin = b
			break
		}
	}
	t := min(float64(h.AbsMax()), float64(bin+1)*(h.Range()/Bins))
	return Choice{Scale: float32(t / Levels), Threshold: t, Bin: bin}
}

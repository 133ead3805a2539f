package calibrate

import (
	"fmt"
	"math"
	"strconv"
)

// NVIDIA's pytorch-quantization, calib/histogram.py: HistogramCalibrator with
// its defaults (8 bits, signed, 2048 bins of |x| over the first batch's range,
// bins of the same width appended for later batches; torch_hist). The histogram
// therefore depends on which batch is the first, not on the others' order.

// PytorchEntropy is _compute_amax_entropy: bin 0 is replaced by bin 1, every
// number of bins from 128 to all is merged to 128 levels with proportional edges,
// the last of equals wins, and the value is the upper edge of the last bin.
type PytorchEntropy struct{}

// PytorchMSE is _compute_amax_mse: of the middles of bin 128 and up the one
// whose quantization of all middles, rounded half to even and clipped to
// -127..127, has the least squared error; the first of equals. The program
// computes in float32 on a GPU, this in float64.
type PytorchMSE struct{}

// PytorchPercentile is _compute_amax_percentile: the lower edge of the first bin
// up to which the given percentage of the values lies. Where that is 0, which is
// no scale, it is the edge above (our choice).
type PytorchPercentile struct{ percent float64 }

var (
	_ Calibrator = PytorchEntropy{}
	_ Calibrator = PytorchMSE{}
	_ Calibrator = PytorchPercentile{}
)

// Name is "pytorch-entropy".
func (PytorchEntropy) Name() string { return "pytorch-entropy" }

// Choose finds the bin of least divergence.
func (PytorchEntropy) Choose(h *Histogram) Choice {
	width, _ := h.appended()
	counts := floats(h.Appended)
	counts[0] = counts[1]
	m, _ := leastDivergence(counts, proportional, true)
	return chosen(float64(m)*width, m)
}

// Name is "pytorch-mse".
func (PytorchMSE) Name() string { return "pytorch-mse" }

// Choose tries the middle of every bin from 128 on.
func (PytorchMSE) Choose(h *Histogram) Choice {
	width, _ := h.appended()
	best, at := math.Inf(1), entropyLevels
	for i := entropyLevels; i < len(h.Appended); i++ {
		// In units of a bin, whose middles are b + 0.5.
		top := float64(i) + 0.5
		if d := middlesError(h.Appended, top/Levels); d < best {
			best, at = d, i
		}
	}
	return chosen((float64(at)+0.5)*width, at)
}

// middlesError is the squared error of quantizing the middles of the bins with a
// scale, all in units of a bin.
func middlesError(counts []uint64, scale float64) float64 {
	d := 0.0
	for b, c := range counts {
		if c > 0 {
			x := float64(b) + 0.5
			e := min(math.RoundToEven(x/scale), Levels)*scale - x
			d += e * e * float64(c)
		}
	}
	return d
}

// NewPytorchPercentile keeps percent of the values, above 0 and at most 100.
func NewPytorchPercentile(percent float64) (PytorchPercentile, error) {
	if !(percent > 0 && percent <= 100) {
		return PytorchPercentile{}, fmt.Errorf("pytorch-percentile calibrator: percent %v is not above 0 and at most 100", percent)
	}
	return PytorchPercentile{percent}, nil
}

// Name is "pytorch-percentile", and "-" and the percentage unless that is 99.99.
func (p PytorchPercentile) Name() string {
	return percentName("pytorch-percentile", p.percent, DefaultPercent)
}

// Choose finds the bin by cumulated shares.
func (p PytorchPercentile) Choose(h *Histogram) Choice {
	width, _ := h.appended()
	b := max(1, percentileBin(floats(h.Appended), p.percent))
	return chosen(float64(b)*width, b)
}

// percentileBin is the first bin up to which percent of the values lie, as numpy's
// searchsorted finds it in the cumulated shares; len(h) if their sum falls short
// of it by rounding.
func percentileBin(h []float64, percent float64) int {
	total := 0.0
	for _, v := range h {
		total += v
	}
	sum := 0.0
	for b, v := range h {
		if sum += v / total; sum >= percent/100 {
			return b
		}
	}
	return len(h)
}

// percentName is a calibrator's name with its percentage, if it is not the usual.
func percentName(name string, percent, usual float64) string {
	if percent == usual {
		return name
	}
	return name + "-" + strconv.FormatFloat(percent, 'f', -1, 64)
}

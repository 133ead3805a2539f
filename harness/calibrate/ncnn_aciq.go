package calibrate

import "math"

// The optimum clipping of a Gaussian to 8 bits, in standard deviations.
const aciqAlpha = 3.92403714

// NcnnACIQ is ncnn's quantize_ACIQ (tools/quantize/ncnn2table.cpp,
// compute_aciq_gaussian_clip): it takes the values for a Gaussian, estimates its
// standard deviation from the largest |x| and the number N of values in one
// picture, and clips at 3.92403714 deviations.
//
// ncnn does so for inputs of convolutions and fully connected layers; here it is
// done for every tensor. N below 2, for which the formula is infinite, counts as
// 2 (our choice). The threshold may lie above the largest |x|, as ncnn's may.
type NcnnACIQ struct{}

var _ Calibrator = NcnnACIQ{}

// Name is "ncnn-aciq".
func (NcnnACIQ) Name() string { return "ncnn-aciq" }

// Choose applies the formula.
func (NcnnACIQ) Choose(h *Histogram) Choice {
	n := max(2, float64(h.Total())/float64(max(1, h.Pictures)))
	gaussian := 0.5 * 0.35 * (1 + math.Sqrt(math.Pi*math.Log(4)))
	deviation := 2 * float64(h.AbsMax()) * gaussian / math.Sqrt(2*math.Log(n))
	return chosen(aciqAlpha*deviation, -1)
}

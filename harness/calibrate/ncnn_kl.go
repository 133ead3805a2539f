package calibrate

import "math"

// ncnnEpsilon is added to every bin of both distributions.
const ncnnEpsilon = 1e-4

// NcnnKL is ncnn's quantize_KL (tools/quantize/ncnn2table.cpp): 2048 bins of |x|
// over [0, the largest |x| of all pictures] without the values that are exactly
// 0, normalised; every t from 128 to 2047 bins is merged to 128 levels of t/128
// bins each, shared bins counting by their part; each bin of the second
// distribution gets its levels' means by the same parts. Both have 1e-4 added to
// all bins and are not normalised again. The first of equals wins, and the value
// is the middle of bin t.
//
// ncnn does so for inputs of convolutions and fully connected layers; here it is
// done for every tensor. ncnn sums in float32, this in float64, so that nearly
// equal divergences may be told apart otherwise.
type NcnnKL struct{}

var _ Calibrator = NcnnKL{}

// Name is "ncnn-kl".
func (NcnnKL) Name() string { return "ncnn-kl" }

// Choose finds the bin of least divergence.
func (NcnnKL) Choose(h *Histogram) Choice {
	counts := h.absolute()
	counts[0] -= float64(h.Zeros)
	t := ncnnThreshold(counts)
	return chosen((float64(t)+0.5)*h.step(), t)
}

func ncnnThreshold(h []float64) int {
	total := 0.0
	for _, v := range h {
		total += v
	}
	beyond := 1.0
	for b := range h {
		h[b] /= total
		if b < entropyLevels {
			beyond -= h[b]
		}
	}
	logs := make([]float64, len(h))
	for b, v := range h {
		logs[b] = math.Log(ncnnEpsilon + v)
	}
	best, at := math.Inf(1), entropyLevels
	expanded := make([]float64, len(h))
	for t := entropyLevels; t < len(h); t++ {
		ncnnExpand(h, expanded[:t])
		if d := ncnnDivergence(h[:t], logs, expanded[:t], max(0, beyond)); d < best {
			best, at = d, t
		}
		beyond -= h[t]
	}
	return at
}

// ncnnExpand merges the first len(to) bins of h to levels and spreads them again.
func ncnnExpand(h, to []float64) {
	t := len(to)
	for b := range to {
		to[b] = ncnnEpsilon
	}
	width := float64(t) / entropyLevels
	for level := range entropyLevels {
		from, end := float64(level)*width, float64(level+1)*width
		upper, lower := int(math.Ceil(from)), int(math.Floor(end))
		left, right := float64(upper)-from, end-float64(lower)
		sum := 0.0
		for _, v := range h[upper:lower] {
			sum += v
		}
		if left > 0 {
			sum += left * h[upper-1]
		}
		if right > 0 {
			sum += right * h[lower]
		}
		mean := sum / (float64(lower-upper) + left + right)
		for b := range to[upper:lower] {
			to[upper+b] += mean
		}
		if left > 0 {
			to[upper-1] += left * mean
		}
		if right > 0 {
			to[lower] += right * mean
		}
	}
}

// ncnnDivergence is the sum of p ln(p/q); logs are ln(h + 1e-4).
func ncnnDivergence(h, logs, q []float64, beyond float64) float64 {
	last := len(h) - 1
	d := 0.0
	for b, v := range h[:last] {
		d += (ncnnEpsilon + v) * (logs[b] - math.Log(q[b]))
	}
	p := ncnnEpsilon + h[last] + beyond
	return d + p*math.Log(p/q[last])
}

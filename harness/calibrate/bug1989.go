package calibrate

import "math"

// bugEpsilon stands for empty bins in both distributions.
const bugEpsilon = 1e-4

// Bug1989 is threshold_distribution of BUG1989/caffe-int8-convert-tools
// (caffe-int8-convert-tool-dev-weight.py), slips included: numpy's histogram
// over [0, largest |x|] leaves out negative values, its first bin is cut off
// without the others' numbers being moved back, the last level is not spread to
// its last bin. Levels have floor(i/128) bins, the last one the rest; empty bins
// are 1e-4 in both distributions, which are then normalised; the first of equals
// wins, and the value is the middle of bin i.
//
// The program does so for the inputs of convolutions; here it is done for every
// tensor. A tensor without values above the first bin has no distribution: the
// first candidate, 128, wins, as it does there.
type Bug1989 struct{}

var _ Calibrator = Bug1989{}

// Name is "bug1989".
func (Bug1989) Name() string { return "bug1989" }

// Choose finds the bin of least divergence.
func (Bug1989) Choose(h *Histogram) Choice {
	i := bugThreshold(floats(h.Positive)[1:])
	return chosen((float64(i)+0.5)*h.step(), i)
}

func bugThreshold(h []float64) int {
	beyond, logs := 0.0, make([]float64, len(h))
	for b, v := range h {
		if logs[b] = math.Log(v); v == 0 {
			logs[b] = math.Log(bugEpsilon)
		}
		if b >= entropyLevels {
			beyond += v
		}
	}
	best, at := math.Inf(1), entropyLevels
	for i := entropyLevels; i < len(h); i++ {
		if d := bugDivergence(h[:i], logs, beyond); d < best {
			best, at = d, i
		}
		beyond -= h[i]
	}
	return at
}

// bugDivergence is the divergence of the candidate len(h); logs are ln(h).
func bugDivergence(h, logs []float64, beyond float64) float64 {
	i := len(h)
	logEpsilon := math.Log(bugEpsilon)
	var sp, sq, plogp, plogq float64
	last := h[i-1] + beyond
	for level := range entropyLevels {
		lo, hi := grouped(level, i), grouped(level+1, i)
		sum, used := 0.0, 0.0
		for _, v := range h[lo:hi] {
			if sum += v; v > 0 {
				used++
			}
		}
		if hi == i { // the last bin is not spread to, but its values are in the sum
			hi--
			if h[hi] > 0 {
				used--
			}
		}
		mean, logMean := bugEpsilon, logEpsilon
		if sum > 0 && used > 0 {
			mean, logMean = sum/used, math.Log(sum/used)
		}
		for b := lo; b < hi; b++ {
			v, q, lq := h[b], mean, logMean
			if v == 0 {
				v, q, lq = bugEpsilon, bugEpsilon, logEpsilon
			}
			sp, sq = sp+v, sq+q
			plogp += v * logs[b]
			plogq += v * lq
		}
	}
	if last == 0 {
		last = bugEpsilon
	}
	sp, sq = sp+last, sq+bugEpsilon
	plogp += last * math.Log(last)
	plogq += last * logEpsilon
	return (plogp-plogq)/sp - math.Log(sp) + math.Log(sq)
}

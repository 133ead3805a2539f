package calibrate

import "math"

// entropyLevels is the number of levels a distribution of |x| is merged to.
const entropyLevels = 128

// edges say at which bin level starts if i bins are merged to entropyLevels
// levels; the level after the last one starts at i.
type edges func(level, i int) int

// proportional is the rule of TensorRT and pytorch-quantization: the level of
// bin b is floor(b*128/i).
func proportional(level, i int) int { return (level*i + entropyLevels - 1) / entropyLevels }

// grouped gives every level floor(i/128) bins, and the rest to the last.
func grouped(level, i int) int {
	if level == entropyLevels {
		return i
	}
	return level * (i / entropyLevels)
}

// leastDivergence finds the number m of bins, from 128 to all, of least
// divergence, the first or the last of equals, and that divergence.
func leastDivergence(h []float64, start edges, last bool) (int, float64) {
	total := 0.0
	for _, v := range h {
		total += v
	}
	kept, logs := 0.0, make([]float64, len(h))
	for b, v := range h {
		logs[b] = math.Log(v / total)
		if b < entropyLevels-1 {
			kept += v
		}
	}
	best, at := math.Inf(1), len(h)
	for i := entropyLevels; i <= len(h); i++ {
		kept += h[i-1]
		if d := divergence(h[:i], logs, kept, total, start); d < best || d == best && last {
			best, at = d, i
		}
	}
	return at, best
}

// divergence is D of the candidate len(h): the sum of p ln(p/q), where p are the
// bins with everything beyond in the last, and q the same bins without that,
// each replaced by its level's mean over the bins in use. kept is the sum of h,
// logs are ln(h/total).
// It is infinite if only the values beyond fill the last bin.
func divergence(h, logs []float64, kept, total float64, start edges) float64 {
	i := len(h)
	beyond := total - kept
	if h[i-1] == 0 && beyond > 0 || kept == 0 {
		return math.Inf(1)
	}
	d := 0.0
	for level := range entropyLevels {
		lo, hi := start(level, i), start(level+1, i)
		sum, used := 0.0, 0.0
		for _, v := range h[lo:hi] {
			if v > 0 {
				sum += v
				used++
			}
		}
		if used == 0 {
			continue
		}
		lq := math.Log(sum / used / kept)
		for b, v := range h[lo:hi] {
			if v > 0 {
				d += v / total * (logs[lo+b] - lq)
			}
		}
		if hi == i && h[i-1] > 0 { // the last bin, with what lies beyond
			p := (h[i-1] + beyond) / total
			d += p*(math.Log(p)-lq) - h[i-1]/total*(logs[i-1]-lq)
		}
	}
	return d
}

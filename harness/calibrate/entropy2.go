package calibrate

import "math"

// entropyLevels is the number of levels a distribution is merged to.
const entropyLevels = 128

// Entropy2 is the rule of TensorRT's IInt8EntropyCalibrator2, as recovered from
// published tables: of all i from 128 to 2048 the one is chosen for which the
// first i bins, merged to 128 levels, lose least information. The value is the
// middle of bin m: (m + 0.5) * Range/2048.
type Entropy2 struct{}

var _ Calibrator = Entropy2{}

// Name is "entropy2".
func (Entropy2) Name() string { return "entropy2" }

// Choose finds the bin of least divergence, the last of equals.
func (Entropy2) Choose(h *Histogram) Choice {
	m, _ := leastDivergence(h.Counts)
	t := (float64(m) + 0.5) * (h.Range() / Bins)
	return Choice{Scale: float32(t / Levels), Threshold: t, Bin: m}
}

// leastDivergence is the m of least divergence and that divergence.
func leastDivergence(counts []uint64) (int, float64) {
	h := make([]float64, Bins)
	total := 0.0
	for b, c := range counts {
		h[b] = float64(c)
	}
	h[0] = h[1] // zeros and near zeros never count as such
	for _, v := range h {
		total += v
	}
	kept, logs := 0.0, make([]float64, Bins)
	for b, v := range h {
		logs[b] = math.Log(v / total)
		if b < entropyLevels-1 {
			kept += v
		}
	}
	best, at := math.Inf(1), Bins
	for i := entropyLevels; i <= Bins; i++ {
		kept += h[i-1]
		if d := divergence(h[:i], logs, kept, total); d <= best {
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
func divergence(h, logs []float64, kept, total float64) float64 {
	i := len(h)
	beyond := total - kept
	if h[i-1] == 0 && beyond > 0 || kept == 0 {
		return math.Inf(1)
	}
	d := 0.0
	for level := range entropyLevels {
		// Level of bin b is floor(b*128/i), so it starts at ceil(level*i/128).
		lo, hi := (level*i+entropyLevels-1)/entropyLevels, ((level+1)*i+entropyLevels-1)/entropyLevels
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

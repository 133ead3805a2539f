package calibrate

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
	counts := floats(h.Counts)
	counts[0] = counts[1] // zeros and near zeros never count as such
	m, _ := leastDivergence(counts, proportional, true)
	t := (float64(m) + 0.5) * (h.Range() / Bins)
	return Choice{Scale: float32(t / Levels), Threshold: t, Bin: m}
}

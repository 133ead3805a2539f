package calibrate

// MinMax clips nothing: the threshold is the largest |x| (TensorRT's
// IInt8MinMaxCalibrator gives exactly this value).
type MinMax struct{}

var _ Calibrator = MinMax{}

// Name is "minmax".
func (MinMax) Name() string { return "minmax" }

// Choose returns AbsMax.
func (MinMax) Choose(h *Histogram) Choice {
	return Choice{Scale: h.AbsMax() / Levels, Threshold: float64(h.AbsMax()), Bin: -1}
}

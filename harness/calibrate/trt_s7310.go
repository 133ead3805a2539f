package calibrate

// S7310 is the entropy calibration of the slides "8-bit inference with TensorRT"
// (GTC 2017, S7310), taken literally: 2048 bins of |x| over [0, the largest |x|
// of all pictures], every number of bins from 128 to 2048 merged to 128 levels.
//
// The slides leave open what the choices here are: each level has floor(i/128)
// bins and the last one the rest, bin 0 counts like any other, a level's sum is
// spread over its bins in use, P > 0 where Q = 0 is infinitely far, the first of
// equals wins. The value is the middle of bin m.
type S7310 struct{}

var _ Calibrator = S7310{}

// Name is "trt-s7310".
func (S7310) Name() string { return "trt-s7310" }

// Choose finds the bin of least divergence.
func (S7310) Choose(h *Histogram) Choice {
	m, _ := leastDivergence(h.absolute(), grouped, false)
	return chosen((float64(m)+0.5)*h.step(), m)
}

package calibrate

// TVMKL is TVM's _find_scale_by_kl (relay/quantize/kl_divergence.py): MXNet's
// search on 8001 bins of x over plus and minus the largest |x| of all pictures,
// which are one array there. It depends on no batches.
//
// It follows the search in its Python form; the later C++ form (calibrate.cc)
// leaves the first bin of a slice out of Q.
type TVMKL struct{}

var _ Calibrator = TVMKL{}

// Name is "tvm-kl".
func (TVMKL) Name() string { return "tvm-kl" }

// Choose finds the half width of least divergence.
func (TVMKL) Choose(h *Histogram) Choice {
	i := symmetricThreshold(floats(h.Signed))
	return chosen((float64(i)+0.5)*2*float64(h.AbsMax())/SignedBins, i)
}

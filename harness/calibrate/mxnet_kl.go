package calibrate

import "math"

const (
	signedLevels  = 255
	smoothEpsilon = 1e-4
)

// MXNetKL is MXNet's entropy calibration (contrib/quantization.py,
// _LayerHistogramCollector and _get_optimal_threshold, int8): 8001 bins of x over
// plus and minus the first batch's largest |x|, and as many more of the same
// width on both sides as later batches need, so that the result depends on which
// batch is the first. Every slice of 2i+1 bins around 0, i from 127, is merged
// to 255 levels of floor((2i+1)/255) bins, the rest in the last; what lies
// outside is added to P's two ends. P and Q are smoothed: empty bins get 1e-4,
// taken evenly from the others; where that is impossible the divergence is
// infinite. The value is the right edge of bin +i, of the first of equals.
//
// 255 levels are used for tensors without negative values too, as is done for
// int8. MXNet computes in float32, this in float64.
type MXNetKL struct{}

var _ Calibrator = MXNetKL{}

// Name is "mxnet-kl".
func (MXNetKL) Name() string { return "mxnet-kl" }

// Choose finds the half width of least divergence.
func (MXNetKL) Choose(h *Histogram) Choice {
	width, _ := h.widened()
	i := symmetricThreshold(floats(h.Widened))
	return chosen((float64(i)+0.5)*width, i)
}

// symmetricThreshold finds the half width i of least divergence of an odd number
// of bins.
func symmetricThreshold(h []float64) int {
	mid := len(h) / 2
	best, at := math.Inf(1), signedLevels/2
	s := newWindow(h, signedLevels)
	for i := signedLevels / 2; i <= mid; i++ {
		if d := s.divergence(mid-i, mid+i+1); d < best {
			best, at = d, i
		}
	}
	return at
}

// window gives the candidates out of one signed histogram.
type window struct {
	h, sums []float64 // sums[b] is the sum below bin b
	logs    []float64 // of h
	means   []float64 // of the candidate's levels
	taken   []taken   // by count, for small ones
	round   int       // the number of the candidate
}

// taken is the logarithm of a count less a candidate's take.
type taken struct {
	log   float64
	round int
}

// smallCounts is how many logarithms are kept: bins far out hold few values, and
// so the same numbers of them.
const smallCounts = 4096

func newWindow(h []float64, levels int) *window {
	w := &window{h: h, sums: make([]float64, len(h)+1), logs: make([]float64, len(h)), means: make([]float64, levels), taken: make([]taken, smallCounts)}
	for b, v := range h {
		w.sums[b+1] = w.sums[b] + v
		w.logs[b] = math.Log(v)
	}
	return w
}

// log is the logarithm of bin b's count less take, a number that stays the same
// for a candidate: the logarithms are the larger part of the search.
func (w *window) log(b int, take float64) float64 {
	if take == 0 {
		return w.logs[b]
	}
	v := w.h[b]
	if v >= smallCounts {
		return math.Log(v - take)
	}
	known := &w.taken[int(v)]
	if known.round != w.round {
		*known = taken{math.Log(v - take), w.round}
	}
	return known.log
}

// cut is one candidate: bins of the histogram, the first and last of which have
// other values in P.
type cut struct {
	h           []float64
	first, last float64
	group       int // bins a level
}

// start is the bin at which a level starts.
func (c *cut) start(level, levels int) int {
	if level == levels {
		return len(c.h)
	}
	return level * c.group
}

// p is the value of a bin in P.
func (c *cut) p(b int) float64 {
	switch b {
	case 0:
		return c.first
	case len(c.h) - 1:
		return c.last
	}
	return c.h[b]
}

// divergence is the smoothed divergence of bins lo to hi-1.
func (w *window) divergence(lo, hi int) float64 {
	c := &cut{
		h: w.h[lo:hi], first: w.h[lo] + w.sums[lo], last: w.h[hi-1] + w.sums[len(w.h)] - w.sums[hi],
		group: (hi - lo) / len(w.means),
	}
	zerosP, zerosQ := w.merge(c, lo)
	takeP, okP := smoothing(zerosP, hi-lo)
	takeQ, okQ := smoothing(zerosQ, hi-lo)
	if !okP || !okQ {
		return math.Inf(1)
	}
	return w.smoothed(c, lo, takeP, takeQ)
}

// merge fills in the levels' means over the bins that P uses, and counts the
// empty bins of P and Q.
func (w *window) merge(c *cut, lo int) (zerosP, zerosQ int) {
	for level := range w.means {
		a, b := c.start(level, len(w.means)), c.start(level+1, len(w.means))
		used := 0
		for _, v := range c.h[a:b] {
			if v > 0 {
				used++
			}
		}
		for _, end := range [2]int{0, len(c.h) - 1} { // in use by what lies outside alone
			if a <= end && end < b && c.h[end] == 0 && c.p(end) > 0 {
				used++
			}
		}
		zerosP += b - a - used
		w.means[level] = 0
		if sum := w.sums[lo+b] - w.sums[lo+a]; sum > 0 {
			w.means[level] = sum / float64(used)
		} else {
			zerosQ += used
		}
	}
	return zerosP, zerosP + zerosQ
}

// smoothed is the divergence of P from the means; lo is the candidate's first bin.
func (w *window) smoothed(c *cut, lo int, takeP, takeQ float64) float64 {
	w.round++
	logEpsilon := math.Log(smoothEpsilon)
	var sp, sq, plogp, plogq float64
	for level, mean := range w.means {
		q, logq := smoothEpsilon, logEpsilon
		if mean > 0 {
			q = mean - takeQ
			logq = math.Log(q)
		}
		end := c.start(level+1, len(w.means))
		for b := c.start(level, len(w.means)); b < end; b++ {
			v := c.h[b]
			ends := b == 0 || b == len(c.h)-1
			if ends {
				v = c.p(b)
			}
			if v == 0 {
				sp, sq = sp+smoothEpsilon, sq+smoothEpsilon
				plogp += smoothEpsilon * logEpsilon
				plogq += smoothEpsilon * logEpsilon
				continue
			}
			v -= takeP
			var logp float64
			if ends {
				logp = math.Log(v)
			} else {
				logp = w.log(lo+b, takeP)
			}
			sp, sq = sp+v, sq+q
			plogp += v * logp
			plogq += v * logq
		}
	}
	return (plogp-plogq)/sp - math.Log(sp) + math.Log(sq)
}

// smoothing is what each bin in use gives to the empty ones.
func smoothing(zeros, n int) (take float64, ok bool) {
	if zeros == n {
		return 0, false
	}
	take = smoothEpsilon * float64(zeros) / float64(n-zeros)
	return take, take < 1
}

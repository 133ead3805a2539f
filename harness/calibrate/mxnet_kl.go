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
	levels  int
}

func newWindow(h []float64, levels int) *window {
	s := &window{h, make([]float64, len(h)+1), levels}
	for b, v := range h {
		s.sums[b+1] = s.sums[b] + v
	}
	return s
}

// divergence is the smoothed divergence of bins lo to hi-1.
func (s *window) divergence(lo, hi int) float64 {
	h := s.h[lo:hi]
	n := len(h)
	left, right := s.sums[lo], s.sums[len(s.h)]-s.sums[hi]
	p := func(b int) float64 {
		v := h[b]
		if b == 0 {
			v += left
		}
		if b == n-1 {
			v += right
		}
		return v
	}
	group := n / s.levels
	var zerosP, zerosQ int
	start := func(level int) int {
		if level == s.levels {
			return n
		}
		return level * group
	}
	means := make([]float64, s.levels)
	for level := range s.levels {
		a, b := start(level), start(level+1)
		used := 0
		for _, v := range h[a:b] {
			if v > 0 {
				used++
			}
		}
		for _, end := range []int{0, n - 1} { // bins in use by what lies outside alone
			if a <= end && end < b && h[end] == 0 && p(end) > 0 {
				used++
			}
		}
		zerosP += b - a - used
		if sum := s.sums[lo+b] - s.sums[lo+a]; sum > 0 {
			means[level] = sum / float64(used)
		} else {
			zerosQ += used
		}
	}
	zerosQ += zerosP
	takeP, okP := smoothing(zerosP, n)
	takeQ, okQ := smoothing(zerosQ, n)
	if !okP || !okQ {
		return math.Inf(1)
	}
	logEpsilon := math.Log(smoothEpsilon)
	var sp, sq, plogp, plogq float64
	for level := range s.levels {
		q, logq := smoothEpsilon, logEpsilon
		if means[level] > 0 {
			q = means[level] - takeQ
			logq = math.Log(q)
		}
		for b := start(level); b < start(level+1); b++ {
			v := h[b]
			if b == 0 || b == n-1 {
				v = p(b)
			}
			if v == 0 {
				sp, sq = sp+smoothEpsilon, sq+smoothEpsilon
				plogp += smoothEpsilon * logEpsilon
				plogq += smoothEpsilon * logEpsilon
				continue
			}
			v -= takeP
			sp, sq = sp+v, sq+q
			plogp += v * math.Log(v)
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

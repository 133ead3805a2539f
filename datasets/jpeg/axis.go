package jpeg

import "math"

// weightBits is the number of fraction bits of a filter weight.
const weightBits = 15

// axisKey is all that the weights along one axis of a plane depend on.
type axisKey struct {
	pixels  int // picture pixels along the axis
	d       int // pixels a sample
	samples int // samples of the plane
	resized int // pixels of the resized picture
	offset  int // of the crop in the resized picture
	crop    int // pixels of the crop
}

// axis is a filter along one axis: output i of the crop is the sum over k < taps
// of weight[i*taps+k] * sample[first+start[i]+k].
type axis struct {
	first, end int // samples that any output looks at: first <= s < end
	taps       int
	start      []int
	weight     []uint64
	pairs      []pair
}

// pair is outputs 2i and 2i+1 together: weights of the first in the low half of
// a word, of the second in the high half, for the samples first+start and on.
type pair struct {
	start  int
	weight []uint64
}

// newAxis computes the weights by the rule that NewResizer states.
func newAxis(k axisKey) *axis {
	a := &axis{start: make([]int, k.crop), end: 0, first: k.samples}
	rows := make([][]uint64, k.crop)
	for i := range k.crop {
		a.start[i], rows[i] = triangle(k, i+k.offset)
		a.taps = max(a.taps, len(rows[i]))
	}
	for i := range rows {
		a.start[i], rows[i] = widen(a.start[i], rows[i], a.taps, k.samples)
		a.first, a.end = min(a.first, a.start[i]), max(a.end, a.start[i]+a.taps)
		a.weight = append(a.weight, rows[i]...)
	}
	for i := range a.start {
		a.start[i] -= a.first
	}
	for i := 0; i < k.crop; i += 2 {
		a.pairs = append(a.pairs, a.pair(i))
	}
	return a
}

// exact is the filter of output o of the resized picture, before rounding.
func exact(k axisKey, o int) (start int, w []float64) {
	scale := float64(k.pixels) / float64(k.resized) / float64(k.d)
	c, s := (float64(o)+0.5)*scale, max(scale, 1)
	start = max(0, int(math.Floor(c-s+0.5)))
	end := min(k.samples, int(math.Floor(c+s+0.5)))
	sum := 0.0
	for j := start; j < end; j++ {
		w = append(w, max(0, 1-math.Abs(float64(j)+0.5-c)/s))
		sum += w[j-start]
	}
	for j := range w {
		w[j] /= sum
	}
	return start, w
}

// triangle is exact in fixed point.
func triangle(k axisKey, o int) (int, []uint64) {
	start, f := exact(k, o)
	w, sum, largest := make([]uint64, len(f)), int64(0), 0
	for j, v := range f {
		r := int64(math.Round(v * (1 << weightBits)))
		w[j], sum = uint64(r), sum+r
		if f[j] > f[largest] {
			largest = j
		}
	}
	w[largest] += uint64(1<<weightBits - sum)
	return start, w
}

// widen gives a filter taps weights without leaving the plane.
func widen(start int, w []uint64, taps, samples int) (int, []uint64) {
	moved := min(start, samples-taps)
	wide := make([]uint64, taps)
	copy(wide[start-moved:], w)
	return moved, wide
}

// pair joins outputs i and i+1; the latter may not exist.
func (a *axis) pair(i int) pair {
	j := i
	if i+1 < len(a.start) {
		j = i + 1
	}
	start := min(a.start[i], a.start[j])
	p := pair{start, make([]uint64, max(a.start[i], a.start[j])+a.taps-start)}
	for k := range a.taps {
		p.weight[a.start[i]-start+k] += a.weight[i*a.taps+k]
		if j > i {
			p.weight[a.start[j]-start+k] += a.weight[j*a.taps+k] << 32
		}
	}
	return p.trim()
}

// trim cuts weights of 0 off both ends.
func (p pair) trim() pair {
	for len(p.weight) > 1 && p.weight[0] == 0 {
		p.start, p.weight = p.start+1, p.weight[1:]
	}
	for n := len(p.weight); n > 1 && p.weight[n-1] == 0; n-- {
		p.weight = p.weight[:n-1]
	}
	return p
}

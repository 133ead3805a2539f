// Package calibrate turns the activations of the float network into one scale
// for each tensor.
//
// Activations are watched once and kept as histograms, built as TensorRT builds
// them; every calibrator chooses from the same histograms, so a further one
// costs no further pass over the pictures. The batches' size and order are part
// of the result, as they are TensorRT's: the first batch fixes the range.
package calibrate

import "math"

// Bins is the number of bins of a histogram.
const Bins = 2048

// Histogram counts the values of one tensor, in each of the ways in which the
// calibrators that are replicated here count.
//
// Counts is TensorRT's histogram: the |x| in equal bins over [0, Range). The
// first batch with a value other than 0 sets the range to its largest |x|; a
// later batch with a larger one doubles it until it fits, and bins 2k and 2k+1
// become bin k. The value Range itself lies in the last bin. The other counts
// are in Extra.
type Histogram struct {
	// First is the largest |x| of the batch that set the range; 0 if all were 0.
	First float32
	// Doublings is how often the range was doubled since.
	Doublings int
	// Min and Max are the smallest and largest x of all batches.
	Min, Max float32
	// Pictures is the number of pictures seen.
	Pictures int
	// Counts holds Bins counts.
	Counts []uint64
	Extra
}

// Range is the upper end of the last bin.
func (h *Histogram) Range() float64 { return math.Ldexp(float64(h.First), h.Doublings) }

// AbsMax is the largest |x| of all batches.
func (h *Histogram) AbsMax() float32 { return max(-h.Min, h.Max) }

// Total is the number of values.
func (h *Histogram) Total() uint64 {
	var n uint64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// grow takes in the largest |x| of the next batch.
func (h *Histogram) grow(top float32) {
	if h.First == 0 {
		h.First = top
		return
	}
	for float64(top) > h.Range() {
		h.Doublings++
	}
}

// bin adds values that were seen when the range had been doubled so far times;
// the result is counted in the final range. zero is true before there was a range.
func (h *Histogram) bin(counts []uint64, values []float32, sofar int, zero bool) {
	if zero {
		counts[0] += uint64(len(values))
		return
	}
	f := Bins / math.Ldexp(float64(h.First), sofar)
	fold := h.Doublings - sofar
	if fold >= 11 {
		fold = 11 // everything falls into bin 0
	}
	zeros := uint64(0)
	for _, v := range values {
		if v == 0 {
			zeros++ // half of all values behind a ReLU
			continue
		}
		b := int(math.Abs(float64(v)) * f)
		if uint(b) >= Bins {
			b = Bins - 1
		}
		counts[b>>fold]++
	}
	counts[0] += zeros
}

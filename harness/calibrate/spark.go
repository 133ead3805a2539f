package calibrate

import (
	"math"
	"strings"
)

// bars are the heights of a spark histogram, lowest first.
var bars = []rune(" ▁▂▃▄▅▆▇█")

// Spark draws the |x| from 0 to AbsMax as so many characters. Heights are
// logarithms: a full bar is the fullest part, the lowest one a value or more where
// there are any.
func (h *Histogram) Spark(width int) string {
	parts := make([]uint64, width)
	most := uint64(0)
	for b := range h.Positive {
		i := b * width / Bins
		parts[i] += h.Positive[b] + h.Negative[b]
		most = max(most, parts[i])
	}
	var s strings.Builder
	for _, n := range parts {
		height := 0
		if n > 0 {
			height = 1 + int(math.Round(float64(len(bars)-2)*math.Log1p(float64(n))/math.Log1p(float64(most))))
		}
		s.WriteRune(bars[min(height, len(bars)-1)])
	}
	return s.String()
}

// Beyond is the share of the values whose |x| lies above a threshold; the bin that
// holds it counts in part.
func (h *Histogram) Beyond(threshold float64) float64 {
	if threshold >= float64(h.AbsMax())*(1-1e-6) {
		return 0 // 127 times a float32 misses the largest value by its rounding
	}
	n, all := 0.0, 0.0
	for b := range h.Positive {
		c := float64(h.Positive[b] + h.Negative[b])
		all += c
		n += c * min(1, max(0, float64(b+1)-threshold/h.step()))
	}
	if all == 0 {
		return 0
	}
	return n / all
}

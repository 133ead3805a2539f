package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Spread sums up a few values, such as the accuracy over calibration subsets.
type Spread struct {
	Mean float64
	// Deviation is the standard deviation between the values (n-1 in the
	// denominator); 0 for one value.
	Deviation float64
	// Range are the smallest and the largest value.
	Range Interval
	// Interval is Student's, of the mean; infinite for one value.
	Interval Interval
}

// Spreading sums up at least one value.
func Spreading(values []float64, confidence float64) Spread {
	n := float64(len(values))
	s := Spread{Range: Interval{slices.Min(values), slices.Max(values)}}
	for _, v := range values {
		s.Mean += v / n
	}
	half := math.Inf(1)
	if len(values) > 1 {
		for _, v := range values {
			s.Deviation += (v - s.Mean) * (v - s.Mean) / (n - 1)
		}
		s.Deviation = math.Sqrt(s.Deviation)
		half = distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.5+confidence/2) * s.Deviation / math.Sqrt(n)
	}
	s.Interval = Interval{s.Mean - half, s.Mean + half}
	return s
}

package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is the q-quantile (0 to 1) of ascending values by linear
// interpolation at (n-1)q: type 7 of Hyndman and Fan 1996 (Am. Stat. 50:361),
// R's default. NaN without values.
func Quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if n == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	h := float64(n-1) * min(1, max(0, q))
	i := int(h)
	if i+1 >= n {
		return sorted[n-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

// Latency sums up repeated timings, in the unit they have.
type Latency struct {
	N           int
	Median      float64
	Interval    Interval // of the median, free of any distribution
	Min, Max    float64
	P90, P99    float64
	Warnings    []error
	Reliability float64 // the coverage that Interval really has
}

// Summarize sums up timings. The interval of the median is a pair of order
// statistics with at least 95 % coverage (David and Nagaraja, Order Statistics,
// 7.1); below six timings there is none, and the whole range stands in.
func Summarize(timings []float64) Latency {
	s := slices.Clone(timings)
	slices.Sort(s)
	n := len(s)
	if n == 0 {
		return Latency{Warnings: []error{fmt.Errorf("no timings")}}
	}
	l := Latency{N: n, Median: Quantile(s, 0.5), Min: s[0], Max: s[n-1], P90: Quantile(s, 0.9), P99: Quantile(s, 0.99)}
	rank := medianRank(n)
	l.Interval = Interval{s[rank], s[n-1-rank]}
	l.Reliability = 1 - 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(rank))
	l.warn(s)
	return l
}

// medianRank is the largest r for which [s[r], s[n-1-r]] covers the median with
// 95 %, or 0.
func medianRank(n int) int {
	b, r := distuv.Binomial{N: float64(n), P: 0.5}, 0
	for r+1 < n/2 && b.CDF(float64(r+1)) <= (1-Confidence)/2 {
		r++
	}
	return r
}

func (l *Latency) warn(s []float64) {
	if l.Reliability < Confidence {
		l.Warnings = append(l.Warnings, fmt.Errorf("%d timings give no 95 %% interval of the median (at least 6 are needed); the range stands in", l.N))
	}
	q1, q3 := Quantile(s, 0.25), Quantile(s, 0.75)
	if far := q3 + 3*(q3-q1); l.N >= 6 && l.Max > far {
		n := len(s) - atMost(s, far)
		l.Warnings = append(l.Warnings, fmt.Errorf("%d of %d timings lie far above the others (beyond the third quartile by three interquartile ranges): something else ran", n, l.N))
	}
}

// atMost is how many of the ascending values are at most v.
func atMost(s []float64, v float64) int {
	i, _ := slices.BinarySearchFunc(s, v, func(a, b float64) int {
		if a <= b {
			return -1
		}
		return 1
	})
	return i
}

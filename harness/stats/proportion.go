package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the level that the project's reports use.
const Confidence = 0.95

// z is the two-sided normal quantile of a confidence level: 1.95996 for 0.95.
func z(confidence float64) float64 { return distuv.UnitNormal.Quantile(0.5 + confidence/2) }

// Wilson is the score interval of k successes in n trials (Wilson 1927, JASA
// 22:209). Without trials it is [0, 1].
func Wilson(k, n int, confidence float64) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	q, p, N := z(confidence), float64(k)/float64(n), float64(n)
	d := 1 + q*q/N
	mid := (p + q*q/(2*N)) / d
	half := q / d * math.Sqrt(p*(1-p)/N+q*q/(4*N*N))
	i := Interval{max(0, mid-half), min(1, mid+half)}
	if k == 0 {
		i.Lo = 0
	}
	if k == n {
		i.Hi = 1
	}
	return i
}

// ClopperPearson is the exact interval of k successes in n trials (Clopper and
// Pearson 1934, Biometrika 26:404), by beta quantiles. It never covers less
// than confidence. Without trials it is [0, 1].
func ClopperPearson(k, n int, confidence float64) Interval {
	i, tail := Interval{0, 1}, (1-confidence)/2
	if n <= 0 {
		return i
	}
	if k > 0 {
		i.Lo = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		i.Hi = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return i
}

// Contains reports whether lo <= v <= hi.
func (i Interval) Contains(v float64) bool { return i.Lo <= v && v <= i.Hi }

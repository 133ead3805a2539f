package stats

import (
	"errors"
	"fmt"
	"math"
)

// Paired counts what two classifiers did with the same pictures.
type Paired struct {
	N    int // pictures
	Lost int // only the reference was right
	Won  int // only the other was right
}

// Validate reports counts that no N pictures can give.
func (p Paired) Validate() error {
	if p.N < 1 || p.Lost < 0 || p.Won < 0 || p.Lost+p.Won > p.N {
		return fmt.Errorf("paired counts: %d lost and %d won of %d pictures is impossible", p.Lost, p.Won, p.N)
	}
	return nil
}

// Difference is the other's accuracy minus the reference's; negative is a loss.
func (p Paired) Difference() float64 { return float64(p.Won-p.Lost) / float64(p.N) }

// Warnings tell what makes the paired numbers weak.
func (p Paired) Warnings() []error {
	var w []error
	if d := p.Lost + p.Won; d < 6 {
		w = append(w, fmt.Errorf("only %d of %d pictures tell the two apart: the exact test cannot reach p < 0.05 below 6", d, p.N))
	}
	if p.N < 100 {
		w = append(w, errors.New("fewer than 100 pictures: intervals are wide and only approximate"))
	}
	return w
}

// McNemar is the exact two-sided p-value that lost and won come from the same
// rate: twice the smaller binomial tail at 1/2, at most 1 (McNemar 1947,
// Psychometrika 12:153). log10 is its decimal logarithm, good also where p
// itself is too small for a float64 and comes out as 0.
func McNemar(lost, won int) (p, log10 float64) {
	n, k := lost+won, min(lost, won)
	sum := math.Inf(-1)
	for i := range k + 1 {
		sum = logAdd(sum, logChoose(n, i))
	}
	ln := min(0, math.Ln2+sum-float64(n)*math.Ln2)
	return math.Exp(ln), ln / math.Ln10
}

func logChoose(n, k int) float64 {
	lg := func(v int) float64 { r, _ := math.Lgamma(float64(v) + 1); return r }
	return lg(n) - lg(k) - lg(n-k)
}

// logAdd is log(exp(a)+exp(b)).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(a, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// Interval is Tango's score interval of Difference (Tango 1998, Statistics in
// Medicine 17:891). It needs no continuity correction, stays within [-1, 1] and
// holds its level for few discordant pictures, where Wald's collapses.
func (p Paired) Interval(confidence float64) Interval {
	q, d := z(confidence), p.Difference()
	return Interval{
		Lo: p.solve(-1, d, func(t float64) bool { return p.score(t) > q }),
		Hi: p.solve(d, 1, func(t float64) bool { return p.score(t) >= -q }),
	}
}

// solve is the place in [lo, hi] where left turns from true to false.
func (p Paired) solve(lo, hi float64, left func(float64) bool) float64 {
	if !left(lo) {
		return lo
	}
	if left(hi) {
		return hi
	}
	for range 100 {
		mid := lo + (hi-lo)/2
		if left(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + (hi-lo)/2
}

// score is Tango's statistic for a true difference t: the distance from the
// estimate over its standard error under t, falling in t.
func (p Paired) score(t float64) float64 {
	n, b, c := float64(p.N), float64(p.Won), float64(p.Lost)
	num := b - c - n*t
	v := n * (2*p.lossRate(t) + t*(1-t))
	if v <= 1e-15 {
		if num == 0 {
			return 0
		}
		return math.Copysign(math.Inf(1), num)
	}
	return num / math.Sqrt(v)
}

// lossRate is the most likely rate of lost pictures if the difference is t.
func (p Paired) lossRate(t float64) float64 {
	n, b, c := float64(p.N), float64(p.Won), float64(p.Lost)
	A, B, C := 2*n, -b-c+(2*n-b+c)*t, -c*t*(1-t)
	r := (math.Sqrt(max(0, B*B-4*A*C)) - B) / (2 * A)
	return max(r, 0, -t)
}

// Verdict of a gate: the same words as in the run's record.
type Verdict string

// A gate passes if the interval lies wholly at or above the limit, fails if
// wholly below, and is otherwise inconclusive.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Judge compares the 95 % interval of the difference with the smallest allowed
// difference, such as -0.01. For an inconclusive gate needed is how many
// pictures would decide it if the estimate holds (0: none would).
func (p Paired) Judge(limit float64) (v Verdict, needed int) {
	switch i := p.Interval(Confidence); {
	case i.Lo >= limit:
		return Pass, 0
	case i.Hi < limit:
		return Fail, 0
	}
	return Inconclusive, p.Needed(limit)
}

// Needed is z^2 (discordant rate - d^2) / (d - limit)^2 pictures, rounded up to
// a multiple of 10,000: where the Wald interval of the difference d would end at
// the limit. 0 if d equals the limit or nothing is discordant.
func (p Paired) Needed(limit float64) int {
	d, q := p.Difference(), z(Confidence)
	v := float64(p.Lost+p.Won)/float64(p.N) - d*d
	n := q * q * v / ((d - limit) * (d - limit))
	if v <= 0 || math.IsInf(n, 0) || math.IsNaN(n) || n > 1e15 {
		return 0
	}
	return int(math.Ceil(n/10000)) * 10000
}

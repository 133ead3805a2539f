package matrix

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// holm corrects the paired tests of a run for their number: Holm, A simple
// sequentially rejective multiple test procedure (1979). Cells without a test
// get 1; cells that give the same answers as an earlier one are one test.
func holm(cells []record.Cell) []float64 {
	adjusted := make([]float64, len(cells))
	var at []int
	var p []float64
	for i := range cells {
		adjusted[i] = 1
		if cells[i].Status == record.OK && cells[i].McNemarP != nil && cells[i].Stands() && first(cells, i) == i {
			at, p = append(at, i), append(p, *cells[i].McNemarP)
		}
	}
	for i, h := range stats.Holm(p) {
		adjusted[at[i]] = h
	}
	return adjusted
}

// Tests tells how many paired tests the run has.
func (m *Matrix) Tests() int {
	n := 0
	for r := range m.Each {
		if r.Paired() {
			n++
		}
	}
	return n
}

// Differing are the rows whose difference to fp32 holds at the 5 % level after
// Holm's correction, largest loss first.
func (m *Matrix) Differing() []Row {
	var rows []Row
	for r := range m.Each {
		if r.Paired() && r.Adjusted < 0.05 {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Difference, b.Difference) })
	return rows
}

// Pair is two calibrators of one line, the better one first.
type Pair struct{ Better, Worse Row }

// Pairs compares the calibrators of each line and returns those that can be
// told apart, largest distance first, and the number of pairs compared.
//
// Both cells of a pair are measured against the same reference, so the standard
// error of the distance is at most the sum of the two; a distance beyond that
// sum times the normal quantile for 5 % over all pairs (Bonferroni) is told apart
// whatever the correlation. The test is cautious: it needs no pictures.
func (m *Matrix) Pairs() (apart []Pair, compared int) {
	var all []Pair
	for _, g := range m.Groups {
		for _, line := range g.Lines() {
			for i := range line {
				for j := i + 1; j < len(line); j++ {
					all = append(all, ordered(line[i], line[j]))
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, 0
	}
	z := distuv.UnitNormal.Quantile(1 - 0.05/(2*float64(len(all))))
	for _, p := range all {
		if p.distance() > z*(deviation(p.Better)+deviation(p.Worse)) {
			apart = append(apart, p)
		}
	}
	slices.SortStableFunc(apart, func(a, b Pair) int { return cmp.Compare(b.distance(), a.distance()) })
	return apart, len(all)
}

func ordered(a, b Row) Pair {
	if a.Difference < b.Difference {
		a, b = b, a
	}
	return Pair{a, b}
}

func (p Pair) distance() float64 { return p.Better.Difference - p.Worse.Difference }

// deviation is the standard error behind a 95 % interval of the difference.
func deviation(r Row) float64 {
	i := r.DifferenceInterval
	return math.Abs(i.Hi-i.Lo) / 2 / distuv.UnitNormal.Quantile(0.975)
}

// Package compare tests cells of runs against each other, picture by picture:
// any two cells, of one run or of two, as long as both answered the same
// pictures with the same labels. Whoever asks for many comparisons at once gets
// them corrected for their number.
package compare

import (
	"fmt"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// Level below which a corrected p counts as a difference.
const Level = 0.05

// Cell is a cell with its answers.
type Cell struct {
	*record.Cell
	Answers *record.Answers
}

// Of gathers the cells of a run that have a result and stand in tables, with their
// answers. A cell
// without answers, or with another number of them than its record says, is an
// error: the two files do not belong together.
func Of(run *record.Run, list []record.Answers) ([]Cell, error) {
	by := map[string]*record.Answers{}
	for i := range list {
		by[list[i].Cell] = &list[i]
	}
	var cells []Cell
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Status != record.OK || !c.Stands() {
			continue
		}
		a := by[c.ID]
		if a == nil {
			return nil, fmt.Errorf("cell %s (%s) has no predictions in the file beside the results; run the experiment again into the same folder", c.ID, record.NameOf(c).Name)
		}
		if correct(a) != c.Correct || len(a.Labels) != c.Images {
			return nil, fmt.Errorf("cell %s: the predictions say %d right of %d, the results %d of %d; the two files are of different runs", c.ID, correct(a), len(a.Labels), c.Correct, c.Images)
		}
		cells = append(cells, Cell{c, a})
	}
	return cells, nil
}

func correct(a *record.Answers) int {
	n := 0
	for i, p := range a.Predictions {
		if p.Correct(a.Labels[i]) {
			n++
		}
	}
	return n
}

// Pair is two cells to compare; A is the reference.
type Pair struct{ A, B Cell }

// Pairs compares all pairs and corrects their p-values together (Holm). The
// pictures of a pair must be the same, in any order, unless common allows to
// leave out those that only one of the two has.
func Pairs(pairs []Pair, common bool) ([]record.Comparison, error) {
	out, p := make([]record.Comparison, len(pairs)), make([]float64, len(pairs))
	for i, x := range pairs {
		c, err := one(x, common)
		if err != nil {
			return nil, err
		}
		out[i], p[i] = *c, c.McNemarP
	}
	for i, h := range stats.Holm(p) {
		out[i].HolmP, out[i].Distinguishable = h, h < Level
	}
	return out, nil
}

// one compares two cells, without correction.
func one(x Pair, common bool) (*record.Comparison, error) {
	c := &record.Comparison{A: record.NameOf(x.A.Cell), B: record.NameOf(x.B.Cell)}
	if x.A.Dataset != x.B.Dataset && !common {
		return nil, fmt.Errorf("%s saw pictures of %s, %s of %s; a paired test needs the same pictures", c.A.ID, x.A.Dataset, c.B.ID, x.B.Dataset)
	}
	n, err := Count(x.A.Answers, x.B.Answers, common, func(a, b bool) {
		count(&c.CorrectA, a)
		count(&c.CorrectB, b)
		count(&c.Lost, a && !b)
		count(&c.Won, b && !a)
	})
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", c.A.ID, c.B.ID, err)
	}
	c.Images = n
	t := stats.Paired{N: n, Lost: c.Lost, Won: c.Won}
	c.Difference, c.DifferenceInterval = t.Difference(), t.Interval(stats.Confidence)
	c.McNemarP, c.McNemarLog10 = stats.McNemar(c.Lost, c.Won)
	for _, w := range t.Warnings() {
		c.Warnings = append(c.Warnings, w.Error())
	}
	return c, nil
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// Count tells visit, for each picture of a, whether a and b are right, and
// returns the number of pictures. The error says how the pictures differ.
func Count(a, b *record.Answers, common bool, visit func(a, b bool)) (int, error) {
	at := make(map[string]int, len(b.Pictures))
	for i, p := range b.Pictures {
		at[p] = i
	}
	n, missing := 0, ""
	for i, p := range a.Pictures {
		j, ok := at[p]
		if !ok {
			missing = p
			continue
		}
		if a.Labels[i] != b.Labels[j] {
			return 0, fmt.Errorf("picture %s has label %d for the one and %d for the other; they were scored against different truths", p, a.Labels[i], b.Labels[j])
		}
		visit(a.Predictions[i].Correct(a.Labels[i]), b.Predictions[j].Correct(b.Labels[j]))
		n++
	}
	switch {
	case n == 0:
		return 0, fmt.Errorf("no picture in common: %s is one of the first, %s of the second; a paired test needs the same pictures", a.Pictures[0], b.Pictures[0])
	case !common && n < len(a.Pictures):
		return 0, fmt.Errorf("different pictures: %d and %d, of which %d are common; %s is missing from the second; compare on the common ones only if that is meant", len(a.Pictures), len(b.Pictures), n, missing)
	case !common && n < len(b.Pictures):
		return 0, fmt.Errorf("different pictures: %d and %d, of which %d are common; compare on the common ones only if that is meant", len(a.Pictures), len(b.Pictures), n)
	}
	return n, nil
}

// AgainstReference pairs one cell with every other of its dataset.
func AgainstReference(ref Cell, cells []Cell) []Pair {
	var pairs []Pair
	for _, c := range cells {
		if c.ID != ref.ID && c.Dataset == ref.Dataset {
			pairs = append(pairs, Pair{ref, c})
		}
	}
	return pairs
}

// WithinGroups pairs every two cells of one model on one dataset, in order.
func WithinGroups(cells []Cell) []Pair {
	var pairs []Pair
	for i, a := range cells {
		for _, b := range cells[i+1:] {
			if a.Model == b.Model && a.Dataset == b.Dataset {
				pairs = append(pairs, Pair{a, b})
			}
		}
	}
	return pairs
}

package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Crossed is the comparison of two ways of making a classifier, each tried on the
// same random subsets of calibration pictures and scored on the same test
// pictures. Both are samples: the subsets of all that could have calibrated, the
// pictures of all that could have been classified.
//
// With d the difference (0, 1 or -1) of one subset and picture, the model is
//
//	d = mean + subset + picture + rest
//
// with the last three random: the design of many readers and many cases, where the
// subsets are the readers (Dorfman, Berbaum and Metz 1992, Investigative Radiology
// 27:723), and of Clark's quasi-F (1973, J. Verbal Learning and Verbal Behavior
// 12:335). A test on one subset's pictures alone (McNemar) says only which of two
// tables is better, not which of two calibrators.
type Crossed struct {
	Subsets, N int
	// Difference is the first's accuracy minus the second's, over all subsets.
	Difference float64
	// OfSubsets, OfPictures and OfRest are the mean squares of the two-way analysis
	// of variance of d.
	OfSubsets, OfPictures, OfRest float64
}

// Cross compares right answers, by subset and then by picture. There must be at
// least 2 subsets and 2 pictures, and as many for both.
func Cross(first, second [][]bool) (Crossed, error) {
	c := Crossed{Subsets: len(first)}
	if c.Subsets < 2 || len(second) != c.Subsets {
		return c, fmt.Errorf("crossed comparison: %d and %d subsets; it takes 2 or more, the same for both", len(first), len(second))
	}
	if c.N = len(first[0]); c.N < 2 {
		return c, errors.New("crossed comparison: it takes 2 pictures or more")
	}
	of := make([]int, c.N) // sums of each picture's differences
	total, squares, subsets := 0, 0, 0.0
	for k := range first {
		if len(first[k]) != c.N || len(second[k]) != c.N {
			return c, fmt.Errorf("crossed comparison: %d and %d pictures in subset %d, %d in the first", len(first[k]), len(second[k]), k+1, c.N)
		}
		sum := 0
		for i, right := range first[k] {
			if right == second[k][i] {
				continue
			}
			d := -1
			if right {
				d = 1
			}
			sum, of[i], squares = sum+d, of[i]+d, squares+1
		}
		total += sum
		subsets += float64(sum) * float64(sum)
	}
	c.meanSquares(of, float64(total), float64(squares), subsets)
	return c, nil
}

// meanSquares divides the sums of squares by their degrees of freedom.
func (c *Crossed) meanSquares(of []int, total, squares, subsets float64) {
	k, n := float64(c.Subsets), float64(c.N)
	pictures := 0.0
	for _, s := range of {
		pictures += float64(s) * float64(s)
	}
	c.Difference = total / (k * n)
	common := total * total / (k * n)
	c.OfSubsets = (subsets/n - common) / (k - 1)
	c.OfPictures = (pictures/k - common) / (n - 1)
	c.OfRest = max(0, (squares-subsets/n-pictures/k+common)/((k-1)*(n-1)))
}

// Uncertain is a difference with what is not known of it.
type Uncertain struct {
	// Error is the standard error, DF the degrees of freedom of its estimate.
	Error, DF float64
	// P is the chance of a difference at least as large if there were none.
	P        float64
	Interval Interval
}

// Test judges the difference against both sources of chance by Student's t, with
// the error and the degrees of freedom of Hillis (2007, Statistics in Medicine
// 26:596). Two things make it more cautious. The mean square of the subsets counts
// at least as much as that of the rest: a variance component below 0 is none. And
// share, the part of all pictures that each subset holds, corrects for subsets
// that are alike because they overlap (Cochran, Sampling Techniques, 1977, 2.6):
// the variance between independent ones is 1/(1-share) times as large. A share of
// 0 or of 1 corrects nothing.
func (c Crossed) Test(share, confidence float64) Uncertain {
	subsets := max(c.OfSubsets, c.OfRest)
	if share > 0 && share < 1 {
		subsets = c.OfRest + (subsets-c.OfRest)/(1-share)
	}
	sum := subsets + max(0, c.OfPictures-c.OfRest)
	u := Uncertain{Error: math.Sqrt(sum / float64(c.Subsets*c.N)), DF: math.Inf(1), P: 1, Interval: Interval{c.Difference, c.Difference}}
	if sum == 0 {
		if c.Difference != 0 {
			u.P = 0
		}
		return u
	}
	quantile, tail := distuv.UnitNormal.Quantile, distuv.UnitNormal.Survival
	if subsets > 0 {
		u.DF = sum * sum / (subsets * subsets / float64(c.Subsets-1))
		t := distuv.StudentsT{Sigma: 1, Nu: u.DF}
		quantile, tail = t.Quantile, t.Survival
	}
	half := quantile(0.5+confidence/2) * u.Error
	u.Interval = Interval{max(-1, c.Difference-half), min(1, c.Difference+half)}
	u.P = min(1, 2*tail(math.Abs(c.Difference)/u.Error))
	return u
}

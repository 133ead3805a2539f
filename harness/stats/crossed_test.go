package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// right draws answers: each picture and each subset has an effect of its own on
// either side.
func right(rng *rand.Rand, subsets, n int, subset, picture float64) (a, b [][]bool) {
	effect := make([]float64, n)
	base := make([]float64, n)
	for i := range n {
		base[i], effect[i] = 1.5+rng.NormFloat64(), picture*rng.NormFloat64()
	}
	for range subsets {
		s := subset * rng.NormFloat64()
		x, y := make([]bool, n), make([]bool, n)
		for i := range n {
			x[i] = base[i]+effect[i]+s+0.3*rng.NormFloat64() > 0
			y[i] = base[i]+0.3*rng.NormFloat64() > 0
		}
		a, b = append(a, x), append(b, y)
	}
	return a, b
}

// TestCrossAgainstDefinition compares the mean squares with the analysis of
// variance as its definition has it.
func TestCrossAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		a, b := right(rng, 4, 37, 0.3, 0.5)
		c, err := Cross(a, b)
		if err != nil {
			t.Fatal(err)
		}
		d := make([][]float64, 4)
		rows, columns, mean := make([]float64, 4), make([]float64, 37), 0.0
		for k := range d {
			d[k] = make([]float64, 37)
			for i := range d[k] {
				if a[k][i] {
					d[k][i]++
				}
				if b[k][i] {
					d[k][i]--
				}
				rows[k] += d[k][i] / 37
				columns[i] += d[k][i] / 4
				mean += d[k][i] / (4 * 37)
			}
		}
		var subsets, pictures, rest float64
		for k := range d {
			subsets += 37 * (rows[k] - mean) * (rows[k] - mean) / 3
			for i := range d[k] {
				e := d[k][i] - rows[k] - columns[i] + mean
				rest += e * e / (3 * 36)
			}
		}
		for i := range columns {
			pictures += 4 * (columns[i] - mean) * (columns[i] - mean) / 36
		}
		near(t, "difference", c.Difference, mean, 1e-12)
		near(t, "of subsets", c.OfSubsets, subsets, 1e-12)
		near(t, "of pictures", c.OfPictures, pictures, 1e-12)
		near(t, "of rest", c.OfRest, rest, 1e-12)
	}
}

// TestCrossedLevel draws pairs without a difference: at most one in twenty may be
// called different, whichever source of chance prevails. A test on the pictures of
// one subset would call far more.
func TestCrossedLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name            string
		subset, picture float64
	}{{"neither", 0, 0}, {"pictures", 0, 0.7}, {"subsets", 0.3, 0}, {"both", 0.3, 0.7}} {
		const runs = 1500
		called, oneSubset := 0, 0
		for range runs {
			a, b := right(rng, 3, 250, c.subset, c.picture)
			x, y := right(rng, 3, 250, c.subset, c.picture)
			for k := range a { // either side has the effects on half of the pictures
				copy(a[k][125:], y[k][125:])
				copy(b[k][125:], x[k][125:])
			}
			r, err := Cross(a, b)
			if err != nil {
				t.Fatal(err)
			}
			if r.Test(0, 0.95).P < 0.05 {
				called++
			}
			var p Paired
			for i := range a[0] {
				count(&p.Won, a[0][i] && !b[0][i])
				count(&p.Lost, b[0][i] && !a[0][i])
			}
			if q, _ := McNemar(p.Lost, p.Won); q < 0.05 {
				oneSubset++
			}
		}
		t.Logf("%s: %.3f called different by the crossed test, %.3f by McNemar on one subset", c.name, float64(called)/runs, float64(oneSubset)/runs)
		if called > 0.07*runs {
			t.Errorf("%s: %d of %d pairs without a difference are called different", c.name, called, runs)
		}
	}
}

func TestCrossedShare(t *testing.T) {
	c := Crossed{Subsets: 3, N: 100, Difference: 0.1, OfSubsets: 0.5, OfPictures: 0.3, OfRest: 0.1}
	all, half := c.Test(0, 0.95), c.Test(0.5, 0.95)
	near(t, "error", all.Error*all.Error*300, 0.5+0.2, 1e-12)
	near(t, "degrees", all.DF, 0.7*0.7/(0.25/2), 1e-12)
	near(t, "error of halves", half.Error*half.Error*300, 0.9+0.2, 1e-12)
	if half.P <= all.P || !half.Interval.Contains(all.Interval.Lo) {
		t.Errorf("subsets that overlap give p %v and %v, those that do not %v and %v", half.P, half.Interval, all.P, all.Interval)
	}
	if same := (Crossed{Subsets: 2, N: 10}).Test(0, 0.95); same.P != 1 || same.Interval != (Interval{}) {
		t.Errorf("no difference at all: %+v", same)
	}
	// A mean square of the subsets below the rest's does not make it surer.
	c.OfSubsets = 0.001
	near(t, "least error", c.Test(0, 0.95).Error*c.Test(0, 0.95).Error*300, 0.1+0.2, 1e-12)
}

func TestCrossErrors(t *testing.T) {
	one := [][]bool{{true, false}}
	two := [][]bool{{true, false}, {true, true}}
	for _, c := range [][2][][]bool{{one, one}, {two, one}, {two, {{true, false}, {true}}}, {{{true}, {true}}, {{true}, {true}}}} {
		if _, err := Cross(c[0], c[1]); err == nil {
			t.Errorf("%v is compared", c)
		}
	}
}

func TestSpreading(t *testing.T) {
	s := Spreading([]float64{1, 2, 3, 4}, 0.95)
	near(t, "mean", s.Mean, 2.5, 1e-12)
	near(t, "deviation", s.Deviation, math.Sqrt(5.0/3), 1e-12)
	near(t, "interval", s.Interval.Hi, 2.5+3.182446305*math.Sqrt(5.0/3)/2, 1e-8) // t of 3, 0.975
	if s.Range != (Interval{1, 4}) {
		t.Errorf("range %v", s.Range)
	}
	if one := Spreading([]float64{7}, 0.95); one.Mean != 7 || one.Deviation != 0 || !math.IsInf(one.Interval.Hi, 1) {
		t.Errorf("one value: %+v", one)
	}
}

// TestAlike has the example of overlapping groups, and random ones against the
// definition: every pair that is not apart shares a group, no group holds a pair
// that is, and no group lies within another.
func TestAlike(t *testing.T) {
	far := func(i, j int) bool { return j-i > 1 }
	if diff := cmp.Diff([][]int{{0, 1}, {1, 2}, {2, 3}}, Alike(4, far)); diff != "" {
		t.Error(diff)
	}
	if got := Alike(3, func(int, int) bool { return false }); len(got) != 1 || len(got[0]) != 3 {
		t.Errorf("nothing apart: %v", got)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		var apart [9][9]bool
		for i := range 9 {
			for j := range i {
				apart[i][j] = rng.IntN(3) == 0
				apart[j][i] = apart[i][j]
			}
		}
		groups := Alike(9, func(i, j int) bool { return apart[i][j] })
		var share [9][9]bool
		for _, g := range groups {
			for _, i := range g {
				for _, j := range g {
					share[i][j] = true
				}
			}
		}
		for i := range 9 {
			for j := range 9 {
				if share[i][j] == apart[i][j] {
					t.Fatalf("%d and %d: apart %v, in one group %v: %v", i, j, apart[i][j], share[i][j], groups)
				}
			}
		}
	}
}

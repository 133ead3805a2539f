package matrix

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
)

// Contest is one line of a bake-off with its calibrators ranked.
type Contest struct {
	*record.BakeoffLine
	Series Series
	// Where names the model (with its dataset if there are several) and the runtime:
	// "resnet18 on NVDLA per-filter".
	Where string
	// Ranked are the calibrators with the main number of pictures, best first.
	Ranked []Contender
}

// Contender is one calibrator of a contest.
type Contender struct {
	record.BakeoffPoint
	// Letters name its groups: "ab". Calibrators that share a letter cannot be told
	// apart.
	Letters string
	// Behind is its distance to the best, with its interval and corrected p; nil for
	// the best itself.
	Behind *record.BakeoffPair
}

// Contests are the lines of the run's bake-off that have a comparison.
func (m *Matrix) Contests() []Contest {
	if m.Run.Bakeoff == nil {
		return nil
	}
	differing := variations(m.Run.Cells)
	var list []Contest
	for i := range m.Run.Bakeoff.Lines {
		l := &m.Run.Bakeoff.Lines[i]
		cell := &record.Cell{Runtime: l.Runtime, Mode: l.Mode, Target: l.Target, Profile: l.Profile, InputMode: l.InputMode}
		s := SeriesOf(cell)
		c := Contest{BakeoffLine: l, Series: s, Where: m.Name(Group{Model: l.Model, Dataset: l.Dataset}) + " on " + join(s.Short, name(differing, []*record.Cell{cell}))}
		for _, p := range l.Points {
			if p.Calibration == l.Main {
				c.Ranked = append(c.Ranked, Contender{p, letters(l, p.Calibrator), nil})
			}
		}
		slices.SortStableFunc(c.Ranked, func(a, b Contender) int { return cmp.Compare(b.Mean, a.Mean) })
		for k := range c.Ranked {
			c.Ranked[k].Behind = behind(l, c.Ranked[0].Calibrator, c.Ranked[k].Calibrator)
		}
		if len(c.Ranked) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// letters are the groups of a calibrator, a letter each; numbers beyond z.
func letters(l *record.BakeoffLine, calibrator string) string {
	var b strings.Builder
	for i, g := range l.Groups {
		switch {
		case !slices.Contains(g, calibrator):
		case i < 26:
			b.WriteByte(byte('a' + i))
		default:
			fmt.Fprintf(&b, "(%d)", i+1)
		}
	}
	return b.String()
}

// behind is the pair of the best calibrator and another.
func behind(l *record.BakeoffLine, best, other string) *record.BakeoffPair {
	for i := range l.Pairs {
		p := l.Pairs[i]
		if p.Better == other && p.Worse == best { // equal means
			p.Better, p.Worse, p.Difference = best, other, -p.Difference
			p.Interval.Lo, p.Interval.Hi = -p.Interval.Hi, -p.Interval.Lo
		}
		if p.Better == best && p.Worse == other {
			return &p
		}
	}
	return nil
}

// alpha is the level at which calibrators count as told apart.
const alpha = 0.05

// Apart counts the pairs that can be told apart.
func (c Contest) Apart() int {
	n := 0
	for _, p := range c.Pairs {
		if p.Adjusted < alpha {
			n++
		}
	}
	return n
}

// Beside are the calibrators that cannot be told from the best, best first.
func (c Contest) Beside() []string {
	var names []string
	for _, r := range c.Ranked[1:] {
		if r.Behind == nil || r.Behind.Adjusted >= alpha {
			names = append(names, r.Calibrator)
		}
	}
	return names
}

// Verdict says what the numbers allow to be said of the calibrators.
func (c Contest) Verdict() string {
	best, others := c.Ranked[0], len(c.Ranked)-1
	all := c.Beside()
	beside, unsure := c.farAmong(all)
	switch {
	case others == 0:
		return fmt.Sprintf("%s has %s only", c.Where, best.Calibrator)
	case c.Apart() == 0:
		return fmt.Sprintf("%s: no two of %d calibrators can be told apart", c.Where, others+1)
	case len(all) == 0:
		return fmt.Sprintf("%s: %s is ahead of all %d others", c.Where, best.Calibrator, others)
	case len(beside) == others:
		return fmt.Sprintf("%s: none of %d calibrators can be told from the best, %s", c.Where, others, best.Calibrator)
	}
	s := fmt.Sprintf("%s: %s is best", c.Where, best.Calibrator)
	if len(beside) > 0 {
		s += ", and cannot be told from " + format.List(beside)
	}
	if n := others - len(all); n > 0 {
		s += "; it is ahead of the other " + format.Words(n)
	}
	if len(unsure) > 0 {
		s += fmt.Sprintf("; %s further behind than %s pp, but by amounts that depend too much on the subset for the test", format.List(unsure)+verb(len(unsure), " is", " are"), format.Fixed(100*farBehind, 0))
	}
	return s
}

// farBehind is the distance beyond which a calibrator that the test does not tell
// from the best is not said to be like it.
const farBehind = 0.02

// farAmong parts calibrators into those near the best and those far behind it.
func (c Contest) farAmong(names []string) (near, far []string) {
	for _, r := range c.Ranked[1:] {
		switch {
		case !slices.Contains(names, r.Calibrator):
		case c.Ranked[0].Mean-r.Mean > farBehind:
			far = append(far, r.Calibrator)
		default:
			near = append(near, r.Calibrator)
		}
	}
	return near, far
}

func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// Numbers are the calibration pictures and accuracy of the best, in words.
func (c Contest) Numbers() string {
	best := c.Ranked[0]
	s := fmt.Sprintf("%s %% top-1", format.Percent(best.Mean))
	if n := len(best.Correct); n > 1 {
		s += fmt.Sprintf(", the mean of %d subsets", n)
	}
	s += fmt.Sprintf(" of %s calibration pictures", format.Count(c.Main))
	if c.Reference >= 0 {
		s += "; fp32 has " + format.Percent(c.Reference) + " %"
	}
	return s
}

// Near are the calibrators whose accuracy lies within limit of the best's.
func (c Contest) Near(limit float64) (near, far []Contender) {
	for _, r := range c.Ranked {
		if r.Mean >= c.Ranked[0].Mean-limit {
			near = append(near, r)
		} else {
			far = append(far, r)
		}
	}
	return near, far
}

// Scatter are the standard deviations of the accuracy of the named calibrators
// with a number of pictures: between the subsets of one calibrator (pooled), and
// between the calibrators' means. ok is false where there are not two of each.
func (c Contest) Scatter(of []Contender, calibration int) (subsets, calibrators float64, ok bool) {
	var means []float64
	degrees := 0
	for _, p := range c.Points {
		named := slices.ContainsFunc(of, func(r Contender) bool { return r.Calibrator == p.Calibrator })
		if !named || p.Calibration != calibration {
			continue
		}
		means = append(means, p.Mean)
		subsets += p.Deviation * p.Deviation * float64(len(p.Correct)-1)
		degrees += len(p.Correct) - 1
	}
	if degrees == 0 || len(means) < 2 {
		return 0, 0, false
	}
	mean := 0.0
	for _, v := range means {
		mean += v / float64(len(means))
	}
	for _, v := range means {
		calibrators += (v - mean) * (v - mean) / float64(len(means)-1)
	}
	return math.Sqrt(subsets / float64(degrees)), math.Sqrt(calibrators), true
}

// Point is a calibrator's result with a number of pictures.
func (c Contest) Point(calibrator string, calibration int) (record.BakeoffPoint, bool) {
	for _, p := range c.Points {
		if p.Calibrator == calibrator && p.Calibration == calibration {
			return p, true
		}
	}
	return record.BakeoffPoint{}, false
}

// Sizes are the numbers of calibration pictures, ascending.
func (c Contest) Sizes() []int {
	var sizes []int
	for _, p := range c.Points {
		if !slices.Contains(sizes, p.Calibration) {
			sizes = append(sizes, p.Calibration)
		}
	}
	slices.Sort(sizes)
	return sizes
}

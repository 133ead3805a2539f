package harness

import (
	"cmp"
	"context"
	"slices"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// bakeoff compares the calibrators of a run that varies calibration pictures; nil
// for any other.
func (e *Experiment) bakeoff(ctx context.Context, outcomes []outcome) (*record.Bakeoff, error) {
	lines := sweptLines(outcomes)
	if len(lines) == 0 {
		return nil, nil
	}
	b := &record.Bakeoff{}
	for _, cells := range lines {
		d, err := e.dataset(cells[0].plan.Point.Dataset, "test")
		if err != nil {
			return nil, err
		}
		labels, err := e.labels(ctx, d, cells[0].cell.Images)
		if err != nil {
			return nil, err
		}
		l := lineOf(cells[0].cell)
		if ref := reference(outcomes, &cells[0]); ref != nil {
			l.Reference = ref.cell.Top1
		}
		l.Points = points(cells)
		if err := e.judge(l, cells, labels); err != nil {
			return nil, err
		}
		b.Lines = append(b.Lines, *l)
	}
	return b, nil
}

// sweptLines gathers the swept cells that ran by everything but calibration and
// calibrator, in order of appearance.
func sweptLines(outcomes []outcome) [][]outcome {
	var lines [][]outcome
	at := map[Point]int{}
	for _, o := range outcomes {
		if o.cell.Calibration == nil || o.cell.Status != record.OK {
			continue
		}
		p := o.plan.Point
		p.Calibrator, p.Images, p.Subset = "", "", ""
		i, ok := at[p]
		if !ok {
			i = len(lines)
			at[p], lines = i, append(lines, nil)
		}
		lines[i] = append(lines[i], o)
	}
	return lines
}

func lineOf(c *record.Cell) *record.BakeoffLine {
	return &record.BakeoffLine{Model: c.Model, Dataset: c.Dataset, Runtime: c.Runtime, Target: c.Target, Mode: c.Mode,
		Profile: c.Profile, InputMode: c.InputMode, Cell: c.ID, Images: c.Images, Reference: -1}
}

// points sums up each calibrator and number of pictures over the subsets.
func points(cells []outcome) []record.BakeoffPoint {
	var list []record.BakeoffPoint
	for _, name := range calibratorsOf(cells) {
		var own []record.BakeoffPoint
		for _, o := range cells {
			if o.cell.Calibrator != name {
				continue
			}
			size := o.cell.Calibration.Images
			i := slices.IndexFunc(own, func(p record.BakeoffPoint) bool { return p.Calibration == size })
			if i < 0 {
				i, own = len(own), append(own, record.BakeoffPoint{Calibrator: name, Calibration: size})
			}
			own[i].Correct = append(own[i].Correct, o.cell.Correct)
		}
		slices.SortStableFunc(own, func(a, b record.BakeoffPoint) int { return a.Calibration - b.Calibration })
		for i := range own {
			spread(&own[i], cells[0].cell.Images)
		}
		list = append(list, own...)
	}
	return list
}

func spread(p *record.BakeoffPoint, images int) {
	var rates []float64
	for _, n := range p.Correct {
		rates = append(rates, float64(n)/float64(images))
	}
	s := stats.Spreading(rates, stats.Confidence)
	p.Mean, p.Deviation, p.Range = s.Mean, s.Deviation, s.Range
	if len(rates) > 1 {
		p.Interval = &s.Interval
	}
}

// calibratorsOf are the calibrators of cells, in order of appearance.
func calibratorsOf(cells []outcome) []string {
	var names []string
	for _, o := range cells {
		if !slices.Contains(names, o.cell.Calibrator) {
			names = append(names, o.cell.Calibrator)
		}
	}
	return names
}

// contender holds one calibrator's right answers with the main number of pictures, by
// subset and picture.
type contender struct {
	name    string
	mean    float64
	subsets []int
	right   [][]bool
}

// judge tests all pairs of calibrators with the main number of pictures.
func (e *Experiment) judge(l *record.BakeoffLine, cells []outcome, labels []int) error {
	i := slices.IndexFunc(cells, func(o outcome) bool { return o.cell.Calibration.Main })
	if i < 0 {
		return nil // every cell that stands failed
	}
	l.Main = cells[i].cell.Calibration.Images
	spec := e.cfg.calibratedAt(cells[i].plan.Point)
	if d, err := e.dataset(l.Dataset, spec.Split); err == nil && spec.Subsets > 0 {
		l.Share = float64(l.Main) / float64(d.Info().Len)
	}
	all := answered(l, cells, labels)
	for _, a := range all {
		l.Subsets = max(l.Subsets, len(a.subsets))
	}
	var ps []float64
	for i, a := range all {
		for _, b := range all[i+1:] {
			pair, err := against(a, b, l.Share)
			if err != nil {
				return err
			}
			l.Pairs, ps = append(l.Pairs, pair), append(ps, pair.P)
		}
	}
	for i, p := range stats.Holm(ps) {
		l.Pairs[i].Adjusted = p
	}
	l.Groups = alike(all, l.Pairs)
	return nil
}

// answered gathers the answers of each calibrator with the main number of
// pictures, the best calibrator first.
func answered(l *record.BakeoffLine, cells []outcome, labels []int) []contender {
	var all []contender
	for _, name := range calibratorsOf(cells) {
		a := contender{name: name}
		for _, o := range cells {
			if o.cell.Calibrator != name || o.cell.Calibration.Images != l.Main {
				continue
			}
			right := make([]bool, len(labels))
			for i, p := range o.predictions {
				right[i] = p.Correct(labels[i])
			}
			a.subsets, a.right = append(a.subsets, o.cell.Calibration.Subset), append(a.right, right)
			a.mean += float64(o.cell.Correct)
		}
		if len(a.subsets) > 0 {
			a.mean /= float64(len(a.subsets))
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b contender) int { return cmp.Compare(b.mean, a.mean) })
	return all
}

// against compares two calibrators on the subsets that both have.
func against(a, b contender, share float64) (record.BakeoffPair, error) {
	pair := record.BakeoffPair{Better: a.name, Worse: b.name, P: 1, McNemarP: 1}
	var first, second [][]bool
	for i, subset := range a.subsets {
		if j := slices.Index(b.subsets, subset); j >= 0 {
			first, second = append(first, a.right[i]), append(second, b.right[j])
		}
	}
	if len(first) == 0 {
		return pair, nil
	}
	one := stats.Paired{N: len(first[0])}
	for i := range first[0] {
		switch {
		case first[0][i] && !second[0][i]:
			one.Won++
		case second[0][i] && !first[0][i]:
			one.Lost++
		}
	}
	pair.Won, pair.Lost = one.Won, one.Lost
	pair.McNemarP, _ = stats.McNemar(one.Lost, one.Won)
	if len(first) == 1 {
		pair.Difference, pair.Interval, pair.P = one.Difference(), one.Interval(stats.Confidence), pair.McNemarP
		return pair, nil
	}
	c, err := stats.Cross(first, second)
	if err != nil {
		return pair, err
	}
	u := c.Test(share, stats.Confidence)
	pair.Difference, pair.Interval, pair.P, pair.DF = c.Difference, u.Interval, u.P, min(u.DF, 1e9)
	return pair, nil
}

// alike names the groups of calibrators that the pairs do not tell apart.
func alike(all []contender, pairs []record.BakeoffPair) [][]string {
	apart := map[[2]string]bool{}
	for _, p := range pairs {
		apart[[2]string{p.Better, p.Worse}] = p.Adjusted < 1-stats.Confidence
	}
	var groups [][]string
	for _, g := range stats.Alike(len(all), func(i, j int) bool { return apart[[2]string{all[i].name, all[j].name}] }) {
		var names []string
		for _, i := range g {
			names = append(names, all[i].name)
		}
		groups = append(groups, names)
	}
	return groups
}

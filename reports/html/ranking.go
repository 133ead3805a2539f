package html

import (
	"fmt"
	"html/template"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// ranking draws how far each calibrator is behind the best of its line, with the
// letters of the groups that cannot be told apart.
func ranking(contests []matrix.Contest, id string) (figure, error) {
	f := figure{ID: id, Title: rankingTitle(contests), Layout: layout(min(len(contests), 2)), Caption: rankingCaption(contests)}
	s := rankingSpan(contests)
	for i, c := range contests {
		o, narrow, err := rankingOption(c, s)
		if err != nil {
			return f, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), "Distance of each calibrator to the best in percentage points for "+c.Where, 66+22*len(c.Ranked), o, 420, narrow)
		if err != nil {
			return f, err
		}
		p.Title = strong(c.Where) + " &nbsp;distance to the best, pp"
		f.Panels = append(f.Panels, p)
	}
	f.Tables = []table{rankingTable(contests), pairTable(contests)}
	return f, nil
}

// rankingTitle counts pairs; the sentences about each line are in the caption.
func rankingTitle(contests []matrix.Contest) string {
	pairs, apart := 0, 0
	for _, c := range contests {
		pairs, apart = pairs+len(c.Pairs), apart+c.Apart()
	}
	if len(contests) == 1 {
		return contests[0].Verdict()
	}
	if pairs == 0 {
		return "One calibrator only: there is nothing to compare"
	}
	return fmt.Sprintf("%s of calibrators can be told apart", format.Sentence(format.Share(apart, pairs, "pair")))
}

func rankingCaption(contests []matrix.Contest) template.HTML {
	var h template.HTML
	for _, c := range contests {
		h += text(c.Verdict()+" ("+c.Numbers()+").") + "<br>"
	}
	first := contests[0]
	how := "Test of each pair: exact McNemar on the same pictures"
	if first.Subsets > 1 {
		how = "Test of each pair: Student’s t with calibration subsets and test pictures both as random (Dorfman, Berbaum and Metz 1992; Hillis 2007)"
	}
	return h + text(fmt.Sprintf("Calibrators that share a letter cannot be told apart. Mark: distance to the best of the line over all subsets; whisker: its 95 %% interval, not corrected; a number in brackets: further away than the axis reaches. %s, corrected by Holm’s method for the pairs of a line, 5 %% level.", how))
}

// rankingSpan reaches as far as the calibrators that are near, the same for all
// panels.
func rankingSpan(contests []matrix.Contest) span {
	lo := -0.001
	for _, c := range contests {
		near, _ := c.Near(bakeoffNear)
		for _, r := range near {
			if r.Behind != nil {
				lo = min(lo, -r.Behind.Interval.Hi)
			}
		}
	}
	lo = max(lo, -2*bakeoffNear)
	return around(100*lo, -5*lo, 4)
}

func rankingOption(c matrix.Contest, s span) (o, narrow node, err error) {
	var labels []string
	var dots, whiskers []node
	beside := map[string]bool{}
	for _, name := range c.Beside() {
		beside[name] = true
	}
	tint := colour(c.Series.Key)
	for i, r := range c.Ranked {
		label, hint := r.Calibrator, rankingTip(c, r)
		at, lo, hi := 0.0, 0.0, 0.0
		if b := r.Behind; b != nil {
			at, lo, hi = -100*b.Difference, -100*b.Interval.Hi, -100*b.Interval.Lo
		}
		if r.Letters != "" {
			label += "  " + r.Letters
		}
		if at < s.lo {
			labels = append(labels, braces.Replace(label+"  ("+format.Points(at/100)+")"))
			continue
		}
		labels = append(labels, braces.Replace(label))
		if r.Behind != nil {
			whiskers = append(whiskers, node{"value": []float64{round(max(lo, s.lo)), round(min(hi, s.hi)), float64(i)}, "itemStyle": node{"color": tint}, "tip": hint})
		}
		dot := node{"value": []float64{round(at), float64(i)}, "itemStyle": node{"color": tint}, "tip": hint}
		if beside[r.Calibrator] {
			dot["itemStyle"] = node{"color": colour("bg"), "borderColor": tint, "borderWidth": 2}
		}
		dots = append(dots, dot)
	}
	a := axes{
		X: opts.XAxis{Type: "value", Min: s.lo, Max: s.hi},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	marks := series{kind: "scatter", data: dots, settings: node{"z": 3, "symbol": shapes[c.Series.Key].symbol, "symbolSize": 9, "markLine": referenceLine("xAxis", 0, "")}}
	o, err = option(a, node{"left": margin(labels, 6), "right": 14, "top": 10, "bottom": 30},
		series{kind: "custom", data: whiskers, settings: node{"renderItem": function("whisker"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 2}}, marks)
	if err != nil {
		return nil, nil, err
	}
	axis(o, "xAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks, "formatter": function("minus")}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0}})
	return o, node{"yAxis": node{"axisLabel": node{"fontSize": 11}}}, nil
}

func rankingTip(c matrix.Contest, r matrix.Contender) []string {
	lines := []string{c.Where + " · " + r.Calibrator, fmt.Sprintf("top-1 %s %%, mean of %s", format.Percent(r.Mean), format.Plural(len(r.Correct), "subset"))}
	if b := r.Behind; b != nil {
		lines = append(lines, fmt.Sprintf("%s pp to %s (%s to %s), Holm %s", format.Points(-b.Difference), b.Better, format.Points(-b.Interval.Hi), format.Points(-b.Interval.Lo), format.Equation(b.Adjusted)))
	}
	return lines
}

func rankingTable(contests []matrix.Contest) table {
	t := table{Caption: "calibrators by line, best first", Head: columns("line", ">rank", "calibrator", "groups", ">top-1, %", ">deviation, pp", ">to the best, pp", ">95 % low", ">95 % high", ">p", ">Holm p")}
	for _, c := range contests {
		for i, r := range c.Ranked {
			row := []string{c.Where, format.Count(i + 1), r.Calibrator, r.Letters, format.Percent(r.Mean), "", "", "", "", "", ""}
			if len(r.Correct) > 1 {
				row[5] = format.Loss(r.Deviation)
			}
			if b := r.Behind; b != nil {
				row[6], row[7], row[8] = format.Points(-b.Difference), format.Points(-b.Interval.Hi), format.Points(-b.Interval.Lo)
				row[9], row[10] = format.P(b.P), format.P(b.Adjusted)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// pairTable lists all pairs, with McNemar's test on the first subset beside the
// test over all.
func pairTable(contests []matrix.Contest) table {
	t := table{Caption: "all pairs of calibrators", Head: columns("line", "better", "worse", ">difference, pp", ">95 % low", ">95 % high", ">df", ">p", ">Holm p", ">won", ">lost", ">McNemar p, subset 1")}
	for _, c := range contests {
		for _, p := range c.Pairs {
			df := ""
			if p.DF > 0 {
				df = degrees(p.DF)
			}
			t.Rows = append(t.Rows, []string{c.Where, p.Better, p.Worse, format.Points(p.Difference), format.Points(p.Interval.Lo), format.Points(p.Interval.Hi),
				df, format.P(p.P), format.P(p.Adjusted), format.Count(p.Won), format.Count(p.Lost), format.P(p.McNemarP)})
		}
	}
	return t
}

// degrees prints degrees of freedom; more than a thousand are as good as infinite.
func degrees(df float64) string {
	if df > 1000 || math.IsInf(df, 1) {
		return "∞"
	}
	return format.Fixed(df, 1)
}

package html

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// accuracy draws every cell's top-1 with its interval against the fp32 line.
func accuracy(m *matrix.Matrix, groups []matrix.Group, id string) (figure, error) {
	f := figure{ID: id, Title: accuracyTitle(m, groups), Layout: accuracyLayout(groups),
		Key: seriesKey(rowsOf(groups)), Tables: []table{accuracyTable(m, groups)}}
	spans := accuracySpans(groups)
	for i, g := range groups {
		o, narrow, err := accuracyOption(m, g, spans[i])
		if err != nil {
			return f, err
		}
		label := fmt.Sprintf("Top-1 accuracy of %s: %s with 95 percent intervals%s", m.Name(g), format.Plural(len(g.Rows), "cell"), referenceWords(m, g))
		p, err := draw(fmt.Sprintf("%s-%d", id, i), label, 70+26*len(g.Rows), o, 440, narrow)
		if err != nil {
			return f, err
		}
		p.Title = strong(m.Name(g))
		f.Panels = append(f.Panels, p)
	}
	f.Caption = text(accuracyCaption(m, groups, spans))
	return f, nil
}

// accuracyLayout sets two panels side by side if their labels leave room.
func accuracyLayout(groups []matrix.Group) string {
	for _, g := range groups {
		if labels, _ := accuracyLabels(g); margin(labels, 5.9) > 260 {
			return layout(1)
		}
	}
	return layout(min(len(groups), 2))
}

func referenceWords(m *matrix.Matrix, g matrix.Group) string {
	if ref, ok := g.Reference(); ok {
		return fmt.Sprintf(" against the %s line at %s percent", m.Base(), format.Percent(ref.Top1))
	}
	return ""
}

func accuracyCaption(m *matrix.Matrix, groups []matrix.Group, spans []span) string {
	s := "Mark: top-1; whisker: Wilson 95 % interval of that cell alone; dashed line: " + m.Base() + ". Overlapping whiskers do not mean “equal”: the cells see the same pictures, so judge a difference by its paired p."
	if n := images(groups); n > 0 {
		s = "n = " + format.Count(n) + " pictures a cell. " + s
	}
	for _, x := range spans {
		if x.lo != spans[0].lo {
			return s + " Panels have the same width in percentage points, but start at different values."
		}
	}
	return s
}

// images is the number of pictures that all cells saw; 0 if it differs.
func images(groups []matrix.Group) int {
	n := -1
	for _, r := range rowsOf(groups) {
		if n >= 0 && n != r.Images {
			return 0
		}
		n = r.Images
	}
	return max(n, 0)
}

func accuracyTitle(m *matrix.Matrix, groups []matrix.Group) string {
	tests, differ := 0, []matrix.Row{}
	for _, r := range rowsOf(groups) {
		if r.Paired() {
			tests++
		}
	}
	for _, r := range m.Differing() {
		for _, g := range groups {
			if g.Model == r.Model && g.Dataset == r.Dataset {
				differ = append(differ, r)
			}
		}
	}
	switch {
	case tests == 0:
		return "Top-1 of " + format.Plural(len(rowsOf(groups)), "cell")
	case len(differ) == 0:
		return fmt.Sprintf("No %s can be told from %s (%s, corrected for their number)", m.Noun(), m.Base(), format.Plural(tests, "paired test"))
	}
	r, verb := differ[0], "differ"
	if len(differ) == 1 {
		verb = "differs"
	}
	return fmt.Sprintf("%s %s from %s; furthest is %s on %s%s, %s pp", format.Sentence(format.Share(len(differ), tests, m.Noun())), verb, m.Base(),
		m.Where(r), r.Short(), r.Calibration(), format.Points(r.Difference))
}

// accuracySpans gives all panels the same axis, or, when the groups lie too far
// apart for that, axes of the same width.
func accuracySpans(groups []matrix.Group) []span {
	spans := make([]span, len(groups))
	lo, hi, widest := math.Inf(1), math.Inf(-1), 0.0
	for i, g := range groups {
		l, h := bounds(g)
		spans[i] = span{lo: l, hi: h}
		lo, hi, widest = min(lo, l), max(hi, h), max(widest, h-l)
	}
	if hi-lo <= max(6, 2.5*widest) {
		common := around(lo, hi, 5)
		for i := range spans {
			spans[i] = common
		}
		return spans
	}
	step := niceStep(widest / 5)
	for i, s := range spans {
		start := math.Floor((s.lo+s.hi-widest)/step) * step / 2
		spans[i] = span{lo: start, hi: start + widest + step}.withTicks(step)
	}
	return spans
}

func bounds(g matrix.Group) (lo, hi float64) {
	lo, hi = 100, 0
	for _, r := range g.Rows {
		lo = min(lo, 100*r.Interval.Lo, 100*r.Top1)
		hi = max(hi, 100*r.Interval.Hi, 100*r.Top1)
	}
	return lo, hi
}

func accuracyOption(m *matrix.Matrix, g matrix.Group, s span) (o, narrow node, err error) {
	labels, short := accuracyLabels(g)
	a := axes{
		X: opts.XAxis{Type: "value", Min: s.lo, Max: s.hi, Name: startsAt("top-1, %   ", s.lo), NameLocation: "middle", NameGap: 28},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	o, err = option(a, node{"left": margin(labels, 5.9), "right": 14, "top": 24, "bottom": 46}, accuracySeries(m, g, s)...)
	if err != nil {
		return nil, nil, err
	}
	axis(o, "xAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0, "rich": bold}})
	narrow = node{
		"grid":  node{"left": margin(short, 5.9), "right": 10},
		"xAxis": node{"name": startsAt("top-1, % ", s.lo), "axisLabel": node{"fontSize": 11}},
		"yAxis": node{"data": short, "axisLabel": node{"fontSize": 11.5}},
	}
	return o, narrow, nil
}

// startsAt names an axis, and says so when it does not start at zero.
func startsAt(name string, lo float64) string {
	if lo == 0 {
		return name
	}
	return fmt.Sprintf("%s(axis starts at %s, not at 0)", name, trim(lo))
}

func accuracyLabels(g matrix.Group) (labels, short []string) {
	last := ""
	for _, r := range g.Rows {
		long, tiny := r.Short(), r.Tiny()
		if r.Name() == last {
			long, tiny = "", ""
		}
		last = r.Name()
		labels = append(labels, boldLabel(long, r.Calibrator))
		short = append(short, boldLabel(tiny, r.Calibrator))
	}
	return labels, short
}

func accuracySeries(m *matrix.Matrix, g matrix.Group, s span) []series {
	var whiskers, dots []node
	for i, r := range g.Rows {
		whiskers = append(whiskers, node{"value": []float64{round(100 * r.Interval.Lo), round(100 * r.Interval.Hi), float64(i)},
			"itemStyle": node{"color": colour(r.Series.Key)}, "tip": tip(m, r), "cell": r.ID})
		dot := node{"value": []float64{round(100 * r.Top1), float64(i)}, "symbol": shapes[r.Series.Key].symbol, "itemStyle": node{"color": colour(r.Series.Key)}, "tip": tip(m, r), "cell": r.ID}
		if r.Base {
			dot["symbolSize"] = 12
		}
		dots = append(dots, dot)
	}
	marks := series{kind: "scatter", data: dots, settings: node{"z": 3, "symbolSize": 10, "itemStyle": node{"opacity": 1, "borderColor": colour("bg"), "borderWidth": 1}}}
	if ref, ok := g.Reference(); ok {
		l := referenceLine("xAxis", 100*ref.Top1, m.Base()+" "+format.Percent(ref.Top1))
		if at := (100*ref.Top1 - s.lo) / (s.hi - s.lo); at > 0.85 {
			l["label"].(node)["align"] = "right" // or it runs out of the panel
		}
		marks.settings["markLine"] = l
	}
	list := []series{{kind: "custom", data: whiskers, settings: node{"renderItem": function("whisker"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 2}}, marks}
	if s.lo != 0 {
		list = append(list, axisBreak(s.lo))
	}
	return list
}

// axisBreak draws the broken-axis mark where an axis does not start at zero.
func axisBreak(lo float64) series {
	return series{kind: "custom", data: []node{{"value": []float64{lo, 0}}},
		settings: node{"renderItem": function("brk"), "silent": true, "clip": false, "z": 10}}
}

func referenceLine(which string, at float64, label string) node {
	line := node{"silent": true, "symbol": "none", "animation": false, "lineStyle": node{"color": colour("fp32"), "type": []int{4, 3}, "width": 1.2},
		"label": node{"show": false}, "data": []node{{which: round(at)}}}
	if label != "" {
		line["label"] = node{"position": "start", "distance": 4, "formatter": label, "color": colour("ink"), "fontSize": 12}
	}
	return line
}

func accuracyTable(m *matrix.Matrix, groups []matrix.Group) table {
	t := table{Caption: "accuracy", Head: columns("cell", "model", "dataset", "runtime", "calibrator", ">correct", ">pictures", ">top-1, %", ">low", ">high", ">p", ">Holm p")}
	for _, r := range rowsOf(groups) {
		p, adjusted := "", ""
		if r.Paired() {
			p, adjusted = format.P(*r.McNemarP), format.P(r.Adjusted)
		}
		t.Rows = append(t.Rows, []string{r.ID, r.Model, r.Dataset, r.Name(), r.Calibrator, format.Count(r.Correct), format.Count(r.Images),
			format.Percent(r.Top1), format.Percent(r.Interval.Lo), format.Percent(r.Interval.Hi), p, adjusted})
	}
	return t
}

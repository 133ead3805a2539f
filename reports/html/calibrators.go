package html

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

const slopeHeight, slopeTop, slopeBottom = 270, 14, 28

// calibrators draws the difference to fp32 over the calibrators, a line for
// each runtime.
func calibrators(m *matrix.Matrix, groups []matrix.Group, id string) (figure, error) {
	f := figure{ID: id, Title: calibratorTitle(m), Tables: []table{differenceTable(groups)}}
	s := differenceSpan(groups)
	var shown []matrix.Row
	for i, g := range groups {
		lines := paired(m, g)
		if len(lines) == 0 {
			continue
		}
		o, narrow, err := slope(m, lines, s)
		if err != nil {
			return f, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), "Difference to "+m.Base()+" in percentage points by calibrator for "+m.Name(g), slopeHeight+slopeRoom(m), o, 420, narrow)
		if err != nil {
			return f, err
		}
		p.Title = strong(m.Name(g)) + " &nbsp;" + text("difference to "+m.Base()+", pp")
		f.Panels = append(f.Panels, p)
		for _, line := range lines {
			shown = append(shown, line...)
		}
	}
	f.Layout, f.Key = layout(min(len(f.Panels), 2)), seriesKey(shown)
	f.Caption = text("Hollow marker: not distinguishable from " + m.Base() + " (p ≥ 0.05). Dashed line at 0: " + m.Base() + ". Lines join cells of one runtime; calibrators have no order. Two calibrators count as different when the distance exceeds what the paired intervals of both allow (5 % level over all pairs, whatever their correlation)." + importedWords(m))
	return f, nil
}

// importedWords says where the imported cells are that have no place in the figure.
func importedWords(m *matrix.Matrix) string {
	for r := range m.Each {
		if r.Imported != nil && r.Paired() && !slices.Contains(m.Calibrators, r.Calibrator) {
			return " Imported cells with another calibrator, or none, are in the data."
		}
	}
	return ""
}

// paired are the lines of a group, without rows that have no test, or none of
// the run's calibrators.
func paired(m *matrix.Matrix, g matrix.Group) [][]matrix.Row {
	var lines [][]matrix.Row
	for _, line := range g.Lines() {
		line = slices.DeleteFunc(slices.Clone(line), func(r matrix.Row) bool { return !r.Paired() || !slices.Contains(m.Calibrators, r.Calibrator) })
		if len(line) > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

func calibratorTitle(m *matrix.Matrix) string {
	apart, compared := m.Pairs()
	switch {
	case compared == 0:
		return "Difference to " + m.Base() + " by calibrator"
	case len(apart) == 0:
		return fmt.Sprintf("Calibrators cannot be told apart in any of %s", format.Plural(compared, "pair"))
	}
	p, verb := apart[0], "differ"
	if len(apart) == 1 {
		verb = "differs"
	}
	return fmt.Sprintf("%s of calibrators %s; furthest apart are %s and %s, %s on %s", format.Sentence(format.Share(len(apart), compared, "pair")), verb,
		p.Better.Calibrator, p.Worse.Calibrator, m.Where(p.Worse), p.Worse.Short())
}

func differenceSpan(groups []matrix.Group) span {
	lo, hi := 0.0, 0.0
	for _, r := range rowsOf(groups) {
		if r.Paired() {
			lo, hi = min(lo, 100*r.Difference), max(hi, 100*r.Difference)
		}
	}
	room := max(0.05, (hi-lo)*0.06)
	return around(lo-room, hi+room, 5)
}

// slopeRoom is what calibrators' names take below the axis if there are too many
// to stand side by side; 0 if not.
func slopeRoom(m *matrix.Matrix) int {
	if len(m.Calibrators) <= 6 {
		return 0
	}
	return margin(m.Calibrators, 6) - slopeBottom/2
}

func slope(m *matrix.Matrix, lines [][]matrix.Row, s span) (o, narrow node, err error) {
	a := axes{
		X: opts.XAxis{Type: "category", Data: m.Calibrators},
		Y: opts.YAxis{Type: "value", Min: s.lo, Max: s.hi},
	}
	offsets := spread(lines, s)
	var list []series
	var ends []string
	for i, line := range lines {
		list = append(list, slopeLine(m, line, offsets[i], i == 0))
		ends = append(ends, endLabel(line))
	}
	o, err = option(a, node{"left": 44, "right": margin(ends, 6.3) + 8, "top": slopeTop, "bottom": slopeBottom + slopeRoom(m), "outerBoundsMode": "none"}, list...)
	if err != nil {
		return nil, nil, err
	}
	labels := node{"interval": 0, "alignMinLabel": "left"}
	if slopeRoom(m) > 0 {
		labels = node{"interval": 0, "rotate": 90, "fontSize": 11}
	}
	axis(o, "xAxis", node{"boundaryGap": false, "axisLabel": labels, "axisLine": node{"show": false}, "splitLine": node{"show": true, "lineStyle": node{"color": colour("hair")}}})
	axis(o, "yAxis", node{"axisLine": node{"show": false}, "axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks, "formatter": function("minus")}})
	return o, slopeNarrow(lines), nil
}

func slopeNarrow(lines [][]matrix.Row) node {
	var list []node
	for _, line := range lines {
		list = append(list, node{"endLabel": node{"formatter": format.Points(line[len(line)-1].Difference)}})
	}
	return node{"grid": node{"left": 38, "right": 52}, "series": list}
}

func endLabel(line []matrix.Row) string {
	last := line[len(line)-1]
	return last.Short() + " " + format.Points(last.Difference)
}

func slopeLine(m *matrix.Matrix, line []matrix.Row, offset int, first bool) series {
	look, c := shapes[line[0].Series.Key], colour(line[0].Series.Key)
	var data []node
	for _, r := range line {
		d := node{"value": []any{r.Calibrator, round(100 * r.Difference)}, "tip": tip(m, r), "cell": r.ID}
		if r.Tied() {
			d["itemStyle"] = node{"color": colour("bg"), "borderColor": c, "borderWidth": 2}
		}
		data = append(data, d)
	}
	s := series{kind: "line", name: line[0].Name(), data: data, settings: node{
		"symbol": look.symbol, "symbolSize": 9, "showAllSymbol": true, "clip": false,
		"lineStyle": node{"color": c, "width": 2, "type": look.pattern}, "itemStyle": node{"color": c},
		"endLabel": node{"show": true, "formatter": endLabel(line), "color": c, "fontSize": 12, "distance": 9, "offset": []int{0, offset}},
	}}
	if first {
		s.settings["markLine"] = referenceLine("yAxis", 0, "")
	}
	return s
}

// spread keeps the labels at the lines' ends apart.
func spread(lines [][]matrix.Row, s span) []int {
	ends := make([]float64, len(lines))
	for i, line := range lines {
		ends[i] = 100 * line[len(line)-1].Difference
	}
	return apart(ends, s, slopeHeight-slopeTop-slopeBottom)
}

// apart moves labels at values of an axis of some height at least 15 px apart, as
// little as possible.
func apart(values []float64, s span, height float64) []int {
	type end struct {
		at   float64
		line int
	}
	ends := make([]end, len(values))
	for i, v := range values {
		ends[i] = end{(s.hi - v) * height / (s.hi - s.lo), i}
	}
	slices.SortStableFunc(ends, func(a, b end) int { return int(math.Copysign(1, a.at-b.at)) })
	place := make([]float64, len(ends))
	for i, e := range ends {
		place[i] = e.at
		if i > 0 {
			place[i] = max(e.at, place[i-1]+15)
		}
	}
	// What ran below the axis goes up again.
	limit := height
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = min(place[i], limit)
		limit = place[i] - 15
	}
	offsets := make([]int, len(values))
	for i, e := range ends {
		offsets[e.line] = int(math.Round(place[i] - e.at))
	}
	return offsets
}

func differenceTable(groups []matrix.Group) table {
	t := table{Caption: "differences", Head: columns("cell", "model", "dataset", "runtime", "calibrator", ">lost", ">won", ">Δ, pp", ">95 % low", ">95 % high", ">p", ">Holm p")}
	for _, r := range rowsOf(groups) {
		if !r.Paired() {
			continue
		}
		t.Rows = append(t.Rows, []string{r.ID, r.Model, r.Dataset, r.Name(), r.Calibrator, format.Count(r.Lost), format.Count(r.Won), format.Points(r.Difference),
			format.Points(r.DifferenceInterval.Lo), format.Points(r.DifferenceInterval.Hi), format.P(*r.McNemarP), format.P(r.Adjusted)})
	}
	return t
}

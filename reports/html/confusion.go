package html

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

const drawnClasses = 20 // with more, the largest changes are listed instead

// confusion draws the change in the confusion matrix for the two cells of a
// group that lose most.
func confusion(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	ref, ok := g.Reference()
	if !ok {
		return figure{}, false, nil
	}
	rows := confused(g, m.Main, len(ref.Confusion))
	if len(rows) == 0 {
		return figure{}, false, nil
	}
	classes := classNames(m.Classes(g.Dataset), len(ref.Confusion))
	f := figure{ID: id, Title: confusionTitle(m, g, ref, rows[0], classes), Layout: "two", Above: true}
	for i, r := range rows {
		change := changes(ref.Confusion, r.Confusion)
		f.Tables = append(f.Tables, confusionTable(r, change, classes))
		if len(classes) > drawnClasses {
			continue
		}
		o, narrow, err := confusionOption(m, r, change, classes)
		if err != nil {
			return f, false, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), fmt.Sprintf("Change in the confusion matrix of %s on %s", m.Name(g), r.Name()), 38+margin(classes, 4.6)+29*len(classes), o, 420, narrow)
		if err != nil {
			return f, false, err
		}
		p.Title = mark(r.Series) + strong(m.Name(g)+", "+r.Name()) + text("  "+format.Points(r.Difference)+" pp")
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) > 0 {
		f.Ramps = []ramp{{"pictures", []bin{{"gm2", "10 or more better"}, {"gm1", "1 to 9 better"}, {"g0", "same"}, {"gp1", "1 to 9 worse"}, {"gp2", "10 to 19 worse"}, {"gp3", "20 or more worse"}}}}
	}
	f.Caption = text(fmt.Sprintf("%s. Row: true label; column: answer; number: count under %s minus count under %s. Colour is the effect, not the sign: purple is worse (minus on the outlined diagonal, plus off it). Rows sum to 0. Counts of these pictures, without a test for each class.", confusionScope(m, rows), m.Side(), m.Base()))
	return f, true, nil
}

func confusionScope(m *matrix.Matrix, rows []matrix.Row) string {
	with := ""
	if m.Main != "" {
		with = " with " + m.Main
	}
	if len(rows) == 1 && with != "" {
		return "Calibrated" + with
	}
	if len(rows) == 1 {
		return "One cell"
	}
	return "The two cells furthest below " + m.Base() + with
}

// confused are the (at most two) cells furthest below fp32.
func confused(g matrix.Group, calibrator string, classes int) []matrix.Row {
	var rows []matrix.Row
	for _, r := range g.With(calibrator, false) {
		if classes > 0 && len(r.Confusion) == classes {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b matrix.Row) int { return cmp.Compare(a.Difference, b.Difference) })
	return rows[:min(2, len(rows))]
}

func classNames(names []string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = className(names, i)
	}
	return list
}

func className(names []string, i int) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprint("class ", i)
}

func changes(before, after [][]int) [][]int {
	out := make([][]int, len(before))
	for y := range before {
		out[y] = make([]int, len(before[y]))
		for x := range before[y] {
			if x < len(after[y]) {
				out[y][x] = after[y][x] - before[y][x]
			}
		}
	}
	return out
}

func confusionTitle(m *matrix.Matrix, g matrix.Group, ref, r matrix.Row, classes []string) string {
	change := changes(ref.Confusion, r.Confusion)
	worst := 0
	for i := range change {
		if change[i][i] < change[worst][worst] {
			worst = i
		}
	}
	where := m.Name(g) + " on " + r.Short()
	if r.Tied() {
		return where + " cannot be told from " + m.Base() + " in total; this is how its answers moved"
	}
	if change[worst][worst] >= 0 {
		return where + ": no class has fewer right answers than under " + m.Base()
	}
	return fmt.Sprintf("%s: %s changes most, from %s to %s right answers", where, classes[worst], format.Count(ref.Confusion[worst][worst]), format.Count(r.Confusion[worst][worst]))
}

var confusionColours = []string{"gm2", "gm1", "g0", "gp1", "gp2", "gp3"}

// effect is the bin of a change: worse is fewer on the diagonal or more off it.
func effect(change int, diagonal bool) int {
	if diagonal {
		change = -change
	}
	switch {
	case change <= -10:
		return 0
	case change < 0:
		return 1
	case change == 0:
		return 2
	case change < 10:
		return 3
	case change < 20:
		return 4
	}
	return 5
}

func confusionOption(m *matrix.Matrix, r matrix.Row, change [][]int, classes []string) (o, narrow node, err error) {
	a := axes{
		X: opts.XAxis{Type: "category", Data: classes, Name: "answer", NameLocation: "middle", NameGap: 8 + margin(classes, 4.6)},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: classes},
	}
	left := margin(classes, 6.2)
	o, err = option(a, node{"left": left, "right": 4, "top": 4, "bottom": 30 + margin(classes, 4.6), "outerBoundsMode": "none"}, confusionSeries(m.Base(), r, change, classes))
	if err != nil {
		return nil, nil, err
	}
	axis(o, "xAxis", node{"axisLabel": node{"interval": 0, "rotate": 45}, "axisLine": node{"show": false}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0}})
	pieces := make([]node, len(confusionColours))
	for i, c := range confusionColours {
		pieces[i] = node{"min": float64(i) - 0.5, "max": float64(i) + 0.5, "color": colour(c)}
	}
	o["visualMap"] = []node{{"type": "piecewise", "show": false, "dimension": 2, "pieces": pieces}}
	small := node{"axisLabel": node{"fontSize": 11}}
	narrow = node{"grid": node{"left": left - 4}, "xAxis": small, "yAxis": small, "series": []node{{"label": node{"fontSize": 10.5}}}}
	return o, narrow, nil
}

// confusionSeries puts the outlined diagonal last: later cells paint over the
// borders of earlier ones.
func confusionSeries(base string, r matrix.Row, change [][]int, classes []string) series {
	var off, on []node
	for y, line := range change {
		for x := range line {
			d := confusionCell(base, r, change, classes, y, x)
			if x == y {
				d["itemStyle"] = node{"borderColor": colour("ink3"), "borderWidth": 1.2}
				on = append(on, d)
			} else {
				off = append(off, d)
			}
		}
	}
	return series{kind: "heatmap", data: append(off, on...), settings: node{"itemStyle": node{"borderColor": colour("bg"), "borderWidth": 1}, "label": node{"show": true, "fontSize": 12, "color": colour("sLo"), "formatter": function("text")}}}
}

func confusionCell(base string, r matrix.Row, change [][]int, classes []string, y, x int) node {
	n := change[y][x]
	bin := effect(n, x == y)
	d := node{"value": []int{x, y, bin}, "tip": []string{"true " + classes[y] + ", answered " + classes[x], format.Change(n) + " pictures against " + base}, "cell": r.ID}
	if n != 0 {
		d["text"] = format.Change(n)
	}
	if bin == 0 || bin == 5 {
		d["label"] = node{"color": colour("sHi")}
	}
	return d
}

func confusionTable(r matrix.Row, change [][]int, classes []string) table {
	if len(classes) > drawnClasses {
		return largestChanges(r, change, classes)
	}
	heads := []string{"true \\ answer"}
	for _, c := range classes {
		heads = append(heads, ">"+c)
	}
	t := table{Caption: r.Name() + ", cell " + r.ID, Head: columns(heads...)}
	for y, line := range change {
		row := []string{classes[y]}
		for _, n := range line {
			row = append(row, format.Change(n))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// largestChanges lists twenty cells of a matrix too large to draw.
func largestChanges(r matrix.Row, change [][]int, classes []string) table {
	type cell struct{ y, x, n int }
	var cells []cell
	for y, line := range change {
		for x, n := range line {
			if n != 0 {
				cells = append(cells, cell{y, x, n})
			}
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int { return cmp.Compare(abs(b.n), abs(a.n)) })
	t := table{Caption: r.Name() + ", cell " + r.ID + ": largest changes", Head: columns("true", "answer", ">change")}
	for _, c := range cells[:min(20, len(cells))] {
		t.Rows = append(t.Rows, []string{classes[c.y], classes[c.x], format.Change(c.n)})
	}
	return t
}

func abs(n int) int { return max(n, -n) }

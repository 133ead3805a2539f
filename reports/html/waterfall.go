package html

import (
	"fmt"
	"html/template"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// waterfalls draws how each int8 row of a group comes from fp32 to its accuracy,
// cause by cause.
func waterfalls(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	rows := split(m, g)
	if len(rows) == 0 {
		return figure{}, false, nil
	}
	f := figure{ID: id, Title: waterfallTitle(m, g, rows), Layout: layout(min(len(rows), 2)), Key: waterfallKey(rows), Tables: []table{waterfallTable(rows)}}
	s := waterfallSpan(rows)
	for i, r := range rows {
		o, err := waterfallOption(m, r, s)
		if err != nil {
			return f, false, err
		}
		w := r.Analysis.Waterfall
		p, err := draw(fmt.Sprintf("%s-%d", id, i), fmt.Sprintf("Waterfall of %s on %s: from %s of %s pictures right to %s in %s", m.Name(g), r.Name(), format.Count(w.Start), format.Count(w.Images), format.Count(w.End), format.Plural(len(w.Steps), "step")),
			74+28*(len(w.Steps)+2), o, 420, node{"grid": node{"left": 96}, "yAxis": node{"axisLabel": node{"fontSize": 11}}})
		if err != nil {
			return f, false, err
		}
		p.Title = strong(r.Name())
		f.Panels = append(f.Panels, p)
	}
	f.Caption = waterfallCaption(m, rows)
	return f, true, nil
}

// split are the rows with the main calibrator that have a waterfall.
func split(m *matrix.Matrix, g matrix.Group) []matrix.Row {
	var rows []matrix.Row
	for _, r := range g.With(m.Main, false) {
		if r.Analysis != nil && r.Analysis.Waterfall != nil && len(r.Analysis.Waterfall.Steps) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// costliest is the step that loses most; false if none loses.
func costliest(w *record.Waterfall) (record.Step, bool) {
	worst := w.Steps[0]
	for _, s := range w.Steps {
		if s.Change() < worst.Change() {
			worst = s
		}
	}
	return worst, worst.Change() < 0
}

func waterfallTitle(m *matrix.Matrix, g matrix.Group, rows []matrix.Row) string {
	worst := rows[0]
	for _, r := range rows {
		if w := r.Analysis.Waterfall; w.End-w.Start < worst.Analysis.Waterfall.End-worst.Analysis.Waterfall.Start {
			worst = r
		}
	}
	w := worst.Analysis.Waterfall
	if w.End >= w.Start {
		return fmt.Sprintf("%s: no int8 cell has fewer pictures right than %s", m.Name(g), m.Base())
	}
	title := fmt.Sprintf("%s: %s loses most, %s of %s", m.Name(g), worst.Short(), format.Count(w.Start-w.End), format.Plural(w.Images, "picture"))
	if s, ok := costliest(w); ok {
		title += fmt.Sprintf("; its costliest step is %s, %s", s.Name, format.Change(s.Change()))
	}
	return title
}

func waterfallCaption(m *matrix.Matrix, rows []matrix.Row) template.HTML {
	agree := rows[0].Analysis.Waterfall.Agreement
	for _, r := range rows {
		agree = min(agree, r.Analysis.Waterfall.Agreement)
	}
	return text(fmt.Sprintf("%s. Steps are taken in the order shown, each on top of those before it, and add up to the measured difference; in another order they would share it out otherwise. Bar and number: pictures right less those of the step before; whisker: its paired 95 %% interval. Weights, activations and output ties are measured by an emulation in float, the others by the program itself; requantization is all that the emulation lacks. The two give one class on at least %s %% of the pictures.",
		m.Main, format.Percent(agree)))
}

// The colours of what a step does to the number of right answers.
const (
	lossColour = "gp3"
	gainColour = "gm2"
)

func waterfallKey(rows []matrix.Row) []keyItem {
	box := func(name string) template.HTML {
		return template.HTML(`<svg class="mk" viewBox="0 0 12 12" aria-hidden="true"><path d="M0 2h12v8H0z" fill="var(--` + name + `)"/></svg>`)
	}
	return append([]keyItem{{box(lossColour), "loses"}, {box(gainColour), "gains"}}, seriesKey(rows)...)
}

// waterfallSpan is one axis for all rows, in percentage points from fp32.
func waterfallSpan(rows []matrix.Row) span {
	lo, hi := 0.0, 0.0
	for _, r := range rows {
		w := r.Analysis.Waterfall
		at := w.Start
		for _, s := range w.Steps {
			base := points(at-w.Start, w.Images)
			lo, hi = min(lo, base+100*s.DifferenceInterval.Lo), max(hi, base+100*s.DifferenceInterval.Hi)
			at = s.Correct
		}
	}
	room := max(0.05, (hi-lo)*0.1)
	return around(lo-room, hi+room, 5)
}

// points is a number of pictures in percentage points.
func points(n, of int) float64 { return round(100 * float64(n) / float64(of)) }

func waterfallOption(m *matrix.Matrix, r matrix.Row, s span) (node, error) {
	w := r.Analysis.Waterfall
	labels := []string{m.Base()}
	for _, step := range w.Steps {
		labels = append(labels, step.Name)
	}
	labels = append(labels, r.Tiny())
	a := axes{
		X: opts.XAxis{Type: "value", Min: s.lo, Max: s.hi, Name: "top-1 less " + m.Base() + ", pp", NameLocation: "middle", NameGap: 28},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	o, err := option(a, node{"left": margin(labels, 6.3), "right": 40, "top": 8, "bottom": 46, "outerBoundsMode": "none"}, waterfallSeries(m, r, len(labels))...)
	if err != nil {
		return nil, err
	}
	axis(o, "xAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks, "formatter": function("minus")}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0}})
	return o, nil
}

func waterfallSeries(m *matrix.Matrix, r matrix.Row, rows int) []series {
	w := r.Analysis.Waterfall
	bars, whiskers := []node{}, []node{}
	ends := []node{waterfallEnd(0, 0, "fp32", format.Count(w.Start)), waterfallEnd(points(w.End-w.Start, w.Images), rows-1, r.Series.Key, format.Count(w.End))}
	at := w.Start
	for i, s := range w.Steps {
		from, to := points(at-w.Start, w.Images), points(s.Correct-w.Start, w.Images)
		tint, tip := lossColour, stepTip(m, r, s)
		if s.Change() > 0 {
			tint = gainColour
		}
		bars = append(bars, node{"value": []float64{from, to, float64(i + 1), float64(rows)}, "itemStyle": node{"color": colour(tint)}, "tip": tip, "cell": r.ID})
		lo, hi := round(from+100*s.DifferenceInterval.Lo), round(from+100*s.DifferenceInterval.Hi)
		whiskers = append(whiskers, node{"value": []float64{lo, hi, float64(i + 1)}, "itemStyle": node{"color": colour("ink2")}, "tip": tip, "cell": r.ID})
		label := waterfallEnd(max(from, to, hi), i+1, "ink", format.Change(s.Change()))
		label["symbolSize"] = 0
		ends = append(ends, label)
		at = s.Correct
	}
	zero := referenceLine("xAxis", 0, "")
	zero["z"] = 1 // below the numbers
	marks := series{kind: "scatter", data: ends, settings: node{"z": 6, "symbolSize": 10, "clip": false, "markLine": zero}}
	return []series{
		{kind: "custom", data: bars, settings: node{"renderItem": function("step"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 1}},
		{kind: "custom", data: whiskers, settings: node{"renderItem": function("whisker"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 2}},
		marks,
	}
}

// waterfallEnd is a mark with a number to its right.
func waterfallEnd(x float64, row int, key, label string) node {
	d := node{"value": []float64{round(x), float64(row)}, "itemStyle": node{"color": colour(key)},
		"label": node{"show": true, "position": "right", "distance": 6, "formatter": label, "color": colour("ink"), "fontSize": 12, "backgroundColor": colour("bg"), "padding": []int{1, 2}}}
	if look, ok := shapes[key]; ok {
		d["symbol"] = look.symbol
	}
	return d
}

func stepTip(m *matrix.Matrix, r matrix.Row, s record.Step) []string {
	by := "measured by the program"
	if s.Emulated {
		by = "measured by the emulation in float"
	}
	return []string{m.Where(r) + " · " + r.Name() + " · " + s.Name,
		fmt.Sprintf("%s pictures: %s lost, %s won", format.Change(s.Change()), format.Count(s.Lost), format.Count(s.Won)),
		fmt.Sprintf("%s pp, 95 %% interval %s to %s", format.Points(s.Difference), format.Points(s.DifferenceInterval.Lo), format.Points(s.DifferenceInterval.Hi)),
		fmt.Sprintf("after it top-1 %s %%; %s", format.Percent(s.Top1), by)}
}

func waterfallTable(rows []matrix.Row) table {
	t := table{Caption: "steps from fp32 to int8", Head: columns("cell", "runtime", "step", ">right after it", ">change", ">lost", ">won", ">Δ, pp", ">95 % low", ">95 % high", "measured by")}
	for _, r := range rows {
		w := r.Analysis.Waterfall
		t.Rows = append(t.Rows, []string{w.Reference, "fp32", "", format.Count(w.Start), "", "", "", "", "", "", "the program"})
		for _, s := range w.Steps {
			by := "the program"
			if s.Emulated {
				by = "emulation"
			}
			t.Rows = append(t.Rows, []string{r.ID, r.Name(), s.Name, format.Count(s.Correct), format.Change(s.Change()), format.Count(s.Lost), format.Count(s.Won),
				format.Points(s.Difference), format.Points(s.DifferenceInterval.Lo), format.Points(s.DifferenceInterval.Hi), by})
		}
	}
	return t
}

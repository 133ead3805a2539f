package html

import (
	"fmt"
	"html/template"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// sensitivities draws, for each int8 row of a group, what every layer costs alone
// in int8, and what it would bring alone in float.
func sensitivities(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	rows := tried(m, g)
	if len(rows) == 0 {
		return figure{}, false, nil
	}
	f := figure{ID: id, Title: sensitivityTitle(m, g, rows), Layout: "two", Caption: sensitivityCaption(m, rows)}
	for i, r := range rows {
		for j, v := range views {
			o, narrow, err := sensitivityOption(r, v, sensitivitySpan(rows, v))
			if err != nil {
				return f, false, err
			}
			p, err := draw(fmt.Sprintf("%s-%d", id, 2*i+j), fmt.Sprintf("%s, layer by layer, of %s on %s", v.name, m.Name(g), r.Name()), 60+17*len(r.Analysis.Sensitivity.Layers), o, 480, narrow)
			if err != nil {
				return f, false, err
			}
			p.Title = strong(r.Name()) + " &nbsp;" + text(v.name)
			f.Panels = append(f.Panels, p)
		}
		f.Tables = append(f.Tables, sensitivityTable(r))
	}
	return f, true, nil
}

// view is one of the two questions that are asked of a layer.
type view struct {
	name, axis string
	of         func(record.LayerSensitivity) record.Mixed
}

var views = []view{
	{"only it in int8", "top-1 less all fp32, pp", func(l record.LayerSensitivity) record.Mixed { return l.Only }},
	{"only it in float", "top-1 less all int8, pp", func(l record.LayerSensitivity) record.Mixed { return l.Without }},
}

func tried(m *matrix.Matrix, g matrix.Group) []matrix.Row {
	var rows []matrix.Row
	for _, r := range g.With(m.Main, false) {
		if r.Analysis != nil && r.Analysis.Sensitivity != nil && len(r.Analysis.Sensitivity.Layers) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// sensitivityTitle names the layer that costs most alone, if its interval lies
// below 0.
func sensitivityTitle(m *matrix.Matrix, g matrix.Group, rows []matrix.Row) string {
	var worst *record.LayerSensitivity
	var where matrix.Row
	apart := 0
	for _, r := range rows {
		for i := range r.Analysis.Sensitivity.Layers {
			l := &r.Analysis.Sensitivity.Layers[i]
			if l.Only.DifferenceInterval.Hi >= 0 {
				continue
			}
			apart++
			if worst == nil || l.Only.Difference < worst.Only.Difference {
				worst, where = l, r
			}
		}
	}
	n := format.Plural(rows[0].Analysis.Sensitivity.Images, "picture")
	if worst == nil {
		return fmt.Sprintf("%s: on %s no layer alone in int8 can be told from fp32", m.Name(g), n)
	}
	return fmt.Sprintf("%s: alone in int8 %s costs most, %s pp on %s; it and %s lie below fp32 on %s", m.Name(g), worst.Layer, format.Points(worst.Only.Difference), where.Short(), format.Plural(apart-1, "other"), n)
}

func sensitivityCaption(m *matrix.Matrix, rows []matrix.Row) template.HTML {
	agree := rows[0].Analysis.Sensitivity.Agreement
	for _, r := range rows {
		agree = min(agree, r.Analysis.Sensitivity.Agreement)
	}
	return text(fmt.Sprintf("%s; emulated in float on the first %s, with everything rounded the emulation gives the program's class on at least %s %% of them. Left: the layer's weights and tensor in int8, all else fp32. Right: all int8 but for this layer, so a bar to the right is what it would bring to leave it in float. Whisker: paired 95 %% interval of that layer alone, not corrected for the number of layers.",
		m.Main, format.Plural(rows[0].Analysis.Sensitivity.Images, "picture"), format.Percent(agree)))
}

// sensitivitySpan is one axis for all rows.
func sensitivitySpan(rows []matrix.Row, v view) span {
	lo, hi := 0.0, 0.0
	for _, r := range rows {
		for _, l := range r.Analysis.Sensitivity.Layers {
			i := v.of(l).DifferenceInterval
			lo, hi = min(lo, 100*i.Lo), max(hi, 100*i.Hi)
		}
	}
	return around(lo, hi, 5)
}

func sensitivityOption(r matrix.Row, v view, s span) (o, narrow node, err error) {
	var labels []string
	bars, whiskers := []node{}, []node{}
	for i, l := range r.Analysis.Sensitivity.Layers {
		x := v.of(l)
		labels = append(labels, braces.Replace(l.Layer))
		tip := mixedTip(r, v, l, x)
		bars = append(bars, node{"value": []float64{0, round(100 * x.Difference), float64(i), 0}, "itemStyle": node{"color": colour(r.Series.Key)}, "tip": tip, "cell": r.ID})
		whiskers = append(whiskers, node{"value": []float64{round(100 * x.DifferenceInterval.Lo), round(100 * x.DifferenceInterval.Hi), float64(i)}, "itemStyle": node{"color": colour("ink2")}, "tip": tip, "cell": r.ID})
	}
	a := axes{
		X: opts.XAxis{Type: "value", Min: s.lo, Max: s.hi, Name: v.axis, NameLocation: "middle", NameGap: 26},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	list := []series{
		{kind: "custom", data: bars, settings: node{"renderItem": function("step"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 1}},
		{kind: "custom", data: whiskers, settings: node{"renderItem": function("whisker"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 2}},
		{kind: "scatter", data: []node{}, settings: node{"markLine": referenceLine("xAxis", 0, "")}},
	}
	left := min(200, margin(labels, 6.2))
	o, err = option(a, node{"left": left, "right": 14, "top": 4, "bottom": 44, "outerBoundsMode": "none"}, list...)
	if err != nil {
		return nil, nil, err
	}
	small := node{"interval": 0, "fontSize": 11, "width": left - 8, "overflow": "truncate"}
	axis(o, "xAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks, "formatter": function("minus")}})
	axis(o, "yAxis", node{"axisLabel": small})
	narrow = node{"grid": node{"left": min(140, left)}, "yAxis": node{"axisLabel": node{"fontSize": 10, "width": min(140, left) - 8}}}
	return o, narrow, nil
}

func mixedTip(r matrix.Row, v view, l record.LayerSensitivity, x record.Mixed) []string {
	lines := []string{l.Layer + " · " + r.Name() + " · " + v.name,
		fmt.Sprintf("top-1 %s %%, %s lost, %s won", format.Percent(x.Top1), format.Count(x.Lost), format.Count(x.Won)),
		fmt.Sprintf("%s pp, 95 %% interval %s to %s", format.Points(x.Difference), format.Points(x.DifferenceInterval.Lo), format.Points(x.DifferenceInterval.Hi))}
	if len(l.Parts) > 1 {
		lines = append(lines, "with it: "+format.List(others(l)))
	}
	return lines
}

// others are the layers that are in int8 together with the one that names them.
func others(l record.LayerSensitivity) []string {
	var names []string
	for _, p := range l.Parts {
		if p != l.Layer {
			names = append(names, p)
		}
	}
	return names
}

func sensitivityTable(r matrix.Row) table {
	t := table{Caption: "sensitivity on " + r.Name(), Head: columns("layer", ">only int8, %", ">less fp32, pp", ">95 % low", ">95 % high", ">only float, %", ">less int8, pp", ">95 % low", ">95 % high")}
	for _, l := range r.Analysis.Sensitivity.Layers {
		row := []string{l.Layer}
		for _, v := range views {
			x := v.of(l)
			row = append(row, format.Percent(x.Top1), format.Points(x.Difference), format.Points(x.DifferenceInterval.Lo), format.Points(x.DifferenceInterval.Hi))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

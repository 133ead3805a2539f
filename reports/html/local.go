package html

import (
	"fmt"
	"html/template"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// locals draws each layer's own error beside the one that has accumulated there.
func locals(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	rows := measuredAlone(m, g)
	if len(rows) == 0 {
		return figure{}, false, nil
	}
	f := figure{ID: id, Title: localTitle(m, g, rows), Layout: layout(min(len(rows), 2)), Key: localKey(), Caption: localCaption(m, rows)}
	s := localSpan(rows)
	for i, r := range rows {
		list := r.Analysis.Layers
		o, narrow, err := localOption(r, s)
		if err != nil {
			return f, false, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), fmt.Sprintf("Local and accumulated signal-to-quantization-noise ratio of %s of %s on %s", format.Plural(len(list), "layer"), m.Name(g), r.Name()), 60+17*len(list), o, 480, narrow)
		if err != nil {
			return f, false, err
		}
		p.Title = strong(r.Name())
		f.Panels = append(f.Panels, p)
		f.Tables = append(f.Tables, localTable(r))
	}
	return f, true, nil
}

func measuredAlone(m *matrix.Matrix, g matrix.Group) []matrix.Row {
	var rows []matrix.Row
	for _, r := range g.With(m.Main, false) {
		if r.Analysis != nil && len(r.Analysis.Layers) > 0 && r.Analysis.Layers[0].Local != nil {
			rows = append(rows, r)
		}
	}
	return rows
}

func localTitle(m *matrix.Matrix, g matrix.Group, rows []matrix.Row) string {
	worst, where := rows[0].Analysis.Layers[0], rows[0]
	for _, r := range rows {
		for _, l := range r.Analysis.Layers {
			if l.Local != nil && *l.Local < *worst.Local {
				worst, where = l, r
			}
		}
	}
	return fmt.Sprintf("%s: %s on %s adds the most error of its own, %s dB", m.Name(g), worst.Layer, where.Short(), format.Decibels(*worst.Local))
}

func localCaption(m *matrix.Matrix, rows []matrix.Row) template.HTML {
	return text(fmt.Sprintf("%s, over %s. Local: the layer fed with the tensors of fp32, rounded to its input scales; emulated in float. Accumulated: the program itself, with all errors since the input. A long line to the left of a local mark is error that the layer was given, not one that it made.",
		m.Main, format.Plural(rows[0].Analysis.Pictures, "picture")))
}

func localKey() []keyItem {
	return []keyItem{
		{template.HTML(`<svg class="mk" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4" fill="var(--ink)"/></svg>`), "local"},
		{template.HTML(`<svg class="mk" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4" fill="var(--bg)" stroke="var(--ink)" stroke-width="1.6"/></svg>`), "accumulated"},
	}
}

// localSpan is one axis for all rows.
func localSpan(rows []matrix.Row) span {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		for _, l := range r.Analysis.Layers {
			lo, hi = min(lo, l.SQNR), max(hi, l.SQNR)
			if l.Local != nil {
				lo, hi = min(lo, *l.Local), max(hi, *l.Local)
			}
		}
	}
	return around(min(0, lo), hi, 5)
}

func localOption(r matrix.Row, s span) (o, narrow node, err error) {
	var labels []string
	lines, own, summed := []node{}, []node{}, []node{}
	tint := colour(r.Series.Key)
	for i, l := range r.Analysis.Layers {
		labels = append(labels, braces.Replace(l.Layer))
		tip := append(layerTip(r, l), localWords(l)...)
		summed = append(summed, node{"value": []float64{round(l.SQNR), float64(i)}, "tip": tip, "cell": r.ID})
		if l.Local == nil {
			continue
		}
		lines = append(lines, node{"value": []float64{round(l.SQNR), round(*l.Local), float64(i)}, "itemStyle": node{"color": tint}, "tip": tip, "cell": r.ID})
		own = append(own, node{"value": []float64{round(*l.Local), float64(i)}, "tip": tip, "cell": r.ID})
	}
	a := axes{
		X: opts.XAxis{Type: "value", Min: s.lo, Max: s.hi, Name: "SQNR, dB", NameLocation: "middle", NameGap: 26},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	left := min(200, margin(labels, 6.2))
	o, err = option(a, node{"left": left, "right": 14, "top": 4, "bottom": 44, "outerBoundsMode": "none"},
		series{kind: "custom", data: lines, settings: node{"renderItem": function("whisker"), "encode": node{"x": []int{0, 1}, "y": 2}, "z": 1}},
		series{kind: "scatter", data: summed, settings: node{"z": 2, "symbol": "circle", "symbolSize": 8, "itemStyle": node{"color": colour("bg"), "borderColor": tint, "borderWidth": 1.8, "opacity": 1}}},
		series{kind: "scatter", data: own, settings: node{"z": 3, "symbol": "circle", "symbolSize": 8, "itemStyle": node{"color": tint, "opacity": 1}}})
	if err != nil {
		return nil, nil, err
	}
	axis(o, "xAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks, "formatter": function("minus")}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0, "fontSize": 11, "width": left - 8, "overflow": "truncate"}})
	narrow = node{"grid": node{"left": min(140, left)}, "yAxis": node{"axisLabel": node{"fontSize": 10, "width": min(140, left) - 8}}}
	return o, narrow, nil
}

// localWords say what a layer does alone.
func localWords(l record.LayerError) []string {
	if l.Local == nil {
		return nil
	}
	words := "alone: SQNR " + format.Decibels(*l.Local) + " dB"
	if l.LocalCosine != nil {
		words += ", cosine " + format.Fixed(*l.LocalCosine, 5)
	}
	return []string{words}
}

func localTable(r matrix.Row) table {
	t := table{Caption: "errors on " + r.Name(), Head: columns("layer", ">SQNR, dB", ">local, dB", ">cosine", ">local", ">saturated, %", ">made 0, %", ">unused codes, %")}
	for _, l := range r.Analysis.Layers {
		local, cosine, more := "", "", moreOf(l)
		if l.Local != nil {
			local = format.Decibels(*l.Local)
		}
		if l.LocalCosine != nil {
			cosine = format.Fixed(*l.LocalCosine, 5)
		}
		t.Rows = append(t.Rows, []string{l.Layer, format.Decibels(l.SQNR), local, more[0], cosine, format.Percent(l.Saturation), more[1], more[2]})
	}
	return t
}

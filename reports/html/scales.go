package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// scales draws the calibration tables of one group, one line a calibrator.
func scales(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	tables := tablesOf(m, g)
	if len(tables) == 0 {
		return figure{}, false, nil
	}
	names := scaleNames(tables)
	f := figure{ID: id, Title: scaleTitle(m, g, tables), Layout: "one", Above: true, Tables: []table{scaleTable(tables, names)}}
	for _, t := range tables {
		f.Key = append(f.Key, keyItem{lineMark(strokeOf(m, t)), t.Calibrator})
	}
	room := margin(names, 6.4)
	o, err := scaleOption(m, tables, names, room)
	if err != nil {
		return f, false, err
	}
	p, err := draw(id+"-0", fmt.Sprintf("Scale of %s of %s for %s, log axis", format.Plural(len(names), "layer"), m.Name(g), format.Plural(len(tables), "calibrator")),
		248+room, o, narrowBelow(names), node{"grid": node{"left": 60}, "xAxis": nameAxis(names)})
	if err != nil {
		return f, false, err
	}
	f.Panels = []panel{p}
	f.Caption = "One scale a tensor, in network order; pooling inherits its input’s. 127 × scale is the largest value that does not saturate. Calibrators have line patterns, not runtime colours."
	return f, true, nil
}

func tablesOf(m *matrix.Matrix, g matrix.Group) []record.Table {
	var list []record.Table
	for _, t := range m.Run.Tables {
		if t.Model == g.Model && t.Dataset == g.Dataset && len(t.Scales) > 0 {
			list = append(list, t)
		}
	}
	return list
}

func scaleNames(tables []record.Table) []string {
	var names []string
	for _, t := range tables {
		for _, s := range t.Scales {
			if !slices.Contains(names, s.Layer) {
				names = append(names, s.Layer)
			}
		}
	}
	return names
}

func strokeOf(m *matrix.Matrix, t record.Table) stroke {
	return strokes[max(0, slices.Index(m.Calibrators, t.Calibrator))%len(strokes)]
}

func lineMark(s stroke) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="lk" width="38" height="12" viewBox="0 0 38 12" aria-hidden="true"><path d="M0 6h38" stroke="var(--%s)" stroke-width="%g" stroke-dasharray="%s"/>%s</svg>`, s.colour, s.width, s.dashes, s.svg))
}

// scaleTitle states the range of ratios between the first calibrator and the
// one furthest from it. A ratio of two tables is exact and needs no test.
func scaleTitle(m *matrix.Matrix, g matrix.Group, tables []record.Table) string {
	best, bestMedian, text := "", 0.0, ""
	for _, t := range tables[1:] {
		r := ratios(t, tables[0])
		if len(r) == 0 {
			continue
		}
		if median := math.Abs(math.Log(r[len(r)/2])); best == "" || median > bestMedian {
			best, bestMedian = t.Calibrator, median
			text = fmt.Sprintf("%s gives scales %s to %s times those of %s, median %s", t.Calibrator,
				format.Fixed(r[0], 2), format.Fixed(r[len(r)-1], 2), tables[0].Calibrator, format.Fixed(r[len(r)/2], 2))
		}
	}
	if best == "" {
		return m.Name(g) + ": the scale of each layer with " + tables[0].Calibrator
	}
	return m.Name(g) + ": " + text
}

// ratios are the sorted quotients of two tables' scales, layer by layer.
func ratios(a, b record.Table) []float64 {
	of := map[string]float32{}
	for _, s := range b.Scales {
		of[s.Layer] = s.Scale
	}
	var list []float64
	for _, s := range a.Scales {
		if base := of[s.Layer]; base > 0 && s.Scale > 0 {
			list = append(list, float64(s.Scale)/float64(base))
		}
	}
	slices.Sort(list)
	return list
}

func scaleOption(m *matrix.Matrix, tables []record.Table, names []string, room int) (node, error) {
	lo, hi, ticks := logTicks(tables)
	a := axes{
		X: opts.XAxis{Type: "category", Data: names},
		Y: opts.YAxis{Type: "log", Min: lo, Max: hi, Name: "scale, log axis", NameLocation: "middle", NameGap: 42},
	}
	var list []series
	for _, t := range tables {
		list = append(list, scaleSeries(strokeOf(m, t), t, names))
	}
	o, err := option(a, node{"left": 66, "right": 8, "top": 10, "bottom": room, "outerBoundsMode": "none"}, list...)
	if err != nil {
		return nil, err
	}
	size := 11.5
	if len(names) > labelledLayers {
		size = 9.5
	}
	axis(o, "xAxis", node{"axisLabel": node{"interval": 0, "rotate": 90, "fontSize": size, "margin": 6}, "axisLine": node{"show": true}})
	axis(o, "yAxis", node{"axisTick": node{"customValues": ticks}, "axisLabel": node{"customValues": ticks, "formatter": function("sci")}})
	return o, nil
}

func scaleSeries(look stroke, t record.Table, names []string) series {
	c := colour(look.colour)
	var data []node
	for _, s := range t.Scales {
		if s.Scale <= 0 {
			continue
		}
		v := float64(s.Scale)
		data = append(data, node{"value": []any{s.Layer, v}, "tip": []string{s.Layer + " · " + t.Calibrator, "scale " + format.Significant(v), "largest value ±" + format.Significant(127*v)}})
	}
	size := 6
	if len(names) > labelledLayers {
		size = 4
	}
	return series{kind: "line", name: t.Calibrator, data: data, settings: node{"step": "middle", "symbol": look.symbol, "symbolSize": size, "showAllSymbol": true,
		"lineStyle": node{"color": c, "type": look.pattern, "width": look.width}, "itemStyle": node{"color": c}}}
}

// logTicks are 1, 2 and 5 of each decade around all scales.
func logTicks(tables []record.Table) (lo, hi float64, ticks []float64) {
	least, most := math.Inf(1), 0.0
	for _, t := range tables {
		for _, s := range t.Scales {
			if s.Scale > 0 {
				least, most = min(least, float64(s.Scale)), max(most, float64(s.Scale))
			}
		}
	}
	if most == 0 {
		least, most = 0.01, 1
	}
	var all []float64
	for e := math.Floor(math.Log10(least)); e <= math.Ceil(math.Log10(most)); e++ {
		all = append(all, decade(e), 2*decade(e), 5*decade(e))
	}
	for i, v := range all {
		if i+1 < len(all) && all[i+1] <= least || i > 0 && all[i-1] >= most {
			continue
		}
		ticks = append(ticks, v)
	}
	return ticks[0], ticks[len(ticks)-1], ticks
}

func scaleTable(tables []record.Table, names []string) table {
	heads := []string{"layer"}
	for _, t := range tables {
		heads = append(heads, ">"+t.Calibrator)
	}
	out := table{Caption: "scales", Head: columns(heads...)}
	for _, name := range names {
		line := []string{name}
		for _, t := range tables {
			cell := ""
			for _, s := range t.Scales {
				if s.Layer == name {
					cell = fmt.Sprintf("%.6g", s.Scale)
				}
			}
			line = append(line, cell)
		}
		out.Rows = append(out.Rows, line)
	}
	return out
}

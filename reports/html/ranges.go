package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

const (
	rangesShown = 4   // tensors a group: those on which calibrators disagree most
	rangesTop   = 120 // height of the histogram, px
	rangesRow   = 15  // of a calibrator's row below it
)

// ranged is one tensor with the thresholds of all calibrators.
type ranged struct {
	record.ActivationRow
	edges      []int
	thresholds []threshold // in the order of the tables
}

type threshold struct {
	calibrator string
	at         float64 // the |x| that becomes 127
}

// ranges draws the histograms on which the calibrators of one group disagree
// most, with every calibrator's threshold.
func ranges(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	all := rangedOf(m, g)
	if len(all) == 0 {
		return figure{}, false, nil
	}
	shown := slices.Clone(all)
	slices.SortStableFunc(shown, func(a, b ranged) int { return cmp.Compare(b.disagreement(), a.disagreement()) })
	shown = shown[:min(len(shown), rangesShown)]
	f := figure{ID: id, Title: rangesTitle(m, g, shown[0]), Layout: layout(min(len(shown), 2)), Tables: []table{rangesTable(shown)}}
	for i, r := range shown {
		p, err := draw(fmt.Sprintf("%s-%d", id, i), fmt.Sprintf("Histogram of %s of %s with the thresholds of %s", r.Layer, m.Name(g), format.Plural(len(r.thresholds), "calibrator")),
			rangesTop+rangesRow*len(r.thresholds)+64, rangesOption(r), 420, node{})
		if err != nil {
			return f, false, err
		}
		p.Title = strong(r.Layer)
		f.Panels = append(f.Panels, p)
	}
	f.Caption = rangesCaption(len(shown), len(all))
	return f, true, nil
}

func rangesCaption(shown, all int) template.HTML {
	return text(fmt.Sprintf("The %s of %s on which thresholds differ most. Above: share of the values of all calibration pictures for each octave of |x|, both axes log. Below, and as hairlines above: the threshold of each calibrator, the |x| that becomes 127; what lies to the right of it saturates. Values below 1/2048 of the largest are left out.",
		format.Plural(shown, "tensor"), format.Count(all)))
}

func rangedOf(m *matrix.Matrix, g matrix.Group) []ranged {
	tables := tablesOf(m, g)
	if len(tables) < 2 {
		return nil
	}
	scale := map[[2]string]float32{}
	for _, t := range tables {
		for _, s := range t.Scales {
			scale[[2]string{t.Calibrator, s.Layer}] = s.Scale
		}
	}
	var list []ranged
	for _, a := range m.Run.Activations {
		if a.Model != g.Model || a.Dataset != g.Dataset {
			continue
		}
		for _, row := range a.Tensors {
			r := ranged{ActivationRow: row, edges: a.Edges}
			for _, t := range tables {
				if s := scale[[2]string{t.Calibrator, row.Layer}]; s > 0 {
					r.thresholds = append(r.thresholds, threshold{t.Calibrator, 127 * float64(s)})
				}
			}
			if len(r.thresholds) > 1 && len(r.Counts) == len(a.Edges)-1 && r.Values > 0 && r.Top > 0 {
				list = append(list, r)
			}
		}
	}
	return list
}

func (r ranged) extremes() (low, high threshold) {
	by := func(a, b threshold) int { return cmp.Compare(a.at, b.at) }
	return slices.MinFunc(r.thresholds, by), slices.MaxFunc(r.thresholds, by)
}

// disagreement is the ratio of the largest threshold to the smallest.
func (r ranged) disagreement() float64 {
	low, high := r.extremes()
	return high.at / low.at
}

// edge is the |x| of an edge.
func (r ranged) edge(i int) float64 {
	return float64(r.edges[i]) * r.Top / float64(r.edges[len(r.edges)-1])
}

// beyond is the share of the values above x; a bin that holds x counts in part.
func (r ranged) beyond(x float64) float64 {
	n := 0.0
	for i, c := range r.Counts {
		lo, hi := r.edge(i), r.edge(i+1)
		n += float64(c) * min(1, max(0, (hi-x)/(hi-lo)))
	}
	return n / float64(r.Values)
}

func rangesTitle(m *matrix.Matrix, g matrix.Group, r ranged) string {
	low, high := r.extremes()
	return fmt.Sprintf("%s: calibrators disagree most on %s; its threshold is %s with %s and %s with %s", m.Name(g), r.Layer,
		format.Significant(low.at), low.calibrator, format.Significant(high.at), high.calibrator)
}

// outline is the histogram as a line over its bins, log10 of the share an octave;
// floor is the smallest that is drawn.
func (r ranged) outline() (data []node, floor, ceiling float64) {
	floor, ceiling = math.Inf(1), math.Inf(-1)
	level := make([]float64, len(r.Counts))
	for i, c := range r.Counts {
		level[i] = math.Inf(-1)
		if c > 0 {
			level[i] = math.Log10(100 * float64(c) / float64(r.Values) / math.Log2(r.edge(i+1)/r.edge(i)))
			floor, ceiling = min(floor, level[i]), max(ceiling, level[i])
		}
	}
	if ceiling < floor {
		return nil, -4, 2
	}
	floor, ceiling = max(math.Floor(floor), math.Ceil(ceiling)-7), math.Ceil(ceiling)
	for i, l := range level {
		hint := []string{fmt.Sprintf("%s · |x| %s to %s", r.Layer, format.Significant(r.edge(i)), format.Significant(r.edge(i+1))), format.Plural(int(r.Counts[i]), "value")}
		data = append(data, node{"value": []float64{digits(r.edge(i)), round(max(floor, l))}, "tip": hint})
	}
	last := data[len(data)-1]["value"].([]float64)[1]
	return append(data, node{"value": []float64{digits(r.edge(len(r.edges) - 1)), last}}), floor, ceiling
}

// digits keeps 5 significant digits, for short JSON.
func digits(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 5, 64), 64)
	if err != nil {
		return x
	}
	return short
}

// rangesOption is two grids with one axis of |x|: the histogram, and below it a
// row a calibrator.
func rangesOption(r ranged) node {
	line, floor, ceiling := r.outline()
	lo, hi := r.edge(0), r.Top
	var names []string
	var dots, hairs []node
	for i, t := range r.thresholds {
		names = append(names, braces.Replace(t.calibrator))
		lo, hi = min(lo, t.at), max(hi, t.at)
		dots = append(dots, node{"value": []any{digits(t.at), i}, "tip": []string{fmt.Sprintf("%s · %s", r.Layer, t.calibrator),
			"threshold " + format.Significant(t.at), fmt.Sprintf("%s %% of the values lie beyond", format.Significant(100*r.beyond(t.at)))}})
		hairs = append(hairs, node{"xAxis": digits(t.at)})
	}
	lo, hi = decadeBelow(lo), hi*1.15
	left := max(64, margin(names, 6))
	bottom := rangesTop + 26
	var ticks []float64
	for e := math.Ceil(math.Log10(lo)); math.Pow(10, e) <= hi; e++ {
		ticks = append(ticks, decade(e))
	}
	x := func(grid int, name string) node {
		return node{"type": "log", "gridIndex": grid, "min": digits(lo), "max": digits(hi), "axisLabel": node{"show": name != "", "formatter": function("sci"), "customValues": ticks}, "axisLine": node{"onZero": false},
			"name": name, "nameLocation": "middle", "nameGap": 26, "splitLine": node{"show": false}}
	}
	return node{
		"grid": []node{
			{"left": left, "right": 14, "top": 10, "height": rangesTop, "outerBoundsMode": "none"},
			{"left": left, "right": 14, "top": bottom - 10, "height": rangesRow * len(names), "outerBoundsMode": "none"},
		},
		"xAxis": []node{x(0, ""), x(1, "|x|, log axis")},
		"yAxis": []node{
			{"type": "value", "gridIndex": 0, "min": floor, "max": ceiling, "interval": max(1, math.Ceil((ceiling-floor)/4)), "name": "% an octave", "nameLocation": "middle", "nameGap": 44,
				"axisLabel": node{"formatter": function("power")}},
			{"type": "category", "gridIndex": 1, "inverse": true, "data": names, "axisLabel": node{"interval": 0, "fontSize": 11}, "splitLine": node{"show": true, "lineStyle": node{"color": colour("hair")}}},
		},
		"series": []any{
			node{"type": "line", "name": "histogram", "data": line, "step": "end", "symbol": "none", "areaStyle": node{"color": colour("tint"), "origin": "start", "opacity": 1},
				"lineStyle": node{"color": colour("ink2"), "width": 1.4}, "itemStyle": node{"color": colour("ink2")},
				"markLine": node{"silent": true, "symbol": "none", "animation": false, "label": node{"show": false}, "lineStyle": node{"color": colour("gp3"), "type": "solid", "width": 0.8, "opacity": 0.6}, "data": hairs}},
			node{"type": "scatter", "name": "thresholds", "xAxisIndex": 1, "yAxisIndex": 1, "data": dots, "symbol": "circle", "symbolSize": 8, "itemStyle": node{"color": colour("gp3"), "opacity": 1}},
		},
	}
}

// decadeBelow is the largest of 1, 2 and 5 times a power of ten that is not above x.
func decadeBelow(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{5, 2} {
		if f*power <= x {
			return f * power
		}
	}
	return power
}

func rangesTable(shown []ranged) table {
	t := table{Caption: "thresholds", Head: columns("tensor", ">largest |x|", "calibrator", ">threshold", ">of the largest, %", ">beyond, %")}
	for _, r := range shown {
		for _, h := range r.thresholds {
			t.Rows = append(t.Rows, []string{r.Layer, format.Significant(r.Top), h.calibrator, format.Significant(h.at), format.Percent(h.at / r.Top), format.Significant(100 * r.beyond(h.at))})
		}
	}
	return t
}

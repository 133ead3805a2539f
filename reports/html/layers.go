package html

import (
	"fmt"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// Lower bounds of the bins, best first: SQNR in dB falls, saturation rises.
var (
	sqnrBounds       = []float64{32, 27, 22, 17}
	saturationBounds = []float64{0.001, 0.003, 0.008, 0.015}
)

const (
	labelledLayers = 40 // more columns than this leave no room for numbers
	labelledNarrow = 28 // more columns than this leave no room for all names on a phone
)

// layers draws SQNR and saturation of each layer as two strips on the same
// columns; nil rows with layers give no figure.
func layers(m *matrix.Matrix, g matrix.Group, id string) (figure, bool, error) {
	rows := traced(g, m.Main)
	if len(rows) == 0 {
		return figure{}, false, nil
	}
	names := layerNames(rows)
	f := figure{ID: id, Title: layerTitle(m, g, rows), Layout: "one", Above: true, Ramps: layerRamps(), Tables: []table{layerTable(rows, names)}}
	strip := 28 * len(rows)
	room := margin(names, 6.4)
	o, err := strips(m, rows, names, strip, room)
	if err != nil {
		return f, false, err
	}
	p, err := draw(id+"-0", fmt.Sprintf("Heat strips of signal-to-quantization-noise ratio and saturation of %s of %s", format.Plural(len(names), "layer"), m.Name(g)),
		22+strip+28+strip+room, o, narrowBelow(names), stripsNarrow(names))
	if err != nil {
		return f, false, err
	}
	f.Panels = []panel{p}
	f.Caption = text(fmt.Sprintf("%s, %s; error accumulated from the input, layers in network order, no mark where a layer has no output of its own. Stronger colour is worse in both strips. SQNR: signal power over power of the difference to fp32. Saturated: share of elements at the largest or smallest integer.", m.Name(g), m.Main))
	return f, true, nil
}

func traced(g matrix.Group, calibrator string) []matrix.Row {
	var rows []matrix.Row
	for _, r := range g.With(calibrator, false) {
		if len(r.Layers) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// layerNames merges the layer lists of rows, keeping network order: a runtime
// that fuses a layer leaves it out.
func layerNames(rows []matrix.Row) []string {
	var names []string
	for _, r := range rows {
		at := 0
		for _, l := range r.Layers {
			if i := index(names, l.Layer); i >= 0 {
				at = i + 1
				continue
			}
			names = append(names[:at], append([]string{l.Layer}, names[at:]...)...)
			at++
		}
	}
	return names
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func layerTitle(m *matrix.Matrix, g matrix.Group, rows []matrix.Row) string {
	low, most := rows[0].Layers[0], rows[0].Layers[0]
	lowRow, mostRow := rows[0], rows[0]
	for _, r := range rows {
		for _, l := range r.Layers {
			if l.SQNR < low.SQNR {
				low, lowRow = l, r
			}
			if l.Saturation > most.Saturation {
				most, mostRow = l, r
			}
		}
	}
	title := fmt.Sprintf("%s: lowest SQNR is %s dB, at %s on %s", m.Name(g), format.Decibels(low.SQNR), low.Layer, lowRow.Short())
	if most.Saturation > 0 {
		title += fmt.Sprintf("; most saturated is %s on %s, %s %%", most.Layer, mostRow.Short(), format.Percent(most.Saturation))
	}
	return title
}

func layerRamps() []ramp {
	return []ramp{
		{"SQNR, dB", []bin{{"s0", "≥ 32"}, {"s1", "27 to 32"}, {"s2", "22 to 27"}, {"s3", "17 to 22"}, {"s4", "< 17"}}},
		{"saturated, %", []bin{{"s0", "< 0.1"}, {"s1", "0.1 to 0.3"}, {"s2", "0.3 to 0.8"}, {"s3", "0.8 to 1.5"}, {"s4", "≥ 1.5"}}},
	}
}

func sqnrBin(x float64) int {
	for i, b := range sqnrBounds {
		if x >= b {
			return i
		}
	}
	return len(sqnrBounds)
}

func saturationBin(x float64) int {
	for i, b := range saturationBounds {
		if x < b {
			return i
		}
	}
	return len(saturationBounds)
}

func sqnrCell(l record.LayerError) (int, string) {
	return sqnrBin(l.SQNR), format.Fixed(l.SQNR, 0)
}

func saturationCell(l record.LayerError) (int, string) {
	label := "0"
	if l.Saturation >= 0.0005 {
		label = format.Fixed(100*l.Saturation, 1)
	}
	return saturationBin(l.Saturation), label
}

func strips(m *matrix.Matrix, rows []matrix.Row, names []string, height, room int) (node, error) {
	var labels []string
	for _, r := range rows {
		labels = append(labels, r.Tiny())
	}
	a := axes{X: opts.XAxis{Type: "category", Data: names}, Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels}}
	o, err := option(a, nil, heat(m, rows, names, sqnrCell, 0), heat(m, rows, names, saturationCell, 1))
	if err != nil {
		return nil, err
	}
	left := max(84, margin(labels, 6.4))
	o["grid"] = []node{
		{"left": left, "right": 2, "top": 22, "height": height, "outerBoundsMode": "none"},
		{"left": left, "right": 2, "top": 22 + height + 28, "height": height, "outerBoundsMode": "none"},
	}
	o["xAxis"], o["yAxis"] = stripAxes(names, "data", labels)
	pieces := heatPieces()
	o["visualMap"] = []node{
		{"type": "piecewise", "show": false, "seriesIndex": 0, "dimension": 2, "pieces": pieces},
		{"type": "piecewise", "show": false, "seriesIndex": 1, "dimension": 2, "pieces": pieces},
	}
	return o, nil
}

// stripAxes doubles the axes: two grids, one below the other, with the layer
// names once.
func stripAxes(names []string, key string, labels []string) (x, y []node) {
	size := 11.5
	if len(names) > labelledLayers {
		size = 9.5
	}
	x = []node{
		{"type": "category", "gridIndex": 0, key: names, "axisLabel": node{"show": false}, "axisLine": node{"show": false}},
		{"type": "category", "gridIndex": 1, key: names, "axisLabel": node{"interval": 0, "rotate": 90, "fontSize": size, "margin": 6}, "axisLine": node{"show": false}},
	}
	for i, name := range []string{"SQNR", "saturated"} {
		y = append(y, node{"type": "category", "gridIndex": i, "inverse": true, key: labels, "axisLabel": node{"interval": 0},
			"name": name, "nameLocation": "start", "nameGap": 10, "nameTextStyle": node{"align": "right", "padding": []int{0, 8, 0, 0}, "color": colour("ink"), "fontWeight": 600}})
	}
	return x, y
}

func heat(m *matrix.Matrix, rows []matrix.Row, names []string, cell func(record.LayerError) (int, string), grid int) series {
	var data []node
	for y, r := range rows {
		for _, l := range r.Layers {
			b, label := cell(l)
			d := node{"value": []int{index(names, l.Layer), y, b}, "cell": r.ID,
				"tip": layerTip(r, l)}
			if len(names) <= labelledLayers {
				d["text"] = label
				if b >= 3 {
					d["label"] = node{"color": colour("sHi")}
				}
			}
			data = append(data, d)
		}
	}
	return series{kind: "heatmap", data: data, settings: node{"xAxisIndex": grid, "yAxisIndex": grid,
		"label": node{"show": len(names) <= labelledLayers, "fontSize": 11, "color": colour("sLo"), "formatter": function("text")}, "itemStyle": node{"borderColor": colour("bg"), "borderWidth": 1}}}
}

// layerTip is what is known of one layer of one row.
func layerTip(r matrix.Row, l record.LayerError) []string {
	lines := []string{l.Layer + " · " + r.Name(), "SQNR " + format.Decibels(l.SQNR) + " dB", "saturated " + format.Percent(l.Saturation) + " %"}
	if more := moreOf(l); more[0] != "" {
		lines = append(lines, "cosine "+more[0], "made 0 by int8 "+more[1]+" %")
		if more[2] != "" {
			lines = append(lines, "codes never used "+more[2]+" %")
		}
	}
	return lines
}

// moreOf are cosine, share made 0 and share of unused codes; empty where a result
// is older than they are.
func moreOf(l record.LayerError) [3]string {
	if l.Cosine == 0 {
		return [3]string{}
	}
	unused := ""
	if l.Unused != nil {
		unused = format.Fixed(100**l.Unused, 1)
	}
	return [3]string{format.Fixed(l.Cosine, 5), format.Percent(l.Dead), unused}
}

// narrowBelow is the width in px under which layer names get too close.
func narrowBelow(names []string) int { return max(640, 100+11*len(names)) }

// nameAxis sets the layer names of a narrow figure; where a name needs more
// room than its column has, some are left out and the data table lists them.
func nameAxis(names []string) node {
	label := node{"fontSize": 9.5}
	if len(names) > labelledNarrow {
		label["interval"] = "auto"
	}
	return node{"axisLabel": label}
}

func stripsNarrow(names []string) node {
	small := node{"axisLabel": node{"fontSize": 11}}
	plain := node{"label": node{"show": false}, "itemStyle": node{"borderWidth": 0.5}}
	return node{"grid": []node{{"left": 78}, {"left": 78}}, "xAxis": []node{{}, nameAxis(names)},
		"yAxis": []node{small, small}, "series": []node{plain, plain}}
}

func layerTable(rows []matrix.Row, names []string) table {
	heads, more := []string{"layer"}, hasMore(rows)
	for _, r := range rows {
		heads = append(heads, ">"+r.Short()+", dB", ">saturated, %")
		if more {
			heads = append(heads, ">cosine", ">made 0, %", ">unused codes, %")
		}
	}
	t := table{Caption: "layers", Head: columns(heads...)}
	for _, name := range names {
		line := []string{name}
		for _, r := range rows {
			line = append(line, layerCells(r, name, more)...)
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

func hasMore(rows []matrix.Row) bool {
	for _, r := range rows {
		for _, l := range r.Layers {
			if moreOf(l)[0] != "" {
				return true
			}
		}
	}
	return false
}

// layerCells are the numbers of one layer of one row, empty where it has none.
func layerCells(r matrix.Row, name string, more bool) []string {
	cells := []string{"", "", "", "", ""}
	for _, l := range r.Layers {
		if l.Layer == name {
			m := moreOf(l)
			cells = []string{format.Decibels(l.SQNR), format.Percent(l.Saturation), m[0], m[1], m[2]}
		}
	}
	if !more {
		return cells[:2]
	}
	return cells
}

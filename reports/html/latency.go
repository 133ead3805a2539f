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

// kinds of latency, strongest evidence first, with what each means.
var kinds = []struct {
	Kind record.LatencyKind
	Says string
}{
	{record.Measured, "wall clock of this engine on this host"},
	{record.Emulated, "speed of the emulation on this host, says nothing about the device"},
	{record.Modelled, "cycles of a model of the device at a stated clock and bandwidth"},
}

// latency draws one panel for each kind of number; kinds never share a panel.
func latency(m *matrix.Matrix, groups []matrix.Group, id string) (figure, error) {
	f := figure{ID: id, Tables: []table{latencyTable(groups)}}
	var shown []matrix.Row
	lo, hi := decades(timed(groups, m.Main, ""))
	for _, k := range kinds {
		rows := timed(groups, m.Main, k.Kind)
		if len(rows) == 0 {
			continue
		}
		shown = append(shown, rows...)
		o, err := latencyOption(m, rows, lo, hi)
		if err != nil {
			return f, err
		}
		label := fmt.Sprintf("%s latency of %s in milliseconds for one picture, log axis", k.Kind, format.Plural(len(rows), "cell"))
		p, err := draw(id+"-"+string(k.Kind), label, 58+26*len(rows), o, 0, nil)
		if err != nil {
			return f, err
		}
		p.Title = badge(k.Kind) + text(" "+condition(rows))
		f.Panels = append(f.Panels, p)
	}
	f.Title, f.Layout, f.Key = latencyTitle(m, shown), layout(len(f.Panels)), seriesKey(shown)
	f.Caption = text(latencyCaption(m))
	return f, nil
}

func latencyCaption(m *matrix.Matrix) string {
	s := "One panel for each kind of number; panels share the scale for reading, not for comparing."
	if len(m.Calibrators) > 1 {
		s += " Cells with " + m.Main + "; the other calibrators are in the table."
	}
	return s + " A modelled number has no spread."
}

// timed are the rows with a latency of one kind; "" for any.
func timed(groups []matrix.Group, calibrator string, kind record.LatencyKind) []matrix.Row {
	var rows []matrix.Row
	for _, g := range groups {
		for _, r := range g.With(calibrator, true) {
			if r.Latency != nil && r.Latency.Seconds > 0 && (kind == "" || r.Latency.Kind == kind) {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// condition is the note that all rows of a panel share.
func condition(rows []matrix.Row) string {
	for _, r := range rows {
		if r.Latency.Note != rows[0].Latency.Note {
			return ""
		}
	}
	return rows[0].Latency.Note
}

func badge(k record.LatencyKind) template.HTML {
	for _, known := range kinds {
		if k == known.Kind {
			return template.HTML(`<span class="kind ` + string(k) + `">` + string(k) + `</span>`)
		}
	}
	return template.HTML(`<span class="kind">`) + text(string(k)) + `</span>`
}

// decades are the powers of ten around all latencies, in ms.
func decades(rows []matrix.Row) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		v := math.Log10(1000 * r.Latency.Seconds)
		lo, hi = min(lo, math.Floor(v)), max(hi, math.Ceil(v))
	}
	if hi <= lo {
		hi = lo + 1
	}
	return decade(lo), decade(hi)
}

// decade is a power of ten; negative ones by division, which gives 0.01 and not
// its neighbour.
func decade(exponent float64) float64 {
	if exponent < 0 {
		return 1 / math.Pow(10, -exponent)
	}
	return math.Pow(10, exponent)
}

func latencyOption(m *matrix.Matrix, rows []matrix.Row, lo, hi float64) (node, error) {
	var labels []string
	var data []node
	last := ""
	for i, r := range rows {
		name := m.Where(r)
		if name == last {
			name = ""
		}
		last = m.Where(r)
		labels = append(labels, boldLabel(name, r.Tiny()))
		ms := format.Significant(1000 * r.Latency.Seconds)
		data = append(data, node{"value": []float64{1000 * r.Latency.Seconds, float64(i)}, "symbol": shapes[r.Series.Key].symbol,
			"itemStyle": node{"color": colour(r.Series.Key), "opacity": 1},
			"label":     node{"show": true, "position": "right", "distance": 8, "formatter": ms, "color": colour("ink"), "fontSize": 12},
			"tip":       latencyTip(m, r, ms), "cell": r.ID})
	}
	a := axes{
		X: opts.XAxis{Type: "log", Min: lo, Max: hi, Name: "ms per picture, log scale", NameLocation: "middle", NameGap: 26},
		Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: labels},
	}
	o, err := option(a, node{"left": margin(labels, 5.9), "right": 48, "top": 8, "bottom": 46}, series{kind: "scatter", data: data, settings: node{"symbolSize": 10, "z": 3}})
	if err != nil {
		return nil, err
	}
	axis(o, "xAxis", node{"axisLabel": node{"formatter": function("sci"), "hideOverlap": true}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0, "rich": bold}})
	return o, nil
}

func latencyTip(m *matrix.Matrix, r matrix.Row, ms string) []string {
	lines := []string{m.Where(r) + " · " + r.Name(), ms + " ms, " + string(r.Latency.Kind)}
	if r.Latency.Note != "" {
		lines = append(lines, r.Latency.Note)
	}
	return lines
}

// latencyTitle states one number of each kind, of the slowest network.
func latencyTitle(m *matrix.Matrix, rows []matrix.Row) string {
	if len(rows) == 0 {
		return "No latency"
	}
	slowest := rows[0]
	for _, r := range rows {
		if r.Latency.Kind == rows[0].Latency.Kind && r.Latency.Seconds > slowest.Latency.Seconds {
			slowest = r
		}
	}
	var parts []string
	seen := map[record.LatencyKind]bool{}
	for _, r := range rows {
		if m.Where(r) == m.Where(slowest) && !seen[r.Latency.Kind] {
			seen[r.Latency.Kind] = true
			parts = append(parts, fmt.Sprintf("%s ms on %s, %s", format.Significant(1000*r.Latency.Seconds), r.Short(), r.Latency.Kind))
		}
	}
	title := "One picture through " + m.Where(slowest) + ": "
	for i, p := range parts {
		if i > 0 {
			title += "; "
		}
		title += p
	}
	return title
}

func latencyTable(groups []matrix.Group) table {
	t := table{Caption: "latency", Head: columns("cell", "model", "dataset", "runtime", "calibrator", "kind", ">ms", "conditions")}
	for _, r := range rowsOf(groups) {
		if r.Latency == nil {
			continue
		}
		t.Rows = append(t.Rows, []string{r.ID, r.Model, r.Dataset, r.Name(), r.Calibrator, string(r.Latency.Kind), format.Fixed(1000*r.Latency.Seconds, 4), r.Latency.Note})
	}
	return t
}

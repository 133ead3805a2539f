package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// limits are what bounds an operation, with the look of each.
var limits = []struct{ bound, colour, symbol, svg string }{
	{"multipliers", "gp3", "circle", `<circle cx="6" cy="6" r="5" fill="var(--gp3)"/>`},
	{"memory", "unsure", "rect", `<rect x="1" y="1" width="10" height="10" fill="var(--unsure)"/>`},
	{"elements", "gm2", "triangle", `<path d="M6 .5 12 11.5H0z" fill="var(--gm2)"/>`},
	{"cpu, not modelled", "ink3", "diamond", `<path d="M6 0 12 6 6 12 0 6z" fill="var(--ink3)"/>`},
}

func limitOf(bound string) (colourName, symbol string) {
	for _, l := range limits {
		if l.bound == bound {
			return l.colour, l.symbol
		}
	}
	return "ink3", "diamond"
}

// limitKey explains the limits of the operations that a figure shows.
func limitKey(cells []*record.Cell, shown func(record.OperationCycles) bool) []keyItem {
	var key []keyItem
	for _, l := range limits {
		bound := func(o record.OperationCycles) bool { return o.Bound == l.bound && shown(o) }
		if slices.ContainsFunc(cells, func(c *record.Cell) bool { return slices.ContainsFunc(c.Cycles.Operations, bound) }) {
			key = append(key, keyItem{template.HTML(`<svg class="mk" viewBox="0 0 12 12" aria-hidden="true">` + l.svg + `</svg>`), "bound by " + l.bound})
		}
	}
	return key
}

// multiplies and takes tell which operations have a mark or a bar.
func multiplies(o record.OperationCycles) bool { return o.MACs > 0 && o.Bytes > 0 && o.Cycles > 0 }
func takes(o record.OperationCycles) bool      { return o.Cycles > 0 }

// cyclesSection shows where the modelled cycles of each network go, on each
// target with the settings that need the fewest.
func cyclesSection(m *matrix.Matrix) (section, error) {
	s := section{ID: "cycles", Heading: "NVDLA cycles, modelled", Short: "NVDLA cycles"}
	for i, g := range m.Groups {
		cells := quickest(programmed(m, g))
		if len(cells) == 0 {
			continue
		}
		for k, draw := range []func(*matrix.Matrix, matrix.Group, []*record.Cell, string) (figure, error){roofline, operationBars} {
			f, err := draw(m, g, cells, fmt.Sprintf("%s-%d", figureID(s.ID, i), k))
			if err != nil {
				return s, err
			}
			s.Figures = append(s.Figures, f)
		}
	}
	return s, nil
}

// quickest are the cells with the fewest cycles of each target, targets in order
// of appearance.
func quickest(cells []*record.Cell) []*record.Cell {
	var list []*record.Cell
next:
	for _, c := range cells {
		for i := range list {
			if list[i].Target == c.Target {
				if c.Cycles.Total < list[i].Cycles.Total {
					list[i] = c
				}
				continue next
			}
		}
		list = append(list, c)
	}
	return list
}

func cycleSettings(c *record.Cell) string { return c.Target + ", " + c.Mode + ", " + c.Profile }

// intensity is an operation's multiply-accumulates for each byte that it moves.
func intensity(o record.OperationCycles) float64 { return float64(o.MACs) / float64(o.Bytes) }

// roofline draws the operations that multiply under the roof of their target
// (Williams, Waterman, Patterson: Roofline, 2009).
func roofline(m *matrix.Matrix, g matrix.Group, cells []*record.Cell, id string) (figure, error) {
	f := figure{ID: id, Title: m.Name(g) + ": " + rooflineTitle(cells), Layout: layout(min(len(cells), 3)), Key: limitKey(cells, multiplies)}
	for i, c := range cells {
		o, err := rooflineOption(c)
		if err != nil {
			return f, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), "Roofline of "+m.Name(g)+" on "+cycleSettings(c)+": multiply-accumulates a cycle over multiply-accumulates a byte, log axes", 250, o, 0, nil)
		if err != nil {
			return f, err
		}
		p.Title = strong(c.Target) + text(" "+c.Mode+", "+c.Profile)
		f.Panels = append(f.Panels, p)
		f.Tables = append(f.Tables, cyclesTable(c))
	}
	f.Caption = text("Mark: an operation that multiplies, a convolution with the SDP operation that it feeds. Line: the most that the target's multipliers and its memory allow. Modelled, not measured: " +
		strings.Join(cells[0].Cycles.Assumptions[2:], "; ") + ".")
	return f, nil
}

func rooflineTitle(cells []*record.Cell) string {
	var parts []string
	for _, c := range cells {
		used := 0.0
		for _, o := range c.Cycles.Operations {
			used += float64(o.MACs)
		}
		used /= c.Cycles.Total * float64(c.Cycles.Multipliers)
		parts = append(parts, fmt.Sprintf("%s uses %s %% of its multipliers", c.Target, format.Fixed(100*used, 1)))
	}
	return strings.Join(parts, ", ")
}

func rooflineOption(c *record.Cell) (node, error) {
	var data []node
	lo, hi, low := math.Inf(1), 1.0, math.Inf(1)
	for _, o := range c.Cycles.Operations {
		if !multiplies(o) {
			continue
		}
		x, y := intensity(o), float64(o.MACs)/o.Cycles
		lo, hi, low = min(lo, x), max(hi, x), min(low, y)
		hue, symbol := limitOf(o.Bound)
		data = append(data, node{"value": []float64{round(x), round(y)}, "symbol": symbol, "itemStyle": node{"color": colour(hue), "opacity": 0.85}, "tip": operationTip(o, c), "cell": c.ID})
	}
	if len(data) == 0 {
		lo, low = 0.1, 0.1
	}
	perByte := c.Cycles.Bandwidth / c.Cycles.ClockHz
	most := float64(c.Cycles.Multipliers)
	xs := [2]float64{decade(math.Floor(math.Log10(lo))), decade(math.Ceil(math.Log10(max(hi, most/perByte))))}
	ys := [2]float64{decade(math.Floor(math.Log10(min(low, most)))), decade(math.Ceil(math.Log10(most)))}
	a := axes{
		X: opts.XAxis{Type: "log", Min: xs[0], Max: xs[1], Name: "MACs a byte", NameLocation: "middle", NameGap: 26},
		Y: opts.YAxis{Type: "log", Min: ys[0], Max: ys[1], Name: "MACs a cycle", NameLocation: "end"},
	}
	o, err := option(a, node{"left": 46, "right": 14, "top": 28, "bottom": 44}, roof(xs, ys, perByte, most), series{kind: "scatter", data: data, settings: node{"symbolSize": 9, "z": 3}})
	if err != nil {
		return nil, err
	}
	axis(o, "xAxis", node{"axisLabel": node{"formatter": function("sci"), "hideOverlap": true}})
	axis(o, "yAxis", node{"axisLabel": node{"formatter": function("sci")}, "nameTextStyle": node{"align": "left", "padding": []int{0, 0, 0, -40}}})
	return o, nil
}

// roof is the line from where it enters the panel over the knee to its right
// end.
func roof(xs, ys [2]float64, perByte, most float64) series {
	left := max(xs[0], ys[0]/perByte)
	points := [][]float64{{left, min(most, left*perByte)}, {most / perByte, most}, {xs[1], most}}
	var data []node
	for _, p := range points {
		data = append(data, node{"value": p})
	}
	return series{kind: "line", data: data, settings: node{"symbol": "none", "silent": true, "lineStyle": node{"color": colour("ink"), "width": 1.4}, "z": 2}}
}

func operationTip(o record.OperationCycles, c *record.Cell) []string {
	name := o.Layer
	if name == "" {
		name = o.Kind
	}
	return []string{name + " · " + o.Kind, fmt.Sprintf("%s cycles, %s %% of the network, modelled", format.Count(int(o.Cycles)), format.Percent(o.Cycles/c.Cycles.Total)),
		fmt.Sprintf("%s, %s", format.SI(float64(o.MACs), "MAC"), format.SI(float64(o.Bytes), "B")), "bound by " + o.Bound}
}

const barHeight = 15 // px an operation

// operationBars draws the cycles of each operation in order of execution.
func operationBars(m *matrix.Matrix, g matrix.Group, cells []*record.Cell, id string) (figure, error) {
	f := figure{ID: id, Title: m.Name(g) + ": " + barsTitle(cells), Layout: layout(min(len(cells), 3)), Key: limitKey(cells, takes)}
	for i, c := range cells {
		o, err := barsOption(c)
		if err != nil {
			return f, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), "Modelled cycles of each operation of "+m.Name(g)+" on "+cycleSettings(c), 50+barHeight*len(c.Cycles.Operations), o, 0, nil)
		if err != nil {
			return f, err
		}
		p.Title = strong(c.Target) + text(" "+format.Count(int(c.Cycles.Total))+" cycles")
		f.Panels = append(f.Panels, p)
	}
	f.Caption = text("Operations in order of execution, one after the other; a convolution and the SDP operation that it feeds are one bar. Tasks of the CPU have no bar: they are not modelled. The numbers are in the data of the roofline.")
	return f, nil
}

// barsTitle names the operation that takes most on each target.
func barsTitle(cells []*record.Cell) string {
	var parts []string
	for _, c := range cells {
		most := c.Cycles.Operations[0]
		for _, o := range c.Cycles.Operations {
			if o.Cycles > most.Cycles {
				most = o
			}
		}
		parts = append(parts, fmt.Sprintf("%s takes %s %% on %s, bound by %s", most.Layer, format.Fixed(100*most.Cycles/c.Cycles.Total, 1), c.Target, most.Bound))
	}
	return strings.Join(parts, "; ")
}

func barsOption(c *record.Cell) (node, error) {
	var names []string
	var data []node
	for i, o := range c.Cycles.Operations {
		name := o.Layer
		if name == "" || i > 0 && name == c.Cycles.Operations[i-1].Layer {
			name = strings.TrimSpace(name + " " + o.Kind)
		}
		names = append(names, name)
		hue, _ := limitOf(o.Bound)
		if o.Cycles == 0 {
			continue
		}
		data = append(data, node{"value": []float64{round(o.Cycles), float64(i)}, "itemStyle": node{"color": colour(hue)}, "tip": operationTip(o, c), "cell": c.ID})
	}
	a := axes{X: opts.XAxis{Type: "value", Min: 0, Name: "cycles", NameLocation: "middle", NameGap: 26}, Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: names}}
	o, err := option(a, node{"left": min(150, margin(names, 5.6)), "right": 16, "top": 4, "bottom": 44}, series{kind: "custom", data: data, settings: node{"renderItem": function("bar"), "encode": node{"x": 0, "y": 1}}})
	if err != nil {
		return nil, err
	}
	axis(o, "xAxis", node{"splitNumber": 3, "axisLabel": node{"formatter": function("kilo"), "hideOverlap": true}})
	axis(o, "yAxis", node{"axisLabel": node{"interval": 0, "fontSize": 10.5, "width": 138, "overflow": "truncate"}})
	return o, nil
}

func cyclesTable(c *record.Cell) table {
	t := table{Caption: "cycles on " + cycleSettings(c), Head: columns("operation", "kind", ">MACs", ">bytes", ">MACs a byte", ">modelled cycles", ">share, %", "bound by")}
	for _, o := range c.Cycles.Operations {
		ratio := ""
		if o.Bytes > 0 {
			ratio = format.Significant(intensity(o))
		}
		t.Rows = append(t.Rows, []string{o.Layer, o.Kind, format.Count(int(o.MACs)), format.Count(int(o.Bytes)), ratio, format.Count(int(o.Cycles)), format.Percent(o.Cycles / c.Cycles.Total), o.Bound})
	}
	return t
}

package html

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// figure is one figure with everything that stands around it.
type figure struct {
	ID     string
	Number int
	Title  string // a finding computed from the data
	Layout string // "one", "two", "three": panels side by side
	Panels []panel
	Key    []keyItem
	Ramps  []ramp
	// Drawing is an svg element, shown folded.
	Drawing template.HTML
	// Above puts key and ramps before the panels.
	Above   bool
	Caption template.HTML
	Tables  []table
}

// panel is one chart.
type panel struct {
	ID     string
	Title  template.HTML
	Label  string // for screen readers
	Height int
	Option template.JS // JSON: option, and what changes in a narrow container
}

// keyItem explains one mark or line.
type keyItem struct {
	Mark template.HTML
	Text string
}

// ramp explains the bins of a heat map.
type ramp struct {
	Name string
	Bins []bin
}

type bin struct{ Colour, Text string }

// table is the data behind a figure.
type table struct {
	Caption string
	Head    []column
	Rows    [][]string
}

type column struct {
	Text  string
	Right bool
}

// columns makes a header; a name that starts with ">" is right-aligned.
func columns(names ...string) []column {
	list := make([]column, len(names))
	for i, n := range names {
		text, right := strings.CutPrefix(n, ">")
		list[i] = column{text, right}
	}
	return list
}

// Count is the number of data rows.
func (f figure) Count() string {
	n := 0
	for _, t := range f.Tables {
		n += len(t.Rows)
	}
	return format.Plural(n, "row")
}

// draw makes a panel from an option. below is the width under which narrow is
// merged into it; 0 for never.
func draw(id, label string, height int, o node, below int, narrow node) (panel, error) {
	box := node{"option": o, "tips": shareTips(o)}
	if below > 0 {
		box["narrow"] = node{"below": below, "option": narrow}
	}
	b, err := json.Marshal(box) // escapes <, refuses NaN
	if err != nil {
		return panel{}, fmt.Errorf("figure %s: %w", id, err)
	}
	return panel{ID: id, Label: label, Height: height, Option: template.JS(b)}, nil
}

// hint is what a tooltip says of a datum.
type hint struct {
	Lines []string `json:"l"`
	Cell  string   `json:"c,omitempty"`
}

// shareTips moves the tips of an option's data to one list, each once; a datum
// keeps its place in the list. It halves the size of large figures.
func shareTips(o node) []hint {
	var hints []hint
	place := map[string]int{}
	list, _ := o["series"].([]any)
	for _, s := range list {
		data, _ := s.(node)["data"].([]node)
		for _, d := range data {
			lines, ok := d["tip"].([]string)
			if !ok {
				continue
			}
			cell, _ := d["cell"].(string)
			key := strings.Join(lines, "\n") + "\n" + cell
			if _, seen := place[key]; !seen {
				place[key] = len(hints)
				hints = append(hints, hint{lines, cell})
			}
			delete(d, "tip")
			delete(d, "cell")
			d["t"] = place[key]
		}
	}
	return hints
}

// layout is the number of panels side by side.
func layout(panels int) string {
	switch panels {
	case 1:
		return "one"
	case 3:
		return "three"
	}
	return "two"
}

// strong is bold text, escaped.
func strong(s string) template.HTML {
	return template.HTML("<b>" + template.HTMLEscapeString(s) + "</b>")
}

func text(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) }

// seriesKey explains the series that rows use, each once.
func seriesKey(rows []matrix.Row) []keyItem {
	var key []keyItem
	seen := map[string]bool{}
	for _, s := range []matrix.Series{matrix.FP32, matrix.TensorRT, matrix.PerFilter, matrix.PerKernel} {
		for _, r := range rows {
			if r.Series == s && !seen[s.Key] {
				seen[s.Key] = true
				key = append(key, keyItem{mark(s), s.Name})
			}
		}
	}
	for _, r := range rows {
		if r.Series.Key == "other" && !seen[r.Series.Name] {
			seen[r.Series.Name] = true
			key = append(key, keyItem{mark(r.Series), r.Series.Name})
		}
	}
	return key
}

// tip is what the tooltip of a cell says.
func tip(m *matrix.Matrix, r matrix.Row) []string {
	head := m.Where(r) + " · " + r.Name()
	if r.Calibrator != "" {
		head += " · " + r.Calibrator
	}
	lines := []string{head,
		fmt.Sprintf("top-1 %s %% (%s of %s)", format.Percent(r.Top1), format.Count(r.Correct), format.Count(r.Images)),
		fmt.Sprintf("95 %% interval %s to %s %%", format.Percent(r.Interval.Lo), format.Percent(r.Interval.Hi))}
	if r.Paired() {
		lines = append(lines, fmt.Sprintf("%s pp to %s, %s", format.Points(r.Difference), m.Base(), format.Equation(*r.McNemarP)))
	}
	if r.Imported != nil {
		lines = append(lines, "from "+r.Imported.File)
	}
	return lines
}

// perModel splits groups into one figure each when a run has more than four
// models, so that panels stay readable; otherwise all share one figure.
func perModel(m *matrix.Matrix) [][]matrix.Group {
	if len(m.Models) <= 4 {
		return [][]matrix.Group{m.Groups}
	}
	var split [][]matrix.Group
	for _, name := range m.Models {
		var part []matrix.Group
		for _, g := range m.Groups {
			if g.Model == name {
				part = append(part, g)
			}
		}
		if len(part) > 0 {
			split = append(split, part)
		}
	}
	return split
}

// rowsOf gathers the rows of groups.
func rowsOf(groups []matrix.Group) []matrix.Row {
	var rows []matrix.Row
	for _, g := range groups {
		rows = append(rows, g.Rows...)
	}
	return rows
}

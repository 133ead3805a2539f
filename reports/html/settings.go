package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// settingsGrid holds the NVDLA cells of a group with the main calibrator: a line
// for each weight mode, profile and input mode, a column for each target.
type settingsGrid struct {
	lines, targets []string
	cells          map[[2]string]*record.Cell
	letters        map[string]string // by answers
}

// settingsSection shows what the settings of nvdla_compiler make of each
// network, where a run has several.
func settingsSection(m *matrix.Matrix) (section, error) {
	s := section{ID: "settings", Heading: "NVDLA settings", Short: "NVDLA settings"}
	for i, g := range m.Groups {
		grid := gridOf(m, g)
		if len(grid.lines) < 2 || len(grid.cells) < 3 {
			continue
		}
		f, err := settingsFigure(m, g, grid, figureID(s.ID, i))
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, f)
	}
	return s, nil
}

// programmed are the cells of a group that NVDLA runs with the main calibrator.
func programmed(m *matrix.Matrix, g matrix.Group) []*record.Cell {
	var list []*record.Cell
	for _, r := range g.With(m.Main, false) {
		for _, c := range append([]*record.Cell{r.Cell}, r.Same...) {
			if c.Cycles != nil {
				list = append(list, c)
			}
		}
	}
	return list
}

func gridOf(m *matrix.Matrix, g matrix.Group) settingsGrid {
	grid := settingsGrid{cells: map[[2]string]*record.Cell{}, letters: map[string]string{}}
	profiles := map[string]bool{}
	for _, c := range inOrder(m, programmed(m, g)) {
		line := strings.TrimSpace(c.Mode + "  " + c.Profile)
		if c.InputMode != "" && c.InputMode != "quantized" {
			line += ", " + c.InputMode
		}
		profiles[c.Profile+c.InputMode] = true
		if !slices.Contains(grid.lines, line) {
			grid.lines = append(grid.lines, line)
		}
		if !slices.Contains(grid.targets, c.Target) {
			grid.targets = append(grid.targets, c.Target)
		}
		grid.cells[[2]string{line, c.Target}] = c
		if _, ok := grid.letters[c.Answers]; !ok {
			grid.letters[c.Answers] = letter(len(grid.letters))
		}
	}
	if len(profiles) < 2 && len(grid.targets) < 2 {
		return settingsGrid{} // modes only: the accuracy figure shows them
	}
	return grid
}

// inOrder sorts cells as the run has them.
func inOrder(m *matrix.Matrix, cells []*record.Cell) []*record.Cell {
	at := map[string]int{}
	for i := range m.Run.Cells {
		at[m.Run.Cells[i].ID] = i
	}
	slices.SortFunc(cells, func(a, b *record.Cell) int {
		if n := cmp.Compare(a.Mode, b.Mode); n != 0 {
			return n
		}
		return at[a.ID] - at[b.ID]
	})
	return cells
}

func letter(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return fmt.Sprint(i + 1)
}

// Bins of the loss in percentage points, and of cycles over the target's fewest.
var (
	lossBounds  = []float64{0.25, 0.5, 1, 5}
	cycleBounds = []float64{1.05, 1.5, 2, 3}
)

func settingsRamps() []ramp {
	return []ramp{
		{"loss, pp", []bin{{"s0", "< 0.25"}, {"s1", "0.25 to 0.5"}, {"s2", "0.5 to 1"}, {"s3", "1 to 5"}, {"s4", "≥ 5"}}},
		{"cycles over the fewest", []bin{{"s0", "< 1.05"}, {"s1", "to 1.5"}, {"s2", "to 2"}, {"s3", "to 3"}, {"s4", "≥ 3"}}},
	}
}

func binOf(bounds []float64, x float64) int {
	for i, b := range bounds {
		if x < b {
			return i
		}
	}
	return len(bounds)
}

func settingsFigure(m *matrix.Matrix, g matrix.Group, grid settingsGrid, id string) (figure, error) {
	f := figure{ID: id, Title: m.Name(g) + ": " + settingsTitle(grid), Layout: "two", Above: true, Ramps: settingsRamps(), Tables: []table{settingsTable(grid)}}
	fewest := map[string]float64{}
	for k, c := range grid.cells {
		if least, ok := fewest[k[1]]; !ok || c.Cycles.Total < least {
			fewest[k[1]] = c.Cycles.Total
		}
	}
	for i, p := range []struct {
		title string
		cell  func(c *record.Cell) (int, string)
	}{
		{"top-1, %, and who answers alike", func(c *record.Cell) (int, string) {
			return binOf(lossBounds, -100*c.Difference), format.Percent(c.Top1) + " " + grid.letters[c.Answers]
		}},
		{"modelled time of a picture, ms", func(c *record.Cell) (int, string) {
			return binOf(cycleBounds, c.Cycles.Total/fewest[c.Target]), format.Significant(1000 * c.Cycles.Total / c.Cycles.ClockHz)
		}},
	} {
		o, err := settingsOption(grid, p.cell)
		if err != nil {
			return f, err
		}
		panel, err := draw(fmt.Sprintf("%s-%d", id, i), m.Name(g)+": "+p.title+" by profile, weight mode and target", 34+30*len(grid.lines), o, 420, node{"grid": node{"left": 130}, "yAxis": node{"axisLabel": node{"fontSize": 10.5}}})
		if err != nil {
			return f, err
		}
		panel.Title = strong(p.title)
		f.Panels = append(f.Panels, panel)
	}
	f.Caption = text("Cells with the same letter give the same answer to every picture, ties and margins included; colour is the loss against " + m.Base() + ". Times are modelled, not measured: " +
		strings.Join(grid.any().Cycles.Assumptions[2:], "; ") + ". Clock and bandwidth of each target are in the data.")
	return f, nil
}

// any is some cell: what is asked of it is the same for all.
func (g settingsGrid) any() *record.Cell { return g.cells[[2]string{g.lines[0], g.targets[0]}] }

// settingsTitle says what the settings change.
func settingsTitle(g settingsGrid) string {
	best, worst := g.any(), g.any()
	for _, line := range g.lines {
		for _, t := range g.targets {
			c := g.cells[[2]string{line, t}]
			if c != nil && c.Top1 > best.Top1 {
				best = c
			}
			if c != nil && c.Top1 < worst.Top1 {
				worst = c
			}
		}
	}
	title := "all settings give the same answers"
	if len(g.letters) > 1 {
		title = fmt.Sprintf("%s to %s %%: worst is %s with %s, best %s with %s", format.Percent(worst.Top1), format.Percent(best.Top1),
			worst.Mode, worst.Profile, best.Mode, best.Profile)
	}
	if len(g.targets) > 1 && len(g.letters) > 1 && g.targetsAgree() {
		title += "; the target changes no answer"
	}
	return title
}

// targetsAgree reports whether every line has the same answers on all targets.
func (g settingsGrid) targetsAgree() bool {
	for _, line := range g.lines {
		seen := ""
		for _, t := range g.targets {
			c := g.cells[[2]string{line, t}]
			if c == nil || seen != "" && c.Answers != seen {
				return false
			}
			seen = c.Answers
		}
	}
	return true
}

func settingsOption(g settingsGrid, cell func(*record.Cell) (int, string)) (node, error) {
	a := axes{X: opts.XAxis{Type: "category", Data: g.targets, Position: "top"}, Y: opts.YAxis{Type: "category", Inverse: opts.Bool(true), Data: g.lines}}
	var data []node
	for y, line := range g.lines {
		for x, t := range g.targets {
			c := g.cells[[2]string{line, t}]
			if c == nil {
				continue
			}
			b, label := cell(c)
			d := node{"value": []int{x, y, b}, "text": label, "cell": c.ID, "tip": settingsTip(g, c)}
			if b >= 3 {
				d["label"] = node{"color": colour("sHi")}
			}
			data = append(data, d)
		}
	}
	o, err := option(a, node{"left": margin(g.lines, 6.2), "right": 2, "top": 26, "bottom": 6, "outerBoundsMode": "none"},
		series{kind: "heatmap", data: data, settings: node{"label": node{"show": true, "fontSize": 12, "color": colour("sLo"), "formatter": function("text")}, "itemStyle": node{"borderColor": colour("bg"), "borderWidth": 1}}})
	if err != nil {
		return nil, err
	}
	axis(o, "xAxis", node{"axisLine": node{"show": false}, "axisLabel": node{"interval": 0}})
	axis(o, "yAxis", node{"axisLine": node{"show": false}, "axisLabel": node{"interval": 0}})
	o["visualMap"] = []node{{"type": "piecewise", "show": false, "seriesIndex": 0, "dimension": 2, "pieces": heatPieces()}}
	return o, nil
}

// heatPieces colours the bins 0 to 4.
func heatPieces() []node {
	pieces := make([]node, 5)
	for i := range pieces {
		pieces[i] = node{"min": float64(i) - 0.5, "max": float64(i) + 0.5, "color": colour(fmt.Sprint("s", i))}
	}
	return pieces
}

func settingsTip(g settingsGrid, c *record.Cell) []string {
	lines := []string{fmt.Sprintf("%s · %s · %s", c.Mode, c.Profile, c.Target),
		fmt.Sprintf("top-1 %s %% (%s of %s), answers %s", format.Percent(c.Top1), format.Count(c.Correct), format.Count(c.Images), g.letters[c.Answers])}
	if c.McNemarP != nil {
		lines = append(lines, fmt.Sprintf("%s pp, %s", format.Points(c.Difference), format.Equation(*c.McNemarP)))
	}
	return append(lines, fmt.Sprintf("%s, %s modelled", format.Plural(c.Cycles.Hardware, "hardware operation"), format.Plural(int(c.Cycles.Total), "cycle")))
}

func settingsTable(g settingsGrid) table {
	t := table{Caption: "settings", Head: columns("cell", "mode", "profile", "target", "input", "answers", ">top-1, %", ">Δ, pp", ">p", ">hardware operations", ">modelled cycles", ">ms", ">GHz", ">GB/s", "program")}
	for _, line := range g.lines {
		for _, target := range g.targets {
			c := g.cells[[2]string{line, target}]
			if c == nil {
				continue
			}
			delta, p := "", ""
			if c.McNemarP != nil {
				delta, p = format.Points(c.Difference), format.P(*c.McNemarP)
			}
			y := c.Cycles
			t.Rows = append(t.Rows, []string{c.ID, c.Mode, c.Profile, c.Target, c.InputMode, g.letters[c.Answers], format.Percent(c.Top1), delta, p, format.Count(y.Hardware),
				format.Count(int(y.Total)), format.Fixed(1000*y.Total/y.ClockHz, 4), trim(y.ClockHz / 1e9), trim(y.Bandwidth / 1e9), c.Program[:min(12, len(c.Program))]})
		}
	}
	return t
}

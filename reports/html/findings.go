package html

import (
	"slices"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// finding is one warning, told once for all cells that have it.
type finding struct {
	record.Finding
	Number int
	Word   string
	Class  string
	Scope  string
	cells  []string
}

var severities = []struct{ name, word, class string }{{"error", "ERROR", "fail"}, {"warning", "WARNING", "unsure"}, {"note", "NOTE", ""}}

// findingsOf gathers the findings of all cells, errors first.
func findingsOf(m *matrix.Matrix) []finding {
	var list []finding
	for i := range m.Run.Cells {
		c := &m.Run.Cells[i]
		for _, f := range c.Findings {
			list = addFinding(list, f, c.ID)
		}
	}
	slices.SortStableFunc(list, func(a, b finding) int { return severity(string(a.Severity)) - severity(string(b.Severity)) })
	for i := range list {
		f := &list[i]
		f.Number = i + 1
		f.Scope = format.Plural(len(f.cells), "cell")
		if len(f.cells) <= 3 {
			f.Scope = "cell " + format.List(f.cells)
		}
		if s := severity(string(f.Severity)); s < len(severities) {
			f.Word, f.Class = severities[s].word, severities[s].class
		}
	}
	return list
}

func addFinding(list []finding, f record.Finding, cell string) []finding {
	for i := range list {
		if list[i].Finding == f {
			if !slices.Contains(list[i].cells, cell) {
				list[i].cells = append(list[i].cells, cell)
			}
			return list
		}
	}
	return append(list, finding{Finding: f, Word: string(f.Severity), cells: []string{cell}})
}

func severity(name string) int {
	for i, s := range severities {
		if s.name == name {
			return i
		}
	}
	return len(severities)
}

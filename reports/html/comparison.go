package html

import (
	"fmt"
	"html/template"
	"slices"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// comparison is the main table with its notes.
type comparison struct {
	Groups []tableGroup
	Tests  int
	Kinds  []kindNote
	// Unfinished are the cells that failed or were skipped, and parts of the
	// matrix that never became cells.
	Failed, Skipped []unfinished
	// Imported says where the cells are from that other programs ran.
	Imported []string
}

type kindNote struct {
	Badge template.HTML
	Says  string
}

type unfinished struct{ What, Reason, Command string }

type tableGroup struct {
	Name, Dataset string
	Rows          []tableRow
}

type tableRow struct {
	ID, Name, Calibrator                        string
	First, Tied, Paired                         bool
	Mark, Kind                                  template.HTML
	Top1, Interval, Delta, P, Ties, Worst, Time string
	Notes                                       []int // numbers of findings
}

func comparisonOf(m *matrix.Matrix, findings []finding) comparison {
	c := comparison{Tests: m.Tests()}
	for _, g := range m.Groups {
		t := tableGroup{Name: g.Model, Dataset: g.Dataset + sampleSize(g)}
		for i, r := range g.Rows {
			row := rowOf(r, i == 0 || r.Name() != g.Rows[i-1].Name(), findings)
			if !row.First && slices.Equal(notesOf(g.Rows[i-1], findings), row.Notes) {
				row.Notes = nil // the row above says it
			}
			t.Rows = append(t.Rows, row)
		}
		c.Groups = append(c.Groups, t)
	}
	c.Kinds, c.Imported = kindNotes(m), m.Imported()
	c.Failed, c.Skipped = unfinishedCells(m, record.Failed), unfinishedCells(m, record.Skipped)
	for _, s := range m.Run.Manifest.Skipped {
		c.Skipped = append(c.Skipped, unfinished{s.What, s.Reason, s.Command})
	}
	return c
}

func sampleSize(g matrix.Group) string {
	if n := images([]matrix.Group{g}); n > 0 {
		return ", n = " + format.Count(n)
	}
	return ""
}

func rowOf(r matrix.Row, first bool, findings []finding) tableRow {
	t := tableRow{ID: r.ID, Name: r.Name(), Calibrator: r.Calibrator, First: first, Tied: r.Tied(), Paired: r.Paired(), Mark: mark(r.Series),
		Top1: format.Percent(r.Top1), Interval: format.Range(r.Interval.Lo, r.Interval.Hi), Ties: format.Count(r.Ties)}
	if r.Imported != nil {
		t.Ties = ""
	}
	if r.Base {
		t.Calibrator = "reference"
	}
	if r.Paired() {
		t.Delta, t.P = format.Points(r.Difference), format.P(*r.McNemarP)
	}
	if r.Ties > 0 {
		t.Worst = format.Range(r.TopWorst, r.TopBest)
	}
	if r.Latency != nil {
		t.Time, t.Kind = format.Milliseconds(r.Latency.Seconds), badge(r.Latency.Kind)
	}
	t.Notes = notesOf(r, findings)
	return t
}

// notesOf numbers the errors and warnings of a row.
func notesOf(r matrix.Row, findings []finding) []int {
	var notes []int
	for _, f := range findings {
		if f.Severity != "note" && slices.Contains(f.cells, r.ID) {
			notes = append(notes, f.Number)
		}
	}
	return notes
}

// kindNotes explains the kinds that occur, with their conditions.
func kindNotes(m *matrix.Matrix) []kindNote {
	var notes []kindNote
	for _, k := range kinds {
		var conditions []string
		found := false
		for r := range m.Each {
			if r.Latency == nil || r.Latency.Kind != k.Kind {
				continue
			}
			found = true
			if n := r.Latency.Note; n != "" && !slices.Contains(conditions, n) {
				conditions = append(conditions, n)
			}
		}
		if found {
			says := k.Says
			if len(conditions) > 0 && len(conditions) <= 3 {
				says += " (" + format.List(conditions) + ")"
			}
			notes = append(notes, kindNote{badge(k.Kind), says + "."})
		}
	}
	return notes
}

func unfinishedCells(m *matrix.Matrix, s record.Status) []unfinished {
	var list []unfinished
	for i := range m.Run.Cells {
		c := &m.Run.Cells[i]
		if c.Status != s {
			continue
		}
		what := fmt.Sprintf("%s on %s, %s", c.Model, c.Dataset, matrix.SeriesOf(c).Name)
		if c.Calibrator != "" {
			what += ", " + c.Calibrator
		}
		list = append(list, unfinished{What: what + " (cell " + c.ID + ")", Reason: c.Reason})
	}
	return list
}

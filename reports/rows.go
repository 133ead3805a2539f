package reports

import (
	"fmt"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// heads are the columns that the terminal and Markdown share.
var heads = []string{"Runtime", "Calibrator", "Top-1, %", "95 % interval", "", "Δ, pp", "p", "Ties", "Latency, ms", "Kind"}

// line is a row of the shared table.
func line(r matrix.Row) []string {
	l := []string{r.Name(), r.Calibrator, format.Percent(r.Top1), format.Range(r.Interval.Lo, r.Interval.Hi), "", "", "", format.Count(r.Ties), "", ""}
	if r.Imported != nil {
		l[7] = "" // only classes came with the file
	}
	if r.Base {
		l[1] = "reference"
	}
	if r.Tied() {
		l[4] = "~"
	}
	if r.Paired() {
		l[5], l[6] = format.Points(r.Difference), format.P(*r.McNemarP)
	}
	if r.Latency != nil {
		l[8], l[9] = format.Milliseconds(r.Latency.Seconds), string(r.Latency.Kind)
	}
	return l
}

// caption names a group with its number of pictures.
func caption(g matrix.Group) string {
	n := -1
	for _, r := range g.Rows {
		if n >= 0 && n != r.Images {
			return g.Model + " on " + g.Dataset
		}
		n = r.Images
	}
	return fmt.Sprintf("%s on %s, n = %s", g.Model, g.Dataset, format.Count(n))
}

// gateLines are the verdicts as plain sentences.
func gateLines(m *matrix.Matrix) []string {
	var lines []string
	for _, j := range m.Gates() {
		model, runtime := m.Subject(j)
		lines = append(lines, fmt.Sprintf("%s: %s on %s %s", strings.ToUpper(string(j.Outcome())), model, runtime, m.Says(j)))
	}
	return lines
}

// openLines say what has no result, why, and what would help.
func openLines(r *record.Run) []string {
	var lines []string
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Status == record.OK {
			continue
		}
		what := fmt.Sprintf("%s on %s, %s", c.Model, c.Dataset, matrix.SeriesOf(c).Name)
		if c.Calibrator != "" {
			what += ", " + c.Calibrator
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", c.Status, what, c.Reason))
	}
	for _, s := range r.Manifest.Skipped {
		l := fmt.Sprintf("skipped: %s: %s", s.What, s.Reason)
		if s.Command != "" {
			l += " Run: " + s.Command
		}
		lines = append(lines, l)
	}
	return lines
}

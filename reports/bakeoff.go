package reports

import (
	"bytes"
	"fmt"
	"strings"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// contestLines are the verdicts of a bake-off as plain sentences.
func contestLines(m *matrix.Matrix) []string {
	var lines []string
	for _, c := range m.Contests() {
		lines = append(lines, c.Verdict()+" ("+c.Numbers()+")")
	}
	return lines
}

// markdownContests writes each line's verdict and its calibrators, best first.
func markdownContests(b *bytes.Buffer, m *matrix.Matrix) {
	contests := m.Contests()
	if len(contests) == 0 {
		return
	}
	fmt.Fprint(b, "\n## Calibrators over pictures\n")
	for _, c := range contests {
		fmt.Fprintf(b, "\n### %s\n\n%s (%s).\n\n", escape(c.Where), escape(c.Verdict()), escape(c.Numbers()))
		fmt.Fprint(b, "| Calibrator | Groups | Top-1, % | Deviation, pp | To the best, pp | 95 % interval | Holm p |\n|:--|:--|--:|--:|--:|--:|--:|\n")
		for _, r := range c.Ranked {
			cells := []string{r.Calibrator, r.Letters, format.Percent(r.Mean), "", "", "", ""}
			if len(r.Correct) > 1 {
				cells[3] = format.Loss(r.Deviation)
			}
			if p := r.Behind; p != nil {
				cells[4], cells[6] = format.Points(-p.Difference), format.P(p.Adjusted)
				cells[5] = format.Points(-p.Interval.Hi) + " – " + format.Points(-p.Interval.Lo)
			}
			for i := range cells {
				cells[i] = escape(cells[i])
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	fmt.Fprint(b, "\nCalibrators that share a letter cannot be told apart. Deviation: of the accuracy between random subsets of calibration pictures.\n")
}

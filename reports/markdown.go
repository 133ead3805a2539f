package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// Markdown writes the verdict, the tables, the findings and the manifest under
// the headings of the HTML page, as GitHub reads it.
func Markdown(w io.Writer, r *record.Run) error {
	m := matrix.Of(r)
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", escape(m.Title()))
	if lede := m.Lede(); lede != "" {
		fmt.Fprintf(&b, "\n%s\n", escape(lede))
	}
	list(&b, "Verdict", gateLines(m))
	fmt.Fprint(&b, "\n## Comparison\n")
	for _, g := range m.Groups {
		fmt.Fprintf(&b, "\n### %s\n\n", escape(caption(g)))
		markdownTable(&b, g)
	}
	if m.Tests() > 0 {
		fmt.Fprintf(&b, "\nInterval: Wilson, 95 %%. `~`: not distinguishable from %s at the 5 %% level. p: exact McNemar test on the same pictures, two-sided, not corrected for %d comparisons. Latency of different kinds cannot be compared.\n", escape(m.Base()), m.Tests())
	}
	list(&b, "Imported", m.Imported())
	markdownContests(&b, m)
	list(&b, "Without result", openLines(r))
	list(&b, "Findings", findingLines(r))
	list(&b, "Manifest", manifestLines(r))
	_, err := w.Write(b.Bytes())
	return err
}

func list(b *bytes.Buffer, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", heading)
	for _, l := range lines {
		fmt.Fprintf(b, "- %s\n", escape(l))
	}
}

func markdownTable(b *bytes.Buffer, g matrix.Group) {
	row := func(cells []string) {
		for i := range cells {
			cells[i] = escape(cells[i])
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	row(append([]string(nil), heads...))
	fmt.Fprintln(b, "|:--|:--|--:|--:|--:|--:|--:|--:|--:|:--|")
	for _, r := range g.Rows {
		row(line(r))
	}
}

// findingLines tells each finding once, with the number of cells it concerns.
func findingLines(r *record.Run) []string {
	var order []record.Finding
	cells := map[record.Finding]int{}
	for i := range r.Cells {
		for _, f := range r.Cells[i].Findings {
			if cells[f] == 0 {
				order = append(order, f)
			}
			cells[f]++
		}
	}
	var lines []string
	for _, f := range order {
		parts := []string{fmt.Sprintf("%s %s: %s", f.Severity, f.Code, f.Fact)}
		for _, more := range []string{f.Where, f.Advice} {
			if more != "" {
				parts = append(parts, more)
			}
		}
		lines = append(lines, strings.Join(parts, " ")+" ("+format.Plural(cells[f], "cell")+")")
	}
	return lines
}

func manifestLines(r *record.Run) []string {
	m := r.Manifest
	var lines []string
	for _, p := range [][2]string{{"command", m.Command}, {"config", m.Config}, {"config sha256", m.ConfigSHA}, {"cells sha256", m.Digest},
		{"bench", m.Version}, {"Go", m.Go}, {"host", m.Host}, {"instructions", m.Instruction}} {
		if p[1] != "" {
			lines = append(lines, p[0]+": "+p[1])
		}
	}
	for _, f := range m.Files {
		lines = append(lines, f.Name+": "+f.Value)
	}
	return lines
}

// markup escapes what Markdown would read as markup or as HTML.
var markup = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "\n", " ", "~", `\~`)

func escape(s string) string { return markup.Replace(s) }

package reports

import (
	"bytes"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"quantbench/harness/record"
	"quantbench/reports/matrix"
)

// right-aligned columns of the shared table.
var alignments = tw.Alignment{tw.AlignLeft, tw.AlignLeft, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignRight, tw.AlignLeft}

// Terminal writes the verdict and one table for each model and dataset in plain
// characters, without colour, at most 110 columns for usual names.
func Terminal(w io.Writer, r *record.Run) error {
	m := matrix.Of(r)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", m.Title())
	for _, l := range gateLines(m) {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	for _, g := range m.Groups {
		fmt.Fprintf(&b, "\n%s\n", caption(g))
		if err := groupTable(&b, g); err != nil {
			return err
		}
	}
	if m.Tests() > 0 {
		fmt.Fprintf(&b, "\n~: not distinguishable from %s at the 5 %% level. p: exact McNemar test on the same pictures, not corrected for %d comparisons.\n", m.Base(), m.Tests())
		fmt.Fprintln(&b, "Latency of different kinds cannot be compared.")
	}
	for _, l := range m.Imported() {
		fmt.Fprintf(&b, "imported: %s\n", l)
	}
	for _, l := range contestLines(m) {
		fmt.Fprintf(&b, "%s\n", l)
	}
	for _, l := range openLines(r) {
		fmt.Fprintf(&b, "%s\n", l)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func groupTable(w io.Writer, g matrix.Group) error {
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off},
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone), tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off), tablewriter.WithAlignment(alignments), tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: alignments}))
	t.Header(heads)
	last := ""
	for _, r := range g.Rows {
		l := line(r)
		if r.Name() == last {
			l[0] = ""
		}
		last = r.Name()
		if err := t.Append(l); err != nil {
			return err
		}
	}
	return t.Render()
}

package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"quantbench/harness/record"
	"quantbench/reports/format"
)

// Layers writes what is known of the layers of cells as plain text.
func Layers(w io.Writer, list []record.LayerReport) error {
	var b bytes.Buffer
	for i := range list {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		r := &list[i]
		fmt.Fprintf(&b, "%s\n\n", r.Cell)
		layerErrors(&b, r)
		if r.Analysis != nil && r.Analysis.Sensitivity != nil {
			sensitivity(&b, r.Analysis.Sensitivity)
		}
		if r.Analysis != nil && r.Analysis.Waterfall != nil {
			waterfall(&b, r.Analysis.Waterfall)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// aligned writes rows as columns: the first to the left, numbers to the right.
func aligned(b *bytes.Buffer, rows [][]string) {
	var table bytes.Buffer
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	first := 0
	for _, r := range rows {
		first = max(first, len([]rune(r[0])))
	}
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t\n", r[0]+strings.Repeat(" ", first-len([]rune(r[0]))), strings.Join(r[1:], "\t"))
	}
	t.Flush()
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(b, strings.TrimRight(line, " \n"))
	}
}

func layerErrors(b *bytes.Buffer, r *record.LayerReport) {
	rows := [][]string{{"layer", "SQNR, dB", "local, dB", "cosine", "local", "saturated, %", "made 0, %", "unused codes, %"}}
	for _, l := range r.Errors {
		local, cosine, unused := "", "", ""
		if l.Local != nil {
			local = format.Decibels(*l.Local)
		}
		if l.LocalCosine != nil {
			cosine = format.Fixed(*l.LocalCosine, 5)
		}
		if l.Unused != nil {
			unused = format.Fixed(100**l.Unused, 1)
		}
		rows = append(rows, []string{l.Layer, format.Decibels(l.SQNR), local, format.Fixed(l.Cosine, 5), cosine, format.Percent(l.Saturation), format.Percent(l.Dead), unused})
	}
	aligned(b, rows)
	fmt.Fprintf(b, "Errors over %s. Local: the layer fed with the tensors of fp32, rounded; emulated.\n", format.Plural(r.Images, "picture"))
}

func sensitivity(b *bytes.Buffer, s *record.Sensitivity) {
	fmt.Fprintf(b, "\nSensitivity, emulated, on %s: fp32 %s %%, all int8 %s %%\n", format.Plural(s.Images, "picture"), format.Percent(s.Float.Top1), format.Percent(s.Int8.Top1))
	rows := [][]string{{"layer", "only it in int8, %", "less fp32, pp", "95 %", "only it in float, %", "less all int8, pp", "95 %"}}
	for _, l := range s.Layers {
		rows = append(rows, []string{l.Layer, format.Percent(l.Only.Top1), format.Points(l.Only.Difference), points(l.Only),
			format.Percent(l.Without.Top1), format.Points(l.Without.Difference), points(l.Without)})
	}
	aligned(b, rows)
	fmt.Fprintf(b, "With everything rounded the emulation gives the real program's class on %s %% of the pictures.\n", format.Percent(s.Agreement))
	foreign(b, s.Foreign)
}

// points is a paired interval in percentage points.
func points(m record.Mixed) string {
	return format.Points(m.DifferenceInterval.Lo) + " to " + format.Points(m.DifferenceInterval.Hi)
}

func waterfall(b *bytes.Buffer, w *record.Waterfall) {
	fmt.Fprintf(b, "\nWaterfall over %s, in this order; another order would split the loss otherwise\n", format.Plural(w.Images, "picture"))
	rows := [][]string{{"step", "right", "change", "lost", "won", "pp", "95 %", "measured by"}, {"fp32", format.Count(w.Start), "", "", "", "", "", "the stored cell"}}
	for i, s := range w.Steps {
		by := "the real program"
		if s.Emulated {
			by = "emulation"
		} else if i == len(w.Steps)-1 {
			by = "the stored cell"
		}
		rows = append(rows, []string{s.Name, format.Count(s.Correct), format.Change(s.Change()), format.Count(s.Lost), format.Count(s.Won), format.Points(s.Difference), points(s.Mixed), by})
	}
	rows = append(rows, []string{"all steps", format.Count(w.End), format.Change(w.End - w.Start), "", "", "", "", ""})
	aligned(b, rows)
	fmt.Fprintf(b, "The emulation and the real program after it give the same class on %s %% of the pictures.\n", format.Percent(w.Agreement))
	foreign(b, w.Foreign)
}

func foreign(b *bytes.Buffer, layers []string) {
	if len(layers) > 0 {
		fmt.Fprintf(b, "Weights left in float by the emulation, as the real program does not take them from one layer: %s.\n", strings.Join(layers, ", "))
	}
}

package reports

import (
	"bytes"
	"fmt"
	"io"

	"quantbench/harness/record"
	"quantbench/reports/format"
)

// Comparisons writes paired tests as plain text, each with its counts and what
// they allow to be said.
func Comparisons(w io.Writer, list []record.Comparison) error {
	var b bytes.Buffer
	for i := range list {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		comparison(&b, &list[i], len(list))
	}
	if len(list) > 1 {
		n := 0
		for i := range list {
			if list[i].Distinguishable {
				n++
			}
		}
		fmt.Fprintf(&b, "\n%d of %d pairs can be told apart at the 5 %% level; p corrected for %d comparisons (Holm).\n", n, len(list), len(list))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func comparison(b *bytes.Buffer, c *record.Comparison, of int) {
	fmt.Fprintf(b, "A  %s  %s: %s of %s right, %s %%\n", c.A.ID, c.A.Name, format.Count(c.CorrectA), format.Count(c.Images), format.Percent(share(c.CorrectA, c.Images)))
	fmt.Fprintf(b, "B  %s  %s: %s of %s right, %s %%\n", c.B.ID, c.B.Name, format.Count(c.CorrectB), format.Count(c.Images), format.Percent(share(c.CorrectB, c.Images)))
	fmt.Fprintf(b, "   only A right: %s; only B right: %s\n", format.Count(c.Lost), format.Count(c.Won))
	fmt.Fprintf(b, "   B less A: %s pp, 95 %% interval %s to %s; exact McNemar %s", format.Points(c.Difference),
		format.Points(c.DifferenceInterval.Lo), format.Points(c.DifferenceInterval.Hi), probability(c.McNemarP, c.McNemarLog10))
	if of > 1 {
		fmt.Fprintf(b, ", corrected %s", format.Equation(c.HolmP))
	}
	fmt.Fprintf(b, "\n   %s\n", verdict(c))
	for _, w := range c.Warnings {
		fmt.Fprintf(b, "   note: %s\n", w)
	}
}

func verdict(c *record.Comparison) string {
	switch {
	case !c.Distinguishable:
		return "indistinguishable on these pictures (5 % level)"
	case c.Difference < 0:
		return "B is worse"
	}
	return "B is better"
}

// probability prints p, or its order of magnitude where that says more.
func probability(p, log10 float64) string {
	if log10 < -4 {
		return fmt.Sprintf("p = 10^%.1f", log10)
	}
	return format.Equation(p)
}

func share(k, n int) float64 { return float64(k) / float64(n) }

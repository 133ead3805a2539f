package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quantbench/harness/answers"
	"quantbench/harness/record"
	"quantbench/harness/stats"
	"quantbench/reports/internal/testrun"
)

// What is written is read again by the package that reads others' answers.
func TestAnswersAreRead(t *testing.T) {
	want := record.Answers{Cell: "c", Pictures: []string{"a.png", "b.png", "c.png"}, Labels: []int{3, 700, 0},
		Predictions: []record.Prediction{{Class: 3, Tied: 1, Best: true, Margin: 0.25}, {Class: 258, Tied: 1, Margin: 1}, {Class: 0, Tied: 1, Best: true}}}
	truth := &answers.Truth{Pictures: want.Pictures, Labels: want.Labels}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"mlperf": func(b *bytes.Buffer) error { return MLPerfLog(b, &want) },
		"jsonl":  func(b *bytes.Buffer) error { return Predictions(b, []record.Answers{want}) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		s, err := answers.Read(name, b.Bytes(), answers.Options{})
		if err != nil || string(s.Format) != name {
			t.Fatalf("%s: %v\n%s", name, err, b.String())
		}
		got, err := s.Match(truth, answers.Allow{})
		if err != nil {
			t.Fatal(err)
		}
		expect := want
		expect.Cell = ""
		if name == "mlperf" { // has no margins
			expect.Predictions = nil
			for _, p := range want.Predictions {
				p.Margin = 0
				expect.Predictions = append(expect.Predictions, p)
			}
		}
		if diff := cmp.Diff(&expect, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestComparisons(t *testing.T) {
	a, b := record.Named{ID: "aaaa", Name: "m / d / fp32"}, record.Named{ID: "bbbb", Name: "m / d / int8"}
	list := []record.Comparison{
		{A: a, B: b, Images: 1000, CorrectA: 900, CorrectB: 850, Lost: 80, Won: 30, Difference: -0.05, DifferenceInterval: stats.Interval{Lo: -0.07, Hi: -0.03}, McNemarP: 1e-6, McNemarLog10: -6, HolmP: 2e-6, Distinguishable: true},
		{A: b, B: a, Images: 1000, CorrectA: 850, CorrectB: 900, Lost: 30, Won: 80, Difference: 0.05, McNemarP: 0.001, McNemarLog10: -3, HolmP: 0.001, Distinguishable: true},
		{A: a, B: b, Images: 10, CorrectA: 9, CorrectB: 8, Lost: 1, McNemarP: 1, HolmP: 1, Warnings: []string{"few pictures"}},
	}
	var out bytes.Buffer
	if err := Comparisons(&out, list); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"aaaa  m / d / fp32: 900 of 1,000 right, 90.00 %", "only A right: 80; only B right: 30", "−5.00 pp, 95 % interval −7.00 to −3.00; exact McNemar p = 10^-6.0, corrected p < 0.0001",
		"B is worse", "B is better", "indistinguishable on these pictures", "note: few pictures", "2 of 3 pairs can be told apart"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := Comparisons(&out, list[2:]); err != nil || strings.Contains(out.String(), "corrected") || strings.Contains(out.String(), "pairs") {
		t.Errorf("one comparison speaks of a correction: %v\n%s", err, out.String())
	}
}

// Imported cells are in the reports without figures too.
func TestImportedRows(t *testing.T) {
	run := testrun.Foreign()
	for name, report := range map[string]Reporter{"terminal": Terminal, "markdown": Markdown, "csv": CSV, "json": JSON} {
		var b bytes.Buffer
		if err := report(&b, run); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"bfloat16 board", "TensorRT on T4", "Goya", "EdgeTPU"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		if (name == "terminal" || name == "markdown") && (strings.Contains(b.String(), "fp32") || !strings.Contains(b.String(), "reference")) {
			t.Errorf("%s speaks of fp32, or of no reference:\n%s", name, b.String())
		}
	}
}

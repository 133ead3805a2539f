package matrix_test

import (
	"slices"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/harness/stats"
	"quantbench/reports/internal/testrun"
	"quantbench/reports/matrix"
)

// pair makes an fp32 cell and one int8 cell with the given difference.
func pair(difference, lo, hi, p float64) []record.Cell {
	return []record.Cell{
		{ID: "ref", Model: "m", Dataset: "d", Runtime: "fp32", Status: record.OK, Images: 1000},
		{ID: "int8", Model: "m", Dataset: "d", Runtime: "nvdla-int8", Mode: "per-kernel", Calibrator: "minmax", Status: record.OK, Images: 1000,
			Reference: "ref", McNemarP: &p, Difference: difference, DifferenceInterval: stats.Interval{Lo: lo, Hi: hi}},
	}
}

func TestSentencesAndTitles(t *testing.T) {
	gate := func(v record.Verdict, needed int) []record.Gate {
		return []record.Gate{{Cell: "int8", Limit: -0.01, Verdict: v, Needed: needed}}
	}
	tests := []struct {
		name        string
		cells       []record.Cell
		gates       []record.Gate
		title, says string
	}{
		{"fail", pair(-0.0241, -0.0287, -0.0195, 1e-9), gate(record.Fail, 0), "The gate fails: m loses 2.41 pp on NVDLA int8 per-kernel", "loses 2.41 pp (95 % interval −2.87 to −1.95); the limit is 1.00."},
		{"pass, tied", pair(-0.0003, -0.0019, 0.0011, 0.77), gate(record.Pass, 0), "The gate passes", "cannot be told from fp32 (95 % interval −0.19 to +0.11); the limit is 1.00."},
		{"pass, loss", pair(-0.005, -0.007, -0.003, 0.001), gate(record.Pass, 0), "The gate passes", "loses 0.50 pp (95 % interval −0.70 to −0.30); the limit is 1.00."},
		{"pass, gain", pair(0.005, 0.003, 0.007, 0.001), gate(record.Pass, 0), "The gate passes", "gains 0.50 pp (95 % interval +0.30 to +0.70); the limit is 1.00."},
		{"open", pair(-0.009, -0.012, -0.006, 0.001), gate(record.Inconclusive, 40000), "No gate fails; one is inconclusive", "loses 0.90 pp (95 % interval −1.20 to −0.60); the limit of 1.00 lies inside. About 40,000 pictures would decide it, if the estimate holds."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := matrix.Of(&record.Run{Cells: tt.cells, Gates: tt.gates})
			if got := m.Title(); got != tt.title {
				t.Errorf("title %q, want %q", got, tt.title)
			}
			if got := m.Says(m.Gates()[0]); got != tt.says {
				t.Errorf("says %q, want %q", got, tt.says)
			}
		})
	}
}

func TestGateWithoutResult(t *testing.T) {
	cells := pair(-0.01, -0.02, 0, 0.04)
	cells[1].Status = record.Failed
	m := matrix.Of(&record.Run{Cells: cells, Gates: []record.Gate{{Cell: "int8", Verdict: record.Pass}, {Cell: "gone", Verdict: record.Pass}}})
	for i, want := range []string{"m", "cell gone"} {
		j := m.Gates()[i]
		if got, _ := m.Subject(j); got != want || j.Outcome() != record.Inconclusive || !strings.Contains(m.Says(j), "no result") {
			t.Errorf("gate %d: subject %q, outcome %s, says %q", i, got, j.Outcome(), m.Says(j))
		}
	}
	if got := m.Title(); got != "No gate fails; two are inconclusive" {
		t.Errorf("title %q", got)
	}
}

func TestNeutralTitles(t *testing.T) {
	for _, tt := range []struct {
		run  *record.Run
		want string
	}{
		{&record.Run{}, "No cell has a result"},
		{&record.Run{Cells: pair(0, 0, 0, 1)}, "m on d: int8 against fp32"},
		{&record.Run{Cells: pair(0, 0, 0, 1)[:1]}, "m on d: fp32"},
		{testrun.New(testrun.Shape{Models: []string{"a", "b", "c", "d"}, Datasets: []string{"x"}, Pictures: 50}), "a, b and two more on x: fp32"},
	} {
		if got := matrix.Of(tt.run).Title(); got != tt.want {
			t.Errorf("title %q, want %q", got, tt.want)
		}
	}
}

func TestOrderOfGates(t *testing.T) {
	m := matrix.Of(testrun.Whole())
	var outcomes []record.Verdict
	for _, j := range m.Gates() {
		outcomes = append(outcomes, j.Outcome())
	}
	want := slices.Clone(outcomes)
	rank := []record.Verdict{record.Fail, record.Inconclusive, record.Pass}
	slices.SortStableFunc(want, func(a, b record.Verdict) int { return slices.Index(rank, a) - slices.Index(rank, b) })
	if !slices.Equal(outcomes, want) {
		t.Errorf("order %v", outcomes)
	}
}

// TestHolm uses Holm's step-down by hand: 4 tests, p = 0.01, 0.04, 0.03, 0.005
// give 0.03, 0.06, 0.06, 0.02.
func TestHolm(t *testing.T) {
	var run record.Run
	for i, p := range []float64{0.01, 0.04, 0.03, 0.005} {
		c := pair(-0.01, -0.02, 0, p)[1]
		c.Calibrator = string(rune('a' + i))
		run.Cells = append(run.Cells, c)
	}
	m := matrix.Of(&run)
	i := 0
	for r := range m.Each {
		if want := []float64{0.03, 0.06, 0.06, 0.02}[i]; r.Adjusted < want-1e-12 || r.Adjusted > want+1e-12 {
			t.Errorf("test %d: adjusted p %v, want %v", i, r.Adjusted, want)
		}
		i++
	}
	if n := len(m.Differing()); n != 2 {
		t.Errorf("%d rows differ, want 2", n)
	}
	for range m.Each { // a loop that stops early must not go on
		break
	}
}

func TestPairsNeedDistance(t *testing.T) {
	near, far := pair(-0.01, -0.02, 0, 0.04)[1], pair(-0.10, -0.11, -0.09, 1e-9)[1]
	far.Calibrator = "entropy2"
	apart, n := matrix.Of(&record.Run{Cells: []record.Cell{near, far}}).Pairs()
	if n != 1 || len(apart) != 1 || apart[0].Worse.Calibrator != "entropy2" {
		t.Errorf("%d pairs, apart %v", n, apart)
	}
	far.Difference, far.DifferenceInterval = -0.025, stats.Interval{Lo: -0.035, Hi: -0.015}
	if apart, _ := matrix.Of(&record.Run{Cells: []record.Cell{near, far}}).Pairs(); len(apart) != 0 {
		t.Errorf("a distance of 1.5 points between intervals of one point each is told apart: %v", apart)
	}
	if _, n := matrix.Of(&record.Run{}).Pairs(); n != 0 {
		t.Errorf("%d pairs in an empty run", n)
	}
}

func TestNames(t *testing.T) {
	cells := pair(0, 0, 0, 1)
	cells[1].Target = "nv_small"
	other := cells[1]
	other.ID, other.Target, other.Mode = "x", "nv_large", "per-filter"
	strange := cells[1]
	strange.ID, strange.Runtime, strange.Mode = "y", "onnx-int8", ""
	m := matrix.Of(&record.Run{Cells: append(cells, other, strange)})
	var names []string
	for _, r := range m.Groups[0].Rows {
		names = append(names, r.Name()+"|"+r.Short()+"|"+r.Tiny())
	}
	want := []string{"fp32|fp32|fp32", "NVDLA int8 per-filter, nv_large|NVDLA per-filter, nv_large|per-filter, nv_large",
		"NVDLA int8 per-kernel, nv_small|NVDLA per-kernel, nv_small|per-kernel, nv_small", "onnx-int8, nv_small|onnx-int8, nv_small|onnx-int8, nv_small"}
	if !slices.Equal(names, want) {
		t.Errorf("names %q", names)
	}
}

func TestLede(t *testing.T) {
	near, far := pair(-0.001, -0.003, 0.001, 0.4), pair(-0.02, -0.025, -0.015, 1e-9)
	far[1].ID, far[1].Mode = "far", "per-filter"
	failed := far[1]
	failed.ID, failed.Status = "failed", record.Failed
	gates := []record.Gate{{Cell: "int8", Limit: -0.001, Verdict: record.Inconclusive}}
	for _, tt := range []struct {
		run  record.Run
		want string
	}{
		{record.Run{}, ""},
		{record.Run{Cells: near}, "The int8 cell cannot be told from fp32 on the same pictures (paired test, 5 % level)."},
		{record.Run{Cells: append(near, far[1], failed), Gates: gates},
			"With minmax, m on NVDLA int8 per-kernel cannot be told from fp32. One of two int8 cells differs from fp32 on the same pictures (paired test, Holm-corrected, 5 % level); the largest loss is 2.00 pp, m on NVDLA int8 per-filter with minmax. For one gate the pictures do not decide. One cell failed; the reasons stand below the table."},
	} {
		if got := matrix.Of(&tt.run).Lede(); got != tt.want {
			t.Errorf("lede\n%q, want\n%q", got, tt.want)
		}
	}
}

func TestGatesOfSeveralCalibrators(t *testing.T) {
	cells := pair(-0.05, -0.06, -0.04, 1e-9)
	second := cells[1]
	second.ID, second.Calibrator, second.Difference = "two", "entropy2", -0.03
	m := matrix.Of(&record.Run{Cells: append(cells, second), Gates: []record.Gate{{Cell: "two", Limit: -0.01, Verdict: record.Fail}, {Cell: "int8", Limit: -0.01, Verdict: record.Fail}}})
	if got, want := m.Title(), "Both gates fail: m loses 5.00 pp on NVDLA int8 per-kernel with minmax"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	m = matrix.Of(&record.Run{Cells: append(cells, second), Gates: []record.Gate{{Cell: "two", Verdict: record.Pass}, {Cell: "int8", Verdict: record.Pass}}})
	if got := m.Title(); got != "Both gates pass" {
		t.Errorf("title %q", got)
	}
}

func TestGroups(t *testing.T) {
	m := matrix.Of(testrun.New(testrun.Shape{Models: []string{"a", "b"}, Datasets: []string{"x", "y"}, Calibrators: []string{"entropy2", "minmax"}, Pictures: 50}))
	if len(m.Groups) != 4 || m.Name(m.Groups[1]) != "a on y" || m.Main != "entropy2" || m.Count(record.OK) != 28 {
		t.Errorf("groups %d, second %q, main %q, ok %d", len(m.Groups), m.Name(m.Groups[1]), m.Main, m.Count(record.OK))
	}
	g := m.Groups[0]
	if ref, ok := g.Reference(); !ok || ref.Series != matrix.FP32 {
		t.Error("the group has no reference")
	}
	if n := len(g.With("minmax", true)); n != 4 {
		t.Errorf("%d rows with minmax and fp32, want 4", n)
	}
	if _, ok := (matrix.Group{}).Reference(); ok {
		t.Error("an empty group has a reference")
	}
	if len(m.Classes("x")) != 10 || m.Classes("unknown") != nil {
		t.Error("classes of a dataset are lost or made up")
	}
}

package matrix_test

import (
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/matrix"
)

// TestAlike: cells of several settings with the same answers share a row, count
// as one test, and keep a latency only if it is theirs in common.
func TestAlike(t *testing.T) {
	p := 0.01
	cell := func(id, target, profile, answers string, seconds float64) record.Cell {
		return record.Cell{ID: id, Model: "m", Dataset: "d", Runtime: "nvdla-int8", Mode: "per-filter", Target: target, Profile: profile, Calibrator: "minmax",
			Status: record.OK, Images: 10, Answers: answers, McNemarP: &p, Latency: &record.Latency{Kind: record.Modelled, Seconds: seconds}}
	}
	m := matrix.Of(&record.Run{Cells: []record.Cell{
		cell("1", "nv_small", "basic", "a", 4), cell("2", "nv_small", "fast-math", "b", 3), cell("3", "nv_small", "default", "b", 3),
		cell("4", "nv_full", "basic", "a", 2), cell("5", "nv_full", "fast-math", "b", 1), cell("6", "nv_full", "default", "c", 1),
	}})
	rows := m.Groups[0].Rows
	want := map[string]string{"1": "all targets, basic", "2": "nv_small, fast-math; nv_small, default; nv_full, fast-math", "6": "nv_full, default"}
	if len(rows) != len(want) || m.Tests() != 3 {
		t.Fatalf("%d rows and %d tests, want 3", len(rows), m.Tests())
	}
	for _, r := range rows {
		if r.Variant != want[r.ID] {
			t.Errorf("row %s stands for %q, want %q", r.ID, r.Variant, want[r.ID])
		}
		if (r.Latency == nil) != (len(r.Same) > 0) {
			t.Errorf("row %s of %d cells has the latency %v", r.ID, 1+len(r.Same), r.Latency)
		}
		if r.Adjusted != 3*p {
			t.Errorf("row %s: Holm p %v, want three times %v", r.ID, r.Adjusted, p)
		}
	}
	if r, ok := m.Row("5"); !ok || r.ID != "2" {
		t.Errorf("cell 5 has the row %s, want that of cell 2", r.ID)
	}
}

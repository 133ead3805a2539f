package matrix_test

import (
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
	"quantbench/reports/matrix"
)

func TestBase(t *testing.T) {
	m := matrix.Of(testrun.Imported())
	if m.Base() != "fp32" || m.Noun() != "cell" || len(m.Calibrators) != 2 || len(m.Imported()) != 6 {
		t.Errorf("base %q, noun %q, calibrators %v", m.Base(), m.Noun(), m.Calibrators)
	}
	for _, g := range m.Groups {
		ref, ok := g.Reference()
		if !ok || ref.Imported != nil || !ref.Base {
			t.Errorf("%s: an imported fp32 took the place of ours", g.Model)
		}
		if n := len(g.With("entropy2", false)); n != 6 {
			t.Errorf("%d rows with entropy2 and imported, want 3 and 3", n)
		}
	}
	if m := matrix.Of(testrun.Whole()); m.Base() != "fp32" || m.Noun() != "int8 cell" || m.Imported() != nil {
		t.Errorf("own cells: %q, %q", m.Base(), m.Noun())
	}
	if m := matrix.Of(testrun.Foreign()); m.Base() != "bfloat16 board (imported)" || m.Title() != "tiny5 on invented: cells against bfloat16 board (imported)" {
		t.Errorf("%q, %q", m.Base(), m.Title())
	}
}

// Groups with references of their own share no name for them.
func TestBasesOfGroups(t *testing.T) {
	cell := func(id, model, runtime, reference string) record.Cell {
		p := 0.5
		c := record.Cell{ID: id, Model: model, Dataset: "d", Runtime: runtime, Status: record.OK, Images: 10, Reference: reference, Imported: &record.Imported{File: id}}
		if reference != "" {
			c.McNemarP = &p
		}
		return c
	}
	cells := []record.Cell{cell("a", "m", "int8", "b"), cell("b", "m", "bf16", ""), cell("c", "n", "fp16", ""), cell("d", "n", "int8", "c"), cell("e", "o", "alone", "")}
	m := matrix.Of(&record.Run{Cells: cells})
	if m.Base() != "the reference" {
		t.Errorf("%q", m.Base())
	}
	for i, want := range []string{"b", "c", ""} {
		ref, ok := m.Groups[i].Reference()
		if ok != (want != "") || ok && ref.ID != want {
			t.Errorf("group %d: %v", i, ref.Cell)
		}
	}
}

package harness

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quantbench/harness/doctor"
	"quantbench/harness/record"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

func TestSaturation(t *testing.T) {
	layers := []record.LayerError{
		{Layer: "fine", SQNR: 40, Saturation: 0.02},
		{Layer: "noisy", SQNR: 5, Saturation: 0.001},
		{Layer: "clipped", SQNR: 6.7, Saturation: 0.095},
		{Layer: "after", SQNR: 6, Saturation: 0.05},
	}
	got := saturation(layers)
	if len(got) != 1 || got[0].Where != "clipped" || !strings.Contains(got[0].Fact, "9.5 % of the elements") {
		t.Errorf("%+v", got)
	}
	if got := saturation(layers[:2]); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestWarningFinding(t *testing.T) {
	w := &lower.Warning{Layer: &models.Layer{Name: "sum", Pos: models.Pos{File: "p", Line: 7}}, Kind: lower.EltwiseOverride, Text: "costs"}
	if f := warningFinding(w); f.Code != doctor.CodeOf(lower.EltwiseOverride) || !strings.HasPrefix(f.Code, "NV") || f.Where != "p:7: sum" || f.Advice == "" {
		t.Errorf("%+v", f)
	}
	if f := warningFinding(errors.New("x")); f.Code != "RT001" {
		t.Errorf("%+v", f)
	}
}

func TestMerged(t *testing.T) {
	got := merged([]record.Finding{
		{Code: "A", Fact: "one", Where: "x"}, {Code: "B", Fact: "alone"}, {Code: "A", Fact: "two", Where: "y"}, {Code: "A", Fact: "three", Advice: "other"},
	})
	want := []record.Finding{{Code: "A", Fact: "2 times: one; two", Where: "x and 1 more"}, {Code: "B", Fact: "alone"}, {Code: "A", Fact: "three", Advice: "other"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

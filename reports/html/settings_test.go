package html

import (
	"fmt"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

// settingsRun is an invented run with two targets and two profiles: the target
// changes no answer, the profile does.
func settingsRun() *record.Run {
	r := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2"}, Pictures: 500})
	var cells []record.Cell
	for _, c := range r.Cells {
		if c.Runtime != "nvdla-int8" {
			cells = append(cells, c)
			continue
		}
		for i, profile := range []string{"basic", "fast-math"} {
			for j, target := range []string{"nv_small", "nv_large"} {
				x := c
				x.ID = fmt.Sprintf("%s%d%d", c.ID[:10], i, j)
				x.Profile, x.Target, x.Answers, x.Program = profile, target, c.Mode+profile, fmt.Sprint(c.Mode, profile, target, " of the compiler")
				if i == 0 {
					x.Correct, x.Top1, x.Difference = x.Correct-200, x.Top1-0.4, x.Difference-0.4
				}
				x.Cycles = inventedCycles(1000 * float64(5-i-2*j))
				cells = append(cells, x)
			}
		}
	}
	r.Cells = cells
	r.Certificates = []record.Certificate{
		{File: "one.json", Target: "nv_small", Program: "per-filter" + "basic" + "nv_small" + " of the compiler", Source: "deploy.prototxt", Pictures: 7, Equal: 7, Elements: 70, Conclusion: "0 mismatches in 7 pictures"},
		{File: "other.json", Target: "nv_full", Program: "another", Source: "other.nvdla", Pictures: 2, Equal: 1, Mismatches: 1, Elements: 20, Conclusion: "1 mismatches in 2 pictures"},
	}
	return r
}

func inventedCycles(total float64) *record.Cycles {
	return &record.Cycles{ClockHz: 1e9, Bandwidth: 1e9, Multipliers: 64, Hardware: 3, Total: total, Assumptions: []string{"invented", "nowhere", "one after the other", "no softmax"},
		Operations: []record.OperationCycles{
			{Layer: "conv1", Kind: "conv", MACs: 20000, Bytes: 400, Cycles: 0.6 * total, Bound: "multipliers"},
			{Layer: "ip1", Kind: "conv", MACs: 300, Bytes: 300, Cycles: 0.3 * total, Bound: "memory"},
			{Layer: "pool1", Kind: "pdp", Bytes: 100, Cycles: 0.1 * total, Bound: "elements"},
			{Layer: "prob", Kind: "softmax", Bound: "cpu, not modelled"},
		}}
}

func TestSettings(t *testing.T) {
	page := write(t, settingsRun())
	for _, want := range []string{
		`<section id="settings"><h2>NVDLA settings</h2>`, "worst is per-kernel with basic, best per-filter with fast-math; the target changes no answer",
		"NVDLA int8 per-filter, all targets, basic", "<td>per-filterba</td>", // two cells, one row; the program's fingerprint
		`<section id="cycles"><h2>NVDLA cycles, modelled</h2>`, "nv_small uses",
		"conv1 takes 60.0 % on nv_small, bound by multipliers", "Modelled, not measured: one after the other; no softmax.",
		`<section id="certificates"><h2>Compared with a device</h2>`, "deploy.prototxt on nv_small: 7 of 7 recorded pictures equal in every element, the program of 1 cell here",
		"other.nvdla on nv_full: 1 of 2 recorded pictures equal in every element, the program of no cell here", "0 mismatches in 7 pictures. A certificate speaks",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page, "NVDLA int8 per-filter, all targets, basic"); n == 0 || strings.Contains(page, "NVDLA int8 per-filter, nv_small, basic") {
		t.Errorf("cells with the same answers do not share a row")
	}
}

// A run with one profile and target has the cycles, but nothing to compare.
func TestSettingsOfOneKind(t *testing.T) {
	r := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2"}, Pictures: 100})
	for i := range r.Cells {
		if r.Cells[i].Runtime == "nvdla-int8" {
			r.Cells[i].Cycles = inventedCycles(1000)
		}
	}
	page := write(t, r)
	if strings.Contains(page, `id="settings"`) || strings.Contains(page, `id="certificates"`) || !strings.Contains(page, `id="cycles"`) {
		t.Error("want a section on cycles, and none on settings and certificates")
	}
}

func TestSettingsInBrowser(t *testing.T) {
	b := open(t, write(t, settingsRun()))
	for _, scheme := range []string{"light", "dark"} {
		b.media(t, "screen", scheme)
		b.settle(t)
		b.checkCharts(t, scheme)
	}
	b.width(t, 400)
	b.settle(t)
	b.checkCharts(t, "narrow")
	b.checkQuiet(t)
}

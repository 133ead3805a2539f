package html

import (
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

func TestAnalysisPage(t *testing.T) {
	page := write(t, testrun.WithAnalysis(testrun.Whole()))
	for _, part := range []string{`id="causes"`, `id="sensitivity"`, `id="local"`, "adds the most error of its own", "Where the accuracy goes", "loses most, ", "its costliest step is", "alone in int8", "costs most, ", "add up to the measured difference"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	if plain := write(t, testrun.Whole()); strings.Contains(plain, `id="causes"`) || strings.Contains(plain, `id="sensitivity"`) {
		t.Error("a run without analysis has the sections")
	}
}

// Where nothing is lost and nothing stands out, the titles say so.
func TestAnalysisWithoutFindings(t *testing.T) {
	r := testrun.WithAnalysis(testrun.Whole())
	for i := range r.Cells {
		a := r.Cells[i].Analysis
		if a == nil {
			continue
		}
		a.Waterfall.End = a.Waterfall.Start
		for j := range a.Sensitivity.Layers {
			a.Sensitivity.Layers[j].Only = record.Mixed{}
		}
	}
	page := write(t, r)
	for _, part := range []string{"no int8 cell has fewer pictures right than fp32", "no layer alone in int8 can be told from fp32"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	// A cell whose analysis failed has neither.
	for i := range r.Cells {
		if r.Cells[i].Analysis != nil {
			r.Cells[i].Analysis = &record.Analysis{Reason: "invented"}
		}
	}
	if page := write(t, r); strings.Contains(page, `id="causes"`) {
		t.Error("a failed analysis is drawn")
	}
}

// TestAnalysisInBrowser draws the sections in both schemes and on a phone.
func TestAnalysisInBrowser(t *testing.T) {
	b := open(t, write(t, testrun.WithAnalysis(testrun.Whole())))
	for _, scheme := range []string{"light", "dark"} {
		b.media(t, "screen", scheme)
		b.checkCharts(t, scheme)
		b.checkWidth(t, 1280)
		b.keep(t, "analysis-"+scheme+".png")
	}
	b.width(t, 400)
	b.checkWidth(t, 400)
	b.checkQuiet(t)
}

package html

import (
	"fmt"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

func bakeoffRun() *record.Run {
	var calibrators []string
	for i := range 13 {
		calibrators = append(calibrators, fmt.Sprintf("calibrator-%d", i+1))
	}
	return testrun.WithBakeoff(testrun.Whole(), calibrators)
}

func TestBakeoffPage(t *testing.T) {
	page := write(t, bakeoffRun())
	for _, part := range []string{`id="bakeoff"`, "pairs of calibrators can be told apart", "Holm’s method", "calibrator-13", "lies further below, on an axis apart",
		"tiny5 on NVDLA per-filter: with 500 pictures calibrators scatter by"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	if n := strings.Count(page, `@f.band`); n < 4 {
		t.Errorf("%d bands", n)
	}
	if len(page) > 2_000_000 {
		t.Errorf("page has %d bytes", len(page))
	}
}

// TestBakeoffInBrowser draws the section in both schemes and on a phone.
func TestBakeoffInBrowser(t *testing.T) {
	b := open(t, write(t, bakeoffRun()))
	for _, scheme := range []string{"light", "dark"} {
		b.media(t, "screen", scheme)
		b.checkCharts(t, scheme)
		b.checkWidth(t, 1280)
		if n := eval[int](t, b, `document.querySelectorAll('#bakeoff .chart svg path[fill-opacity="0.13"]').length`); n == 0 {
			t.Errorf("%s: no band is drawn", scheme)
		}
		b.keep(t, "bakeoff-"+scheme+".png")
	}
	b.width(t, 400)
	b.checkWidth(t, 400)
	b.keep(t, "bakeoff-400.png")
	b.checkQuiet(t)
}

package html

import (
	"math"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

func TestRangesPage(t *testing.T) {
	page := write(t, testrun.WithActivations(testrun.Whole()))
	for _, part := range []string{`id="ranges"`, "tiny5: calibrators disagree most on", "tiny18: calibrators disagree most on", "of the largest, %"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
}

// TestBeyond counts what lies to the right of a threshold: whole bins, parts of
// one, nothing.
func TestBeyond(t *testing.T) {
	r := ranged{ActivationRow: record.ActivationRow{Top: 8, Values: 100, Least: 10, Counts: []uint64{40, 30, 20}}, edges: []int{1, 2, 4, 8}}
	for _, c := range []struct{ at, want float64 }{{1, 0.9}, {2, 0.5}, {3, 0.35}, {4, 0.2}, {7, 0.05}, {8, 0}, {9, 0}} {
		if got := r.beyond(c.at); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("beyond %v: %v, want %v", c.at, got, c.want)
		}
	}
}

// TestRangesInBrowser draws the section in both schemes and on a phone.
func TestRangesInBrowser(t *testing.T) {
	b := open(t, write(t, testrun.WithActivations(testrun.Whole())))
	for _, scheme := range []string{"light", "dark"} {
		b.media(t, "screen", scheme)
		b.checkCharts(t, scheme)
		b.checkWidth(t, 1280)
		b.keep(t, "ranges-"+scheme+".png")
	}
	b.width(t, 400)
	b.checkWidth(t, 400)
	b.checkQuiet(t)
}

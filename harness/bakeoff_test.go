package harness

import (
	"math"
	"strings"
	"testing"

	"quantbench/harness/record"
)

// TestBakeoff holds the summary of a sweep against its cells.
func TestBakeoff(t *testing.T) {
	text := strings.Replace(swept, "calibrator: [minmax, entropy2]", "calibrator: [trt-s7310, minmax, entropy2]", 1)
	run := mustRun(t, experiment(t, t.TempDir(), strings.Replace(text, "\n  exclude: [{images: 60, subset: 2}]", "", 1), nil))
	if run.Bakeoff == nil || len(run.Bakeoff.Lines) != 1 {
		t.Fatalf("bakeoff %+v", run.Bakeoff)
	}
	l := run.Bakeoff.Lines[0]
	if l.Runtime != NVDLA || l.Images != 128 || l.Reference != run.Cells[0].Top1 || l.Main != 60 || l.Subsets != 2 || l.Share != 60.0/2000 {
		t.Errorf("line %+v", l)
	}
	if len(l.Points) != 9 || len(l.Pairs) != 3 {
		t.Fatalf("%d points, %d pairs", len(l.Points), len(l.Pairs))
	}
	means := map[string]float64{}
	for _, p := range l.Points {
		var correct []int
		sum := 0
		for _, c := range run.Cells {
			if c.Calibrator == p.Calibrator && c.Calibration != nil && c.Calibration.Images == p.Calibration {
				correct, sum = append(correct, c.Correct), sum+c.Correct
			}
		}
		if len(p.Correct) != 2 || p.Correct[0] != correct[0] || p.Correct[1] != correct[1] {
			t.Errorf("%s with %d: %v correct, the cells have %v", p.Calibrator, p.Calibration, p.Correct, correct)
		}
		mean := float64(sum) / 256
		if math.Abs(p.Mean-mean) > 1e-12 || p.Interval == nil || !p.Interval.Contains(mean) || !p.Range.Contains(mean) {
			t.Errorf("%s with %d: %+v, mean %v", p.Calibrator, p.Calibration, p, mean)
		}
		if p.Calibration == 60 {
			means[p.Calibrator] = mean
		}
	}
	for _, p := range l.Pairs {
		if math.Abs(p.Difference-(means[p.Better]-means[p.Worse])) > 1e-12 || p.Difference < 0 || !p.Interval.Contains(p.Difference) || p.Adjusted < p.P {
			t.Errorf("pair %+v; the means are %v", p, means)
		}
	}
	grouped := map[string]bool{}
	for _, g := range l.Groups {
		for _, name := range g {
			grouped[name] = true
		}
	}
	if len(grouped) != 3 || l.Groups[0][0] != l.Pairs[0].Better {
		t.Errorf("groups %v", l.Groups)
	}
}

// Without subsets there is one calibration, and the test is McNemar's.
func TestBakeoffInOrder(t *testing.T) {
	run := mustRun(t, experiment(t, t.TempDir(), strings.NewReplacer("subsets: 2, ", "", "\n  exclude: [{images: 60, subset: 2}]", "").Replace(swept), nil))
	l := run.Bakeoff.Lines[0]
	if l.Subsets != 1 || l.Share != 0 || len(l.Points) != 6 || len(l.Pairs) != 1 {
		t.Fatalf("line %+v", l)
	}
	if p := l.Pairs[0]; p.P != p.McNemarP || p.DF != 0 || p.Difference != float64(p.Won-p.Lost)/128 {
		t.Errorf("pair %+v", p)
	}
	if p := l.Points[0]; p.Interval != nil || p.Deviation != 0 {
		t.Errorf("one subset has no spread: %+v", p)
	}
}

// A run of one calibration has no bake-off.
func TestNoBakeoff(t *testing.T) {
	var run record.Run = *mustRun(t, experiment(t, t.TempDir(), "version: 1\nmodels: [lenet5]\ndatasets: [{name: fashion-mnist, images: 64, calibration: {images: 20}}]\n", nil))
	if run.Bakeoff != nil {
		t.Errorf("%+v", run.Bakeoff)
	}
}

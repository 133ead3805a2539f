package harness

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quantbench/harness/record"
)

const swept = `
version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 128, calibration: {images: [20, 40, 60], subsets: 2, batch: 20}}]
matrix:
  runtime: [fp32, nvdla-int8]
  calibrator: [minmax, entropy2]
  exclude: [{images: 60, subset: 2}]
`

// The order is part of every key, so it must never change: the numbers are those
// of an independent PCG-DXSM.
func TestDrawIsFixed(t *testing.T) {
	if diff := cmp.Diff([]int{0, 9, 6, 3, 1, 8, 5, 7, 4, 2}, draw(10, 10, 1, 1)); diff != "" {
		t.Error(diff)
	}
}

func TestDraw(t *testing.T) {
	large := draw(2000, 1000, 7, 3)
	if !slices.Equal(draw(2000, 100, 7, 3), large[:100]) {
		t.Error("100 pictures are not the first of 1000 of the same subset")
	}
	sorted := slices.Sorted(slices.Values(large))
	if len(slices.Compact(sorted)) != 1000 || sorted[0] < 0 || sorted[999] > 1999 {
		t.Error("a picture is drawn twice, or from outside")
	}
	common := 0
	for _, i := range draw(2000, 1000, 7, 4) {
		if _, ok := slices.BinarySearch(sorted, i); ok {
			common++
		}
	}
	if common < 430 || common > 570 { // 500 with a deviation of 11
		t.Errorf("two subsets of half of the pictures share %d of 1000", common)
	}
	counts := make([]int, 5)
	for subset := range 5000 {
		counts[draw(5, 1, 1, subset)[0]]++
	}
	for i, n := range counts {
		if n < 850 || n > 1150 { // 1000 with a deviation of 28
			t.Errorf("picture %d comes first %d times of 5000; 1000 are expected", i, n)
		}
	}
}

func TestSweepExpands(t *testing.T) {
	var got []string
	for _, p := range parse(t, swept).Expand() {
		if p.Runtime == FP32 {
			got = append(got, p.Runtime)
			continue
		}
		got = append(got, p.Calibrator+" "+p.Images+" "+p.Subset)
	}
	want := []string{FP32, "minmax 20 1", "entropy2 20 1", "minmax 40 1", "entropy2 40 1", "minmax 60 1", "entropy2 60 1",
		"minmax 20 2", "entropy2 20 2", "minmax 40 2", "entropy2 40 2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A single number of pictures is no axis: the points and the keys are those of a
// configuration that never heard of sweeps.
func TestOneNumberIsNoSweep(t *testing.T) {
	e := experiment(t, t.TempDir(), small, nil)
	for _, c := range e.Plan() {
		if c.Point.Images != "" || c.Point.Subset != "" || strings.Contains(c.Point.String(), "pictures") {
			t.Errorf("point %+v", c.Point)
		}
	}
	n, err := e.network("lenet5")
	if err != nil {
		t.Fatal(err)
	}
	k, err := e.calibrationKey(n, Point{Model: "lenet5", Dataset: "fashion-mnist"})
	if err != nil {
		t.Fatal(err)
	}
	if got := k[4]; got != (record.KeyPart{Name: "images", Value: "0:40"}) {
		t.Errorf("key part %+v", got)
	}
}

func TestSweepErrors(t *testing.T) {
	for _, c := range []struct{ calibration, want string }{
		{"{images: [100, 50]}", "test.yaml:3:47: images has 50 after 100"},
		{"{images: [20, 40], batch: 15}", "20, which ends within a batch of 15"},
		{"{images: [0, 50]}", "images has a 0 among several numbers"},
		{"{images: -5}", "images is -5"},
		{"{subsets: 3, from: 10}", "from and subsets exclude each other"},
		{"{subsets: -1}", "cannot be negative"},
		{"{subsets: 1000000000}", "subsets is 1000000000; at most 1000"},
	} {
		_, err := ParseConfig("test.yaml", []byte("version: 1\nmodels: [lenet5]\ndatasets: [{name: fashion-mnist, calibration: "+c.calibration+"}]\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.calibration, err, c.want)
		}
	}
	for _, c := range []struct{ exclude, want string }{
		{"{images: 30}", `unknown images "30"`}, {"{subset: 3}", `unknown subset "3"`},
	} {
		text := strings.Replace(swept, "{images: 60, subset: 2}", c.exclude, 1)
		if _, err := ParseConfig("test.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("exclude %s: error %v, want %q", c.exclude, err, c.want)
		}
	}
}

// TestSweepRuns runs a sweep, and each of its calibrations by itself: the
// predictions are the same, whatever was calibrated beside it.
func TestSweepRuns(t *testing.T) {
	dir := t.TempDir()
	run := mustRun(t, experiment(t, dir, swept, nil))
	if len(run.Cells) != 11 || len(run.Tables) != 2 {
		t.Fatalf("%d cells, %d tables", len(run.Cells), len(run.Tables))
	}
	stand := 0
	for _, c := range run.Cells {
		if c.Status != record.OK {
			t.Errorf("%+v: %s", c.Calibration, c.Reason)
		}
		if c.Runtime == FP32 {
			continue
		}
		if c.Stands() {
			stand++
			if c.Calibration.Images != 60 || c.Calibration.Subset != 1 || len(c.Layers) == 0 || c.Latency == nil {
				t.Errorf("%+v stands, with %d layers", c.Calibration, len(c.Layers))
			}
		} else if len(c.Layers)+len(c.Confusion)+len(c.Flips) > 0 || c.Latency != nil {
			t.Errorf("%+v carries details", c.Calibration)
		}
	}
	if stand != 2 {
		t.Errorf("%d cells stand, want one a calibrator", stand)
	}
	alone := strings.NewReplacer("[20, 40, 60]", "[20, 40]").Replace(strings.Replace(swept, "{images: 60, subset: 2}", "{images: 20}", 1))
	other := mustRun(t, experiment(t, t.TempDir(), alone, nil))
	for _, c := range other.Cells {
		i := slices.IndexFunc(run.Cells, func(d record.Cell) bool {
			return d.Calibrator == c.Calibrator && (c.Calibration == nil) == (d.Calibration == nil) &&
				(c.Calibration == nil || d.Calibration.Images == c.Calibration.Images && d.Calibration.Subset == c.Calibration.Subset)
		})
		if i < 0 || run.Cells[i].Correct != c.Correct {
			t.Errorf("%s %+v: %d correct alone, cell %d of the sweep", c.Calibrator, c.Calibration, c.Correct, i)
		}
	}
}

// A sweep that is interrupted goes on, and gives the same bytes.
func TestSweepResumes(t *testing.T) {
	want := asJSON(t, mustRun(t, experiment(t, t.TempDir(), swept, nil)))
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := 0
	first := experiment(t, dir, swept, func(ev Event) {
		if ev.Kind == CellDone {
			if done++; done == 4 {
				cancel()
			}
		}
	})
	if _, err := first.Run(ctx); err == nil {
		t.Fatal("the run was not interrupted")
	}
	cached := 0
	got := asJSON(t, mustRun(t, experiment(t, dir, swept, func(ev Event) {
		if ev.Kind == CellCached {
			cached++
		}
	})))
	if cached != 4 || !bytes.Equal(want, got) {
		t.Errorf("%d cells of 4 were kept; the same bytes: %v", cached, bytes.Equal(want, got))
	}
}

package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quantbench/harness/record"
)

// stepClock advances by a millisecond at every look, so that latencies are known.
type stepClock struct{ t time.Time }

func (c *stepClock) Now() time.Time {
	c.t = c.t.Add(time.Millisecond)
	return c.t
}

const small = `
version: 1
title: small
models: [lenet5]
datasets: [{name: fashion-mnist, images: 128, calibration: {images: 40, batch: 20}}]
matrix:
  runtime: [fp32, tensorrt-int8, nvdla-int8]
  calibrator: [minmax, {name: percentile, percent: 99.9}]
  mode: [per-filter, per-kernel]
gate: {max_loss: 5}
`

func experiment(t *testing.T, dir, text string, observe func(Event)) *Experiment {
	t.Helper()
	store, err := record.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	env := Environment{Getenv: func(string) string { return "" }, Clock: &stepClock{}, Jobs: 2, Observe: observe}
	return New(parse(t, text), env, store)
}

func mustRun(t *testing.T, e *Experiment) *record.Run {
	t.Helper()
	run, err := e.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func asJSON(t *testing.T, run *record.Run) []byte {
	t.Helper()
	b, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The journey in memory: every cell has a result, the quantized ones a
// comparison, and each latency its kind.
func TestRun(t *testing.T) {
	run := mustRun(t, experiment(t, t.TempDir(), small, nil))
	if len(run.Cells) != 1+2+4 {
		t.Fatalf("%d cells", len(run.Cells))
	}
	reference := run.Cells[0].ID
	for _, c := range run.Cells {
		if c.Status != record.OK || c.Images != 128 || c.Correct < 100 || !c.Interval.Contains(c.Top1) {
			t.Errorf("%s %s: %s, %d of %d", c.Runtime, c.Calibrator, c.Status, c.Correct, c.Images)
		}
		total := 0
		for label, row := range c.Confusion {
			for predicted, n := range row {
				total += n
				if label == predicted {
					continue
				}
			}
		}
		if total != c.Images {
			t.Errorf("the confusion matrix holds %d of %d pictures", total, c.Images)
		}
		switch kind := c.Latency.Kind; c.Runtime {
		case FP32:
			if kind != record.Measured || c.Latency.Seconds != 0.001 || c.Reference != "" || c.McNemarP != nil {
				t.Errorf("fp32: %+v, reference %q", c.Latency, c.Reference)
			}
			continue
		case TensorRT:
			if kind != record.Emulated {
				t.Errorf("TensorRT's latency is %s", kind)
			}
		case NVDLA:
			if kind != record.Modelled || !strings.Contains(c.Latency.Note, "nv_small") {
				t.Errorf("NVDLA's latency is %+v", c.Latency)
			}
		}
		if c.Reference != reference || c.McNemarP == nil || len(c.Layers) == 0 {
			t.Errorf("%s %s: reference %q, %d layers", c.Runtime, c.Calibrator, c.Reference, len(c.Layers))
		}
		if c.Correct-run.Cells[0].Correct != c.Won-c.Lost {
			t.Errorf("%s: won %d, lost %d, but %d against %d correct", c.Runtime, c.Won, c.Lost, c.Correct, run.Cells[0].Correct)
		}
	}
	if len(run.Gates) != 6 || len(run.Models) != 1 || len(run.Datasets) != 1 || len(run.Tables) != 2 {
		t.Errorf("%d gates, %d models, %d datasets, %d tables", len(run.Gates), len(run.Models), len(run.Datasets), len(run.Tables))
	}
}

// The result does not depend on the number of jobs.
func TestRunJobs(t *testing.T) {
	one := experiment(t, t.TempDir(), small, nil)
	one.env.Jobs = 1
	want := asJSON(t, mustRun(t, one))
	if got := asJSON(t, mustRun(t, experiment(t, t.TempDir(), small, nil))); !bytes.Equal(got, want) {
		t.Error("one job and two give different results")
	}
}

// A run that is interrupted after any number of cells and started again ends as
// if nothing had happened, and does not repeat what was done.
func TestInterruptAndResume(t *testing.T) {
	want := asJSON(t, mustRun(t, experiment(t, t.TempDir(), small, nil)))
	dir := t.TempDir()
	for stop := 1; stop <= 3; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		done := 0
		e := experiment(t, dir, small, func(ev Event) {
			if ev.Kind == CellDone {
				if done++; done == 2 {
					cancel()
				}
			}
		})
		if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted run: %v", err)
		}
		cancel()
	}
	cached, ran := 0, 0
	got := asJSON(t, mustRun(t, experiment(t, dir, small, func(ev Event) {
		switch ev.Kind {
		case CellCached:
			cached++
		case CellDone:
			ran++
		}
	})))
	if !bytes.Equal(got, want) {
		t.Error("the resumed run gives another result")
	}
	if cached != 6 || ran != 1 {
		t.Errorf("%d cells from the store, %d run; want 6 and 1", cached, ran)
	}
}

// A damaged entry of the store is made again.
func TestDamagedStore(t *testing.T) {
	dir := t.TempDir()
	want := asJSON(t, mustRun(t, experiment(t, dir, small, nil)))
	for _, pattern := range []string{"cells/*/*/cell.json", "cells/*/*/predictions.bin", "calibrations/*/*/*", "tables/*/*/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		if err := os.WriteFile(files[0], []byte("cut"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := asJSON(t, mustRun(t, experiment(t, dir, small, nil))); !bytes.Equal(got, want) {
		t.Error("after damage to the store the result differs")
	}
}

// A panic in a runtime is the failure of its cell.
func TestPanicIsolated(t *testing.T) {
	e := experiment(t, t.TempDir(), small, nil)
	n, err := e.network("lenet5")
	if err != nil {
		t.Fatal(err)
	}
	plan := e.Plan()[0]
	if _, err := e.pixels(context.Background(), n, plan); err != nil {
		t.Fatal(err)
	}
	e.current.Pictures = nil // the pictures vanish under the cell's feet
	_, _, err = e.runCell(context.Background(), plan, e.store.Partial(plan.Key, plan.Images, block), Event{Point: plan.Point})
	if err == nil {
		t.Error("no error")
	}
}

// Tables are written in both forms and read back.
func TestWriteTables(t *testing.T) {
	e := experiment(t, t.TempDir(), small, nil)
	mustRun(t, e)
	dir := t.TempDir()
	if err := e.WriteTables(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lenet5-fashion-mnist-minmax", "lenet5-fashion-mnist-percentile-99.9"} {
		for _, ext := range []string{".cache", ".json"} {
			if _, err := os.Stat(filepath.Join(dir, name+ext)); err != nil {
				t.Error(err)
			}
		}
	}
}

// Shapes that do not fit, and calibration pictures that are not there, are told
// before anything runs.
func TestPlanReasons(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"version: 1\nmodels: [lenet5]\ndatasets: [{name: fashion-mnist, images: 20000}]\nmatrix: {runtime: fp32}", "has 10000 pictures; the configuration asks for 20000"},
		{"version: 1\nmodels: [lenet5]\ndatasets: [{name: fashion-mnist, calibration: {images: 3000}}]\nmatrix: {runtime: tensorrt-int8}", "calibration takes pictures 0 to 2999"},
		{"version: 1\nmodels: [{name: a, prototxt: '${NOT_SET}/p', caffemodel: c}]\ndatasets: [fashion-mnist]\nmatrix: {runtime: fp32}", "NOT_SET is not set"},
		{"version: 1\nmodels: [lenet5]\ndatasets: [cifar10]\nmatrix: {runtime: fp32}", "files not found"},
	} {
		cells := experiment(t, t.TempDir(), tt.text, nil).Plan()
		if len(cells) != 1 || cells[0].Key != "" || !strings.Contains(cells[0].Skip, tt.want) {
			t.Errorf("plan %+v, want a skip with %q", cells, tt.want)
		}
	}
}

// Keys change with everything that a result depends on, and with nothing else.
func TestKeys(t *testing.T) {
	key := func(text string) string { return experiment(t, t.TempDir(), text, nil).Plan()[0].Key }
	base := "version: 1\nmodels: [lenet5]\ndatasets: [{name: fashion-mnist, images: 10}]\nmatrix: {runtime: nvdla-int8}\n"
	want := key(base)
	if got := key("# a comment\n" + base + "title: another title\ngate: {max_loss: 1}\n"); got != want {
		t.Error("the key depends on a title or gate")
	}
	for _, change := range [][2]string{{"images: 10", "images: 11"}, {"lenet5", "resnet18"}, {"runtime: nvdla-int8", "runtime: tensorrt-int8"},
		{"runtime: nvdla-int8", "runtime: nvdla-int8, mode: per-kernel"}, {"runtime: nvdla-int8", "runtime: nvdla-int8, target: nv_full"},
		{"runtime: nvdla-int8", "runtime: nvdla-int8, input: nvdla_runtime"}, {"images: 10", "images: 10, calibration: {batch: 10}"},
		{"[lenet5]", "[{name: lenet5, zoo: lenet5, preprocess: {scale: 0.5}}]"}} {
		if got := key(strings.Replace(base, change[0], change[1], 1)); got == want || got == "" {
			t.Errorf("%s for %s leaves the key %q", change[1], change[0], got)
		}
	}
}

func TestPredict(t *testing.T) {
	p := predict([]float32{0.1, 0.7, 0.2}, 1)
	if p.Class != 1 || p.Tied != 1 || !p.Best || p.Margin != 0.5 {
		t.Errorf("%+v", p)
	}
	p = predict([]float32{0.5, 0.5, 0}, 1)
	if p.Class != 0 || p.Tied != 2 || !p.Best || p.Margin != 0 || p.Correct(1) {
		t.Errorf("tied: %+v", p)
	}
}

package harness

import (
	"strings"
	"testing"

	"quantbench/harness/calibrate"
)

func TestActivationEdges(t *testing.T) {
	e := activationEdges()
	if len(e) > 65 || e[0] != 1 || e[len(e)-1] != calibrate.Bins {
		t.Fatalf("%d edges, %v", len(e), e)
	}
	for i := range e[1:] {
		if e[i+1] <= e[i] || float64(e[i+1]) > 1.2*float64(e[i])+1 {
			t.Errorf("from %d to %d", e[i], e[i+1])
		}
	}
}

// TestActivations: every value of every picture is in a bin, once.
func TestActivations(t *testing.T) {
	run := mustRun(t, experiment(t, t.TempDir(), small, nil))
	if len(run.Activations) != 1 {
		t.Fatalf("%d histograms of networks", len(run.Activations))
	}
	a := run.Activations[0]
	if a.Model != "lenet5" || len(a.Tensors) < 5 || a.Tensors[0].Values != 40*28*28 {
		t.Errorf("%s, %d tensors, %d values of the input", a.Model, len(a.Tensors), a.Tensors[0].Values)
	}
	for _, r := range a.Tensors {
		n := r.Least
		for _, c := range r.Counts {
			n += c
		}
		if n != r.Values || len(r.Counts) != len(a.Edges)-1 || r.Top <= 0 {
			t.Errorf("%s: %d of %d values, %d bins, top %v", r.Layer, n, r.Values, len(r.Counts), r.Top)
		}
	}
	one := strings.Replace(small, "[minmax, {name: percentile, percent: 99.9}]", "[minmax]", 1)
	if run := mustRun(t, experiment(t, t.TempDir(), one, nil)); len(run.Activations) != 0 {
		t.Error("one calibrator is nothing to compare")
	}
}

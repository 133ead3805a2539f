package harness

import (
	"testing"
	"time"

	"quantbench/harness/compute/kernel"
)

// Every level of the kernels has a nominal speed, and what is cached or skipped
// costs nothing.
func TestEstimate(t *testing.T) {
	for _, set := range kernel.Sets() {
		if _, ok := nominal[set.Name]; !ok {
			t.Errorf("level %s has no nominal speed", set.Name)
		}
	}
	cell := PlannedCell{Key: "k", MACs: 1e9, Point: Point{Runtime: FP32}}
	one := Estimate([]PlannedCell{cell}, 1)
	if one <= 0 || one > time.Minute {
		t.Errorf("a billion multiplications take %s", one)
	}
	if two := Estimate([]PlannedCell{cell}, 2); two != one/2 {
		t.Errorf("two jobs take %s, one %s", two, one)
	}
	cell.Cached = true
	if got := Estimate([]PlannedCell{cell, {}}, 1); got != 0 {
		t.Errorf("nothing to do takes %s", got)
	}
}

func TestHost(t *testing.T) {
	host, level := Host()
	if host == "" || level != kernel.Level() {
		t.Errorf("%q, %q", host, level)
	}
}

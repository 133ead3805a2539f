package matrix_test

import (
	"strings"
	"testing"

	"quantbench/reports/internal/testrun"
	"quantbench/reports/matrix"
)

func TestContests(t *testing.T) {
	r := testrun.WithBakeoff(testrun.Whole(), []string{"one", "two", "three", "last"})
	list := matrix.Of(r).Contests()
	if len(list) != 4 {
		t.Fatalf("%d contests", len(list))
	}
	c := list[1]
	if c.Where != "tiny5 on NVDLA per-filter" || c.Ranked[0].Calibrator != "one" || c.Ranked[0].Behind != nil || c.Ranked[3].Calibrator != "last" {
		t.Errorf("%s: %+v", c.Where, c.Ranked)
	}
	for i, r := range c.Ranked[1:] {
		if r.Behind == nil || r.Behind.Better != "one" || r.Behind.Difference < 0 || r.Mean > c.Ranked[i].Mean {
			t.Errorf("%s: %+v", r.Calibrator, r.Behind)
		}
	}
	near, far := c.Near(0.02)
	if len(near) != 3 || len(far) != 1 {
		t.Errorf("%d near, %d far", len(near), len(far))
	}
	if c.Ranked[3].Letters == "" || strings.ContainsAny(c.Ranked[0].Letters, c.Ranked[3].Letters) {
		t.Errorf("letters %q and %q of calibrators 20 points apart", c.Ranked[0].Letters, c.Ranked[3].Letters)
	}
}

// TestVerdict has each form of the sentence.
func TestVerdict(t *testing.T) {
	c := matrix.Of(testrun.WithBakeoff(testrun.Whole(), []string{"one", "two", "three"})).Contests()[0]
	set := func(p ...float64) {
		for i := range c.Pairs { // one-two, one-three, two-three
			c.Pairs[i].Adjusted = p[i]
		}
		for i := range c.Ranked[1:] {
			c.Ranked[i+1].Behind.Adjusted = p[i]
		}
	}
	for _, v := range []struct {
		p    []float64
		want string
	}{
		{[]float64{1, 1, 1}, "tiny5 on TensorRT: no two of 3 calibrators can be told apart"},
		{[]float64{0.01, 0.01, 1}, "tiny5 on TensorRT: one is ahead of all 2 others"},
		{[]float64{1, 0.01, 1}, "tiny5 on TensorRT: one is best, and cannot be told from two; it is ahead of the other one"},
		{[]float64{1, 1, 0.01}, "tiny5 on TensorRT: one is best, and cannot be told from two; three is further behind than 2 pp, but by amounts that depend too much on the subset for the test"},
	} {
		set(v.p...)
		if got := c.Verdict(); got != v.want {
			t.Errorf("%v: %q, want %q", v.p, got, v.want)
		}
	}
}

package calibrate

import (
	"context"
	"math"
	"testing"
)

func histogramOf(t *testing.T, values ...float32) *Histogram {
	t.Helper()
	s, err := Collect(context.Background(), toySource{pictures: [][][]float32{{values}}, layers: 1}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &s.Layers[0]
}

func TestSpark(t *testing.T) {
	many := make([]float32, 1000)
	for i := range many {
		many[i] = 0.1
	}
	if got := histogramOf(t, append(many, -8)...).Spark(8); got != "█      ▂" {
		t.Errorf("a thousand small values and a large one: %q", got)
	}
	if got := histogramOf(t, 1, 3, 5, 7.99).Spark(4); got != "████" {
		t.Errorf("as many everywhere: %q", got)
	}
	if got := histogramOf(t, 0, 0).Spark(3); got != "   " {
		t.Errorf("zeros only: %q", got)
	}
}

func TestBeyond(t *testing.T) {
	h := histogramOf(t, 1, -3, 5, 7, 8)
	for _, c := range []struct{ at, want float64 }{{0, 1}, {2, 0.8}, {4, 0.6}, {7.5, 0.2}, {8, 0}, {100, 0}} {
		if got := h.Beyond(c.at); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("beyond %v: %v, want %v", c.at, got, c.want)
		}
	}
	if got := histogramOf(t, 0).Beyond(0.5); got != 0 {
		t.Errorf("zeros beyond 0.5: %v", got)
	}
}

package stats

import (
	"math/rand/v2"
	"testing"
)

func TestHolm(t *testing.T) {
	// By hand: 4*0.005, 3*0.01, 2*0.03, then 0.04 raised to the one before.
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		near(t, "holm", Holm([]float64{0.01, 0.04, 0.03, 0.005})[i], want, 1e-12)
	}
	if h := Holm([]float64{0.9, 0.8}); h[0] != 1 || h[1] != 1 {
		t.Error(h)
	}
	if h := Holm([]float64{0.02}); h[0] != 0.02 {
		t.Errorf("one test needs no correction: %v", h)
	}
	if h := Holm(nil); len(h) != 0 {
		t.Error(h)
	}
}

// rejected is Holm's procedure in its own words: test the smallest p at level
// alpha/m, the next at alpha/(m-1) and so on, and stop at the first that fails.
func rejected(p []float64, alpha float64) []bool {
	out := make([]bool, len(p))
	for left := len(p); left > 0; left-- {
		best := -1
		for i := range p {
			if !out[i] && (best < 0 || p[i] < p[best]) {
				best = i
			}
		}
		if p[best] > alpha/float64(left) {
			break
		}
		out[best] = true
	}
	return out
}

// The corrected values say what the step-down procedure says, at any level.
func TestHolmIsStepDown(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		p := make([]float64, 1+r.IntN(12))
		for i := range p {
			p[i] = r.Float64() * r.Float64() * r.Float64()
		}
		alpha, h := 0.2*r.Float64(), Holm(p)
		for i, want := range rejected(p, alpha) {
			if got := h[i] <= alpha; got != want {
				t.Fatalf("p %v at level %v: test %d corrected to %v, rejected %v", p, alpha, i, h[i], want)
			}
			if h[i] < p[i] || h[i] > 1 {
				t.Fatalf("p %v became %v", p[i], h[i])
			}
		}
	}
}

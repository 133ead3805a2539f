package compute

import (
	"math"
	"math/rand/v2"
	"testing"

	"quantbench/harness/compute/kernel"
)

// TestNudge compares a nudged factor with the integer definition at every
// integer near a tie, for factors of all sizes.
func TestNudge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	exact, ties := 0, 0
	for range 4000 {
		m, shift, reach := int64(r.IntN(1<<16)-1<<15), r.IntN(33), int64(1)<<r.IntN(25)
		if r.IntN(2) == 0 {
			m = 1 << r.IntN(15)
		}
		factor, ok := nudge(m, shift, reach, 129)
		if !ok {
			continue
		}
		exact++
		check := func(v int64) {
			want := kernel.RoundAway(v*m, shift)
			got := int64(math.RoundToEven(float64(v) * float64(factor)))
			if abs := max(want, -want); abs <= 128 && got != want {
				t.Fatalf("%d * %d / 2^%d is %d, with factor %g of a reach of %d %d", v, m, shift, want, factor, reach, got)
			}
		}
		for range 50 {
			v := r.Int64N(2*reach+1) - reach
			check(v)
		}
		for k := int64(-130); k <= 130 && m != 0; k++ { // v*m/2^shift next to k+1/2
			v := ((2*k + 1) << shift) / (2 * m)
			for d := int64(-1); d <= 1; d++ {
				if u := v + d; u >= -reach && u <= reach {
					check(u)
					if 2*u*m == (2*k+1)<<shift {
						ties++
					}
				}
			}
		}
	}
	t.Logf("%d factors, %d ties", exact, ties)
	if exact < 2000 || ties < 1000 {
		t.Errorf("only %d factors and %d ties", exact, ties)
	}
}

func FuzzNudge(f *testing.F) {
	f.Add(int16(16384), uint8(24), int32(1<<20), int32(98304))
	f.Fuzz(func(t *testing.T, m int16, shift uint8, reach, v int32) {
		s, bound := int(shift%33), max(int64(reach), -int64(reach))
		factor, ok := nudge(int64(m), s, bound, math.MaxInt32)
		if u := max(int64(v), -int64(v)); !ok || u > bound || u > 1<<24 {
			return
		}
		want := kernel.RoundAway(int64(v)*int64(m), s)
		if got := int64(math.RoundToEven(float64(v) * float64(factor))); got != want && max(want, -want) < 1<<22 {
			t.Fatalf("%d * %d / 2^%d is %d, want %d", v, m, s, got, want)
		}
	})
}

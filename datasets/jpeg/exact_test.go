package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// exactIDCT is the inverse transform of T.81 A.3.3 in float64, clamped.
func exactIDCT(f *[64]int64) (samples [64]float64) {
	scale := func(u int) float64 {
		if u == 0 {
			return 1 / math.Sqrt2
		}
		return 1
	}
	for i := range samples {
		y, x, sum := i/8, i%8, 0.0
		for k, c := range f {
			v, u := k/8, k%8
			sum += scale(u) * scale(v) / 4 * float64(c) *
				math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*v)*math.Pi/16)
		}
		samples[i] = max(0, min(255, sum+128))
	}
	return samples
}

func checkExact(t *testing.T, f *[64]int64) {
	t.Helper()
	var b, ws [32]int64
	last := 0
	for k, z := range zigzag {
		b[z>>1] += f[z] << (z & 1 * 32)
		if f[z] != 0 {
			last = k
		}
	}
	var got [64]byte
	idct(&b, &ws, last, got[:], 8)
	for i, want := range exactIDCT(f) {
		if math.Abs(float64(got[i])-want) > 1 {
			t.Fatalf("coefficients %v: sample %d is %d, exactly %.2f", *f, i, got[i], want)
		}
	}
}

// Blocks whose coefficients add up to more than bytes can give (8 * 1024), where
// image/jpeg wraps around instead of clamping and so is no oracle: the transform
// is compared with the exact one. The first block was found by fuzzing.
func TestIDCTBeyondBytes(t *testing.T) {
	checkExact(t, &[64]int64{0: -424, 25: -8910, 41: -144, 48: -225})
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var f [64]int64
		for left := int64(1<<13 + r.IntN(1<<13)); left > 0; {
			c := 1 + r.Int64N(left)
			if r.IntN(2) == 0 {
				f[r.IntN(64)] = c
			} else {
				f[r.IntN(64)] = -c
			}
			left -= c
		}
		checkExact(t, &f)
	}
}

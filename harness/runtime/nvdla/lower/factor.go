package lower

import (
	"fmt"
	"math"
)

// bits is the number of bits before the binary point of a > 0, as the compiler
// finds it in double precision: floor(log(a)/log 2) + 1. For these few exact
// powers of two its quotient falls just short of the integer.
func bits(a float32) int {
	frac, exp := math.Frexp(float64(a))
	if frac == 0.5 {
		switch exp - 1 {
		case -29, -31, -39, -47, -51, -55, -58, -59:
			return exp - 1
		}
	}
	return exp
}

// factorize writes x as scale / 2^shift with a 15-bit scale, truncated toward
// zero (LowPrecision.h, scaleAndShiftFromScalarImpl2). A shift other than 0 is
// kept as given, and scale then has what bits are left.
func factorize(x float32, shift int) (int16, uint8, error) {
	a := x
	if a < 0 {
		a = -a
	}
	if a == 0 {
		if shift == 0 {
			shift = 1
		}
		return 0, uint8(shift), nil
	}
	if math.IsNaN(float64(a)) || math.IsInf(float64(a), 0) {
		return 0, 0, fmt.Errorf("the factor %v is no number", x)
	}
	if shift == 0 {
		n := bits(a)
		if n > 15 {
			return 0, 0, fmt.Errorf("the factor %g is above 2^15", x)
		}
		shift = 15 - n
	}
	if shift >= 64 {
		return 0, 0, fmt.Errorf("the factor %g needs a shift of %d, above the 63 of the hardware", x, shift)
	}
	scale := math.Trunc(math.Ldexp(float64(a), shift))
	if scale > math.MaxInt16 {
		return 0, 0, fmt.Errorf("the factor %g does not fit 16 bits with the common shift %d", x, shift)
	}
	if x < 0 {
		scale = -scale
	}
	return int16(scale), uint8(shift), nil
}

// factorizeAll writes all of xs with the shift that fits the leading one.
func factorizeAll(xs []float32, leading float32) ([]int16, uint8, error) {
	_, shift, err := factorize(leading, 0)
	if err != nil {
		return nil, 0, err
	}
	out := make([]int16, len(xs))
	for i, x := range xs {
		if out[i], _, err = factorize(x, int(shift)); err != nil {
			return nil, 0, err
		}
	}
	return out, shift, nil
}

// largest is the first largest of xs.
func largest(xs []float32) float32 {
	best := xs[0]
	for _, x := range xs[1:] {
		if best < x {
			best = x
		}
	}
	return best
}

// largestMagnitude is the first of xs with the largest magnitude.
func largestMagnitude(xs []float32) float32 {
	best := xs[0]
	for _, x := range xs[1:] {
		if abs(best) < abs(x) {
			best = x
		}
	}
	return best
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// toInt32 converts as x86 does: what does not fit becomes the smallest integer.
func toInt32(x float64) int32 {
	if !(x > math.MinInt32-1 && x < math.MaxInt32+1) {
		return math.MinInt32
	}
	return int32(x)
}

// round is floor(x + 0.5), with the sum rounded to float32.
func round(x float32) int32 { return toInt32(math.Floor(float64(x + 0.5))) }

// maxLeftShift is the largest left shift of an SDP operand (SDP_LEFT_SHIFT_MAX_PLACES).
const maxLeftShift = 16

// leftShift is the shift that lets rs fit 16 bits: ceil(log2 max|r|) + 1 - 16,
// at least 0, at most 16. All zero gives 16, by an overflow in the compiler.
func leftShift(rs []int32) uint8 {
	best := rs[0]
	for _, r := range rs[1:] {
		if magnitude(best) < magnitude(r) {
			best = r
		}
	}
	m := magnitude(best)
	if m <= 0 {
		return maxLeftShift
	}
	frac, n := math.Frexp(float64(m))
	if frac == 0.5 {
		n--
	}
	return uint8(min(maxLeftShift, max(0, n+1-16)))
}

// magnitude is C's abs: the smallest integer stays negative.
func magnitude(r int32) int32 {
	if r < 0 {
		return -r
	}
	return r
}

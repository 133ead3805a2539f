package hardware

import (
	"fmt"
	"math"
)

// ScaleAndShift turns a real factor into int16 scale and right shift so that
// scale/2^shift is nearly x (LowPrecision.h, Impl2): scale has 15 bits, 16384 to
// 32767, and is cut toward zero; 0 gives (0, 1). Factors of 32768 and more are an
// error. A shift above 31 is only a warning in the compiler, so it is returned.
func ScaleAndShift(x float32) (scale int16, shift int, err error) {
	if x == 0 {
		return 0, 1, nil
	}
	a := math.Abs(float64(x))
	bits := int(math.Floor(math.Log(a)/math.Log(2))) + 1
	if bits > 15 || math.IsNaN(a) {
		return 0, 0, fmt.Errorf("factor %g needs %d bits before the point, the scale has 15", x, bits)
	}
	shift = 15 - bits
	scale, err = ScaleWithShift(x, shift)
	return scale, shift, err
}

// ScaleWithShift is ScaleAndShift with a shift that others share: the scale is
// x*2^shift cut toward zero. A shift of 64 or more, or a scale beyond 32767, is
// an error.
func ScaleWithShift(x float32, shift int) (int16, error) {
	if shift >= 64 {
		return 0, fmt.Errorf("factor %g needs a right shift of %d, 63 is the most", x, shift)
	}
	s := math.Trunc(math.Ldexp(math.Abs(float64(x)), shift))
	if !(s <= math.MaxInt16) {
		return 0, fmt.Errorf("factor %g with right shift %d needs scale %.0f, 32767 is the most", x, shift, s)
	}
	return int16(math.Copysign(s, float64(x))), nil
}

// WeightScale is the real value of one step of int8 weights whose largest
// magnitude is maxAbs: float32(maxAbs/127).
func WeightScale(maxAbs float32) float32 { return float32(float64(maxAbs) / 127) }

// QuantizeWeight is floor(w*(1/scale) + 0.5) in single precision, clamped to
// -128..127: halves round up. The all-zero kernel of per-filter mode has scale 0
// and makes 0*inf, which the compiler's conversion turns into -128.
func QuantizeWeight(w, scale float32) int8 {
	inv := 1 / scale
	t := float32(w*inv) + 0.5 // the conversion keeps the product rounded
	f := math.Floor(float64(t))
	if f != f {
		return math.MinInt8
	}
	return int8(max(-128, min(127, f)))
}

// Bias is a vector of SDP operands with their common left shift.
type Bias struct {
	Operand []int16
	Shift   int
	// Wide holds the 32-bit values before the shift.
	Wide []int32
}

// QuantizeBias rounds b[k]/unit(k) to integers, halves up, and makes int16
// operands with one left shift for all (BiasOp.cpp, scaleBiasToInt16). unit(k)
// is S_in*S_w[k] for a bias fused to a convolution, else S_in. An all-zero bias
// gets shift 16, and a magnitude of exactly 2^15 wraps, as in the compiler.
func QuantizeBias(b []float32, unit func(k int) float64) Bias {
	q := Bias{Operand: make([]int16, len(b)), Wide: make([]int32, len(b))}
	var largest int64
	for k, v := range b {
		r := int64(math.Floor(float64(v)/unit(k) + 0.5))
		q.Wide[k] = int32(Saturate(r, 32))
		largest = max(largest, r, -r)
	}
	q.Shift = biasShift(largest)
	for k, w := range q.Wide {
		q.Operand[k] = int16(w >> q.Shift)
	}
	return q
}

func biasShift(largest int64) int {
	if largest == 0 {
		return 16
	}
	bits := int(math.Ceil(math.Log(float64(largest))/math.Log(2))) + 1
	return min(16, max(0, bits-16))
}

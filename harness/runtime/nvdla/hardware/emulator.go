package hardware

import "math"

// Half rounds f to half precision and back, ties away from zero, as the half
// library of nvdla/sw does; beyond the range it is infinite.
func Half(f float32) float32 {
	a := math.Abs(float64(f))
	if f != f || math.IsInf(float64(f), 0) || a == 0 {
		return f
	}
	_, e := math.Frexp(a) // a = m * 2^e, 0.5 <= m < 1
	step := math.Ldexp(1, max(e-11, -24))
	r := math.Floor(a/step+0.5) * step
	if r > 65504 {
		r = math.Inf(1)
	}
	return float32(math.Copysign(r, float64(f)))
}

// Softmax is the emulator's softmax over the channels (core/src/runtime/
// Emulator.cpp): inputs and probabilities pass half precision, exponentials and
// their sum are single, the quotient by OutScale is cut toward zero. dst has as
// many elements as src.
func (d SoftmaxDesc) Softmax(src, dst []int8) {
	x := make([]float32, len(src))
	m := float32(math.Inf(-1))
	for i, q := range src {
		x[i] = Half(float32(q) * d.InScale)
		m = max(m, x[i])
	}
	var sum float32
	for i := range x {
		x[i] = expf(x[i] - m)
		sum += x[i]
	}
	for i := range x {
		dst[i] = cutInt8(Half(x[i]/sum) / d.OutScale)
	}
}

// Apply is the emulator's power task on one element:
// powf(shift + scale*(q*InScale), power)/OutScale, cut toward zero.
func (d PowerDesc) Apply(q int8) int8 {
	x := float32(q) * d.InScale
	base := float32(d.Scale*x) + d.Shift
	y := float32(math.Pow(float64(base), float64(d.Power)))
	return cutInt8(y / d.OutScale)
}

func expf(v float32) float32 { return float32(math.Exp(float64(v))) }

// cutInt8 clamps v to -128..127 and cuts it toward zero; what is no number is 0.
func cutInt8(v float32) int8 {
	if v != v {
		return 0
	}
	return int8(max(-128, min(127, v)))
}

// InputPixel is the fixed rule of nvdla_runtime for an int8 input
// (createImageCopy in apps/runtime/TestUtils.cpp): floor(p*127/255 + 0.5).
func InputPixel(p uint8) int8 {
	return int8(math.Floor(float64(p)*127/255 + 0.5))
}

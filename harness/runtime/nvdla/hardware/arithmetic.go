package hardware

// RoundHalfAway is v / 2^shift rounded to the nearest integer, halves away from
// zero: 5/2 is 3, -5/2 is -3. It is the rounding of every shift in NVDLA
// (ac_fixed with AC_RND_INF in cmod/hls). Any shift is allowed; 0 changes nothing.
func RoundHalfAway(v int64, shift uint) int64 {
	if shift == 0 {
		return v
	}
	m := uint64(v)
	if v < 0 {
		m = -m
	}
	r := int64((m>>(shift-1) + 1) >> 1)
	if v < 0 {
		return -r
	}
	return r
}

// Saturate clamps v to the range of a signed integer of 1..63 bits.
func Saturate(v int64, bits uint) int64 {
	hi := int64(1)<<(bits-1) - 1
	if v > hi {
		return hi
	}
	if v < -hi-1 {
		return -hi - 1
	}
	return v
}

// shiftLeft32 is v * 2^shift saturated to 32 bits (IntShiftLeft in cmod/hls).
func shiftLeft32(v int32, shift uint8) int64 {
	if shift < 32 {
		return Saturate(int64(v)<<shift, 32)
	}
	return Saturate(int64(v)<<31<<1, 32)
}

// shiftSigned is v / 2^shift, rounded half away from zero; a negative shift
// multiplies. The multiplication saturates at 48 bits, beyond every use.
func shiftSigned(v int64, shift int8) int64 {
	if shift >= 0 {
		return RoundHalfAway(v, uint(shift))
	}
	for ; shift < 0 && v < 1<<48 && v > -(1<<48); shift++ {
		v <<= 1
	}
	return v
}

// CACCOutput is what the accumulator hands to SDP: the exact sum, rounded by the
// clip_truncate of the convolution's output converter, saturated to 32 bits.
func CACCOutput(sum int64, truncate uint8) int32 {
	return int32(Saturate(RoundHalfAway(sum, uint(truncate)), 32))
}

// Bits is the width of one element.
func (p Precision) Bits() uint {
	if p == Int8 {
		return 8
	}
	return 16
}

// Bytes is the size of one element in memory.
func (p Precision) Bytes() int { return int(p.Bits() / 8) }

// String is the name of the precision in messages.
func (p Precision) String() string {
	switch p {
	case Int8:
		return "int8"
	case Int16:
		return "int16"
	case FP16:
		return "fp16"
	}
	return "unknown precision"
}

var kindNames = [...]string{"bdma", "conv", "sdp", "pdp", "cdp", "rubik", "power", "softmax"}

// String is the engine's name, as dumps and messages spell it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown engine"
}

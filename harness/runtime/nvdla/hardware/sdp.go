package hardware

// X is one element of SDP's X1 or X2 stage (cmod/hls/sdp/sdp_x.cpp): ALU, then
// multiplier, then the truncation, which acts even when the multiplier is
// bypassed, then ReLU. v is the stream's value; alu and mul are the operands,
// already sign-extended. PReLU lets v >= 0 pass multiplier and truncation.
func (s *SDPStage) X(v, alu, mul int32) int32 {
	t := int64(v)
	if s.Type == SDPAdd || s.Type == SDPBoth {
		t = aluResult(s.ALU, t, shiftLeft32(alu, s.Shift))
	}
	prelu := s.Act == ActPReLU && t >= 0 && s.Type != SDPAdd && s.Type != SDPNone
	if (s.Type == SDPMul || s.Type == SDPBoth) && !prelu {
		t *= int64(mul)
	}
	if !prelu {
		t = RoundHalfAway(t, uint(s.Truncate))
	}
	t = Saturate(t, 32)
	if s.Act == ActReLU && t < 0 {
		t = 0
	}
	return int32(t)
}

// Y is one element of SDP's Y stage (cmod/hls/sdp/sdp_y_core.cpp): multiplier
// with truncation first, then ALU, each saturated to 32 bits, then the look-up
// table if the activation is one. alu and mul are the operands after their
// converters (see Operand). lut may be nil unless Act is ActLUT.
func (s *SDPStage) Y(v, alu, mul int32, lut *LUT) int32 {
	t := int64(v)
	if s.Type == SDPMul || s.Type == SDPBoth {
		if s.Act != ActPReLU || t < 0 {
			t = Saturate(RoundHalfAway(t*int64(mul), uint(s.Truncate)), 32)
		}
	}
	if s.Type == SDPAdd || s.Type == SDPBoth {
		t = Saturate(aluResult(s.ALU, t, int64(alu)), 32)
	}
	if s.Act == ActLUT && lut != nil {
		t = lut.Lookup(t, 35, 32)
	}
	return int32(t)
}

// aluResult is the ALU of an SDP stage; "equal" gives 0 where the operands are
// equal and 1 where they differ.
func aluResult(op uint8, a, b int64) int64 {
	switch op {
	case ALUMax:
		return max(a, b)
	case ALUMin:
		return min(a, b)
	case ALUEqual:
		if a == b {
			return 0
		}
		return 1
	}
	return a + b
}

// Operand converts an operand of the Y stage that was read from memory
// (sdp_y_cvt.cpp): (v - offset) * scale, rounded by truncate, saturated to 32
// bits. A disabled converter is the identity.
func (c Converter) Operand(v int32) int32 {
	if !c.Enable {
		return v
	}
	t := (int64(v) - int64(c.Offset)) * int64(c.Scale)
	return int32(Saturate(RoundHalfAway(t, uint(c.Truncate)), 32))
}

// Output is SDP's output converter (sdp_c.cpp): (v - offset) * scale, rounded by
// truncate, saturated to 17 bits and then to the destination's precision. The
// driver programs it whatever Enable says.
func (c Converter) Output(v int32, p Precision) int32 {
	t := (int64(v) - int64(c.Offset)) * int64(c.Scale)
	t = Saturate(RoundHalfAway(t, uint(c.Truncate)), 17)
	return int32(Saturate(t, p.Bits()))
}

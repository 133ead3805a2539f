package nvdla

import (
	"encoding/binary"
	"fmt"

	"quantbench/harness/compute"
	"quantbench/harness/runtime/nvdla/hardware"
)

// sdp makes an SDP operation the epilogue of its convolution, or of a
// convolution by ones if it works on memory.
func (c *compiler) sdp(op *hardware.Operation, src compute.Tensor) (compute.Tensor, error) {
	conv := compute.Conv{}
	if op.FusedParent >= 0 {
		p, ok := c.convs[op.FusedParent]
		if !ok || p.conv.OutH != op.Dst.H || p.conv.OutW != op.Dst.W || p.conv.Out != op.Dst.C {
			return 0, fmt.Errorf("%w: no convolution of this shape streams into it", errInexpressible)
		}
		conv, src = p.conv, p.input
	}
	if err := c.epilogue(op, &conv); err != nil {
		return 0, err
	}
	if op.FusedParent >= 0 {
		return c.b.Conv(src, conv), nil
	}
	return c.b.Requantize(src, conv), nil
}

// epilogue fills in what happens to a sum: bias, factor, ReLU, residual, output
// converter.
func (c *compiler) epilogue(op *hardware.Operation, conv *compute.Conv) error {
	d := op.SDP
	if d.SrcPrecision != hardware.Int8 || d.DstPrecision != hardware.Int8 || d.Y.Enable || d.LUT != nil || d.Batch > 1 || d.ConvMode != 0 {
		return fmt.Errorf("%w: Y stage, look-up table or another precision", errInexpressible)
	}
	// The driver programs the converter whatever its Enable says.
	conv.NVDLA = &compute.NVDLA{Scale: d.OutCvt.Scale, Shift: int(d.OutCvt.Truncate), Offset: d.OutCvt.Offset}
	first, second := &d.X1, op.X1
	switch {
	case d.X1.Enable && d.X1.Mode == hardware.PerPoint:
		if d.X2.Enable {
			return fmt.Errorf("%w: a stage behind a sum", errInexpressible)
		}
	case d.X1.Enable:
		if err := c.channels(&d.X1, op.X1, op.Dst.C, conv); err != nil {
			return err
		}
		first, second = &d.X2, op.X2
	default:
		first, second = &d.X2, op.X2
	}
	return c.residual(first, second, conv)
}

// residual adds a cube point by point.
func (c *compiler) residual(s *hardware.SDPStage, cube hardware.Cube, conv *compute.Conv) (err error) {
	if !s.Enable {
		return nil
	}
	if s.Mode != hardware.PerPoint || s.Type != hardware.SDPAdd || s.ALU != hardware.ALUSum || s.Truncate != 0 || s.Precision != hardware.Int8 || s.Act > hardware.ActReLU {
		return fmt.Errorf("%w: two stages with operands a channel, or another operation point by point", errInexpressible)
	}
	conv.ReLU, conv.NVDLA.ResidualShift = s.Act == hardware.ActReLU, int(s.Shift)
	conv.Residual, err = c.read(cube)
	return err
}

// channels programs a stage whose operands are one a layer or one a channel.
func (c *compiler) channels(s *hardware.SDPStage, cube hardware.Cube, k int, conv *compute.Conv) error {
	if s.Act > hardware.ActReLU || s.ALU != hardware.ALUSum {
		return fmt.Errorf("%w: an activation or ALU operation of its own", errInexpressible)
	}
	add, mul, err := c.operands(s, cube, k)
	if err != nil {
		return err
	}
	for i, a := range add {
		b := int32(hardware.Saturate(int64(a)<<s.Shift, 32))
		if mul != nil && mul[i] == 0 {
			b = 0 // no matter what is multiplied by 0; of a kernel of zeros it has no meaning
		}
		conv.BiasInt32 = append(conv.BiasInt32, b)
	}
	if mul == nil && s.Truncate > 0 {
		mul = []int16{1}
	}
	conv.NVDLA.Mul, conv.NVDLA.MulShift, conv.NVDLA.ReLU = mul, int(s.Truncate), s.Act == hardware.ActReLU
	return nil
}

// operands are the added and multiplied values for k channels; nil where the
// stage does not add or multiply.
func (c *compiler) operands(s *hardware.SDPStage, cube hardware.Cube, k int) (add []int32, mul []int16, err error) {
	adds := s.Type == hardware.SDPAdd || s.Type == hardware.SDPBoth
	muls := s.Type == hardware.SDPMul || s.Type == hardware.SDPBoth
	var data []byte
	words := 0
	if s.Mode == hardware.PerChannel && (adds || muls) {
		if s.Precision != hardware.Int16 {
			return nil, nil, fmt.Errorf("%w: int8 operands", errInexpressible)
		}
		words = map[bool]int{true: 2, false: 1}[adds && muls]
		if data, err = c.constant(cube, 2*words*k); err != nil {
			return nil, nil, err
		}
	}
	word := func(i, at int, register int32) int16 {
		if data == nil {
			return int16(register)
		}
		return int16(binary.LittleEndian.Uint16(data[2*(i*words+at):]))
	}
	for i := range k {
		if adds {
			add = append(add, int32(word(i, 0, s.ALUOperand)))
		}
		if muls {
			mul = append(mul, word(i, words-1, s.MulOperand))
		}
	}
	return add, mul, nil
}

package loadable

import (
	"encoding/binary"
	"math"

	"quantbench/harness/runtime/nvdla/hardware"
)

// desc reads a descriptor's fields by their byte offset. Its length is checked
// by whoever cut it out of memory.
type desc []byte

func (d desc) u8(o int) uint8    { return d[o] }
func (d desc) u16(o int) int     { return int(binary.LittleEndian.Uint16(d[o:])) }
func (d desc) i16(o int) int     { return int(int16(binary.LittleEndian.Uint16(d[o:]))) }
func (d desc) u32(o int) int     { return int(binary.LittleEndian.Uint32(d[o:])) }
func (d desc) i32(o int) int32   { return int32(binary.LittleEndian.Uint32(d[o:])) }
func (d desc) i64(o int) int64   { return int64(binary.LittleEndian.Uint64(d[o:])) }
func (d desc) f32(o int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(d[o:])) }

// converter decodes dla_cvt_param.
func (d desc) converter(o int) hardware.Converter {
	return hardware.Converter{Scale: int16(d.i16(o)), Truncate: d.u8(o + 2), Enable: d.u8(o+3) != 0, Offset: d.i32(o + 4)}
}

func (d desc) conv() *hardware.ConvDesc {
	return &hardware.ConvDesc{
		Mode: d.u8(0), EntryPerSlice: d.u16(6), DataFormat: d.u8(8), FetchGrain: d.u16(10),
		Batch: d.u8(20), WeightFormat: d.u8(21), DataBank: int(d.u8(22)), WeightBank: int(d.u8(23)),
		PostExtension: d.u8(28), PixelOverride: d.u8(29), Release: d.u16(30),
		InputW: d.u16(32), InputH: d.u16(34), InputC: d.u16(36),
		KernelW: d.u16(38), KernelH: d.u16(40), KernelC: d.u16(42),
		BytesPerKernel: d.u32(48), MeanFormat: d.u8(60),
		StrideX: int(d.u8(61)), StrideY: int(d.u8(62)),
		PadLeft: int(d.u8(63)), PadRight: int(d.u8(64)), PadTop: int(d.u8(65)), PadDown: int(d.u8(66)),
		DilationX: int(d.u8(67)), DilationY: int(d.u8(68)),
		InPrecision: hardware.Precision(d.u8(72)), OutPrecision: hardware.Precision(d.u8(73)),
		PadValue: int16(d.i16(74)), InCvt: d.converter(76), OutCvt: d.converter(84),
		Reserved: map[string]int{
			"data_reuse": int(d.u8(1)), "weight_reuse": int(d.u8(2)), "skip_data_rls": int(d.u8(3)), "skip_weight_rls": int(d.u8(4)),
			"pixel_mapping": int(d.u8(9)), "batch_stride": d.u32(24), "input_width_cmac": d.u16(44), "input_height_cmac": d.u16(46),
			"mean_ry": d.i16(52), "mean_gu": d.i16(54), "mean_bv": d.i16(56), "mean_ax": d.i16(58), "pra_truncate": int(d.u8(71)),
		},
	}
}

func (d desc) stage(o int) hardware.SDPStage {
	return hardware.SDPStage{
		Enable: d.u8(o) != 0, ALU: d.u8(o + 1), Type: d.u8(o + 2), Mode: d.u8(o + 3), Act: d.u8(o + 4),
		Shift: d.u8(o + 5), Truncate: d.u8(o + 6), Precision: hardware.Precision(d.u8(o + 7)),
		ALUOperand: d.i32(o + 8), MulOperand: d.i32(o + 12),
		ALUCvt: d.converter(o + 16), MulCvt: d.converter(o + 24),
	}
}

// sdp decodes dla_sdp_op_desc; X1 and X2 have no operand converters.
func (d desc) sdp() (*hardware.SDPDesc, int) {
	s := &hardware.SDPDesc{
		SrcPrecision: hardware.Precision(d.u8(0)), DstPrecision: hardware.Precision(d.u8(1)),
		OutCvt: d.converter(4), ConvMode: d.u8(12), Batch: int(d.u8(13)),
		X1: d.stage(20), X2: d.stage(52), Y: d.stage(84),
	}
	for _, x := range []*hardware.SDPStage{&s.X1, &s.X2} {
		x.ALUCvt, x.MulCvt = hardware.Converter{}, hardware.Converter{}
	}
	return s, d.i16(2)
}

func (d desc) pdp() *hardware.PDPDesc {
	p := &hardware.PDPDesc{
		Split: int(d.u8(12)), Mode: d.u8(13), Width: int(d.u8(14)) + 1, Height: int(d.u8(15)) + 1,
		StrideX: int(d.u8(16)), StrideY: int(d.u8(17)),
		PadLeft: int(d.u8(18)), PadRight: int(d.u8(19)), PadTop: int(d.u8(20)), PadDown: int(d.u8(21)),
		Precision: hardware.Precision(d.u8(22)),
	}
	for k := range 3 {
		p.PartialIn[k], p.PartialOut[k] = int(d.u16(2*k)), int(d.u16(6+2*k))
	}
	for k := range p.PadValue {
		p.PadValue[k] = d.i32(24 + 4*k)
	}
	return p
}

func (d desc) cdp() (*hardware.CDPDesc, int) {
	return &hardware.CDPDesc{
		InPrecision: hardware.Precision(d.u8(0)), OutPrecision: hardware.Precision(d.u8(1)),
		InCvt: d.converter(4), OutCvt: d.converter(12), LocalSize: int(d.u8(20)),
		BypassSquareSum: d.u8(21) != 0, BypassMultiply: d.u8(22) != 0,
	}, d.i16(2)
}

func (d desc) rubik() *hardware.RubikDesc {
	return &hardware.RubikDesc{Mode: d.u8(0), Precision: hardware.Precision(d.u8(1)), StrideX: int(d.u8(2)), StrideY: int(d.u8(3))}
}

// lut decodes dla_lut_param.
func (d desc) lut() *hardware.LUT {
	l := &hardware.LUT{
		LEOffset: int8(d.u8(644)), LOOffset: int8(d.u8(646)),
		LEStart: d.i64(648), LEEnd: d.i64(656), LOStart: d.i64(664), LOEnd: d.i64(672),
		LEUnderflow: d.slope(680), LEOverflow: d.slope(684), LOUnderflow: d.slope(688), LOOverflow: d.slope(692),
		HybridPriority: d.u8(696), UnderflowPriority: d.u8(697), OverflowPriority: d.u8(698), Method: d.u8(699),
	}
	for k := range l.LE {
		l.LE[k] = int16(d.i16(2 * k))
	}
	for k := range l.LO {
		l.LO[k] = int16(d.i16(130 + 2*k))
	}
	return l
}

func (d desc) slope(o int) hardware.Slope {
	return hardware.Slope{Scale: int16(d.i16(o)), Shift: int8(d.u8(o + 2))}
}

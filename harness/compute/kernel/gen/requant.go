package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of kernel.TensorRT.
const (
	trtAcc = 8 * iota
	trtN
	trtMul
	trtBias
	trtResidual
	trtResStep
	trtOut
	trtOutStep
	trtResMul   // float32
	trtFloor    = trtResMul + 4
	trtOutMul   = trtResMul + 8
	sumBytes    = 4 * vectorBytes
	residualReg = 15 // the residual's element, with its flipped bytes put right
	flipReg     = 16
	shuffleReg  = 17
)

// loadResidual reads a pixel's residual into residualReg.
func loadResidual(res reg.Register) {
	VPXORD(Mem{Base: res}, z(flipReg), z(residualReg))
}

// unpack gives channel o of the residual as int32.
func unpack(o int, to reg.VecPhysical) {
	if o < 3 {
		VPSLLD(Imm(uint64(24-8*o)), z(residualReg), to)
		VPSRAD(Imm(24), to, to)
		return
	}
	VPSRAD(Imm(24), z(residualReg), to)
}

// packConstants loads what pack needs.
func packConstants() reg.GPVirtual {
	c := constantsAt()
	VBROADCASTI32X4(Mem{Base: c, Disp: transpose}, z(shuffleReg))
	VPBROADCASTD(Mem{Base: c, Disp: flip}, z(flipReg))
	return c
}

// pack saturates registers 0..3 to int8 and stores them as one element a lane.
func pack(out reg.Register) {
	VPACKSSDW(z(1), z(0), z(0))
	VPACKSSDW(z(3), z(2), z(2))
	VPACKSSWB(z(2), z(0), z(0))
	VPSHUFB(z(shuffleReg), z(0), z(0))
	VPXORD(z(flipReg), z(0), z(0))
	VMOVDQU32(z(0), Mem{Base: out})
}

// tensorRT writes the floating point requantization. Too large a value is cut
// to 127 before the conversion; too small a one converts to -2^31, which the
// packing saturates.
func tensorRT() {
	a := begin("requantTensorRT", "requantTensorRT is the TensorRT requantization of N pixels.")
	acc, n, mul, bias := a.load(trtAcc), a.load(trtN), a.load(trtMul), a.load(trtBias)
	res, resStep, out, outStep := a.load(trtResidual), a.load(trtResStep), a.load(trtOut), a.load(trtOutStep)
	c := packConstants()
	for o := 0; o < 4; o++ {
		VBROADCASTSS(Mem{Base: mul, Disp: 4 * o}, z(20+o))
		VBROADCASTSS(Mem{Base: bias, Disp: 4 * o}, z(24+o))
	}
	VBROADCASTSS(a.at(trtResMul), z(28))
	VBROADCASTSS(a.at(trtFloor), z(29))
	VBROADCASTSS(a.at(trtOutMul), z(30))
	VBROADCASTSS(Mem{Base: c, Disp: largest}, z(31))
	Label("pixel")
	for o := 0; o < 4; o++ {
		VCVTDQ2PS(Mem{Base: acc, Disp: o * vectorBytes}, z(o))
		VMULPS(z(20+o), z(o), z(o))
		VADDPS(z(24+o), z(o), z(o))
	}
	TESTQ(res, res)
	JZ(LabelRef("noResidual"))
	loadResidual(res)
	for o := 0; o < 4; o++ {
		unpack(o, z(4+o))
		VCVTDQ2PS(z(4+o), z(4+o))
		VMULPS(z(28), z(4+o), z(4+o))
		VADDPS(z(4+o), z(o), z(o))
	}
	ADDQ(resStep, res)
	Label("noResidual")
	for o := 0; o < 4; o++ {
		VMAXPS(z(29), z(o), z(o))
		VMULPS(z(30), z(o), z(o))
		VMINPS(z(31), z(o), z(o))
		VCVTPS2DQ(z(o), z(o))
	}
	pack(out)
	ADDQ(outStep, out)
	ADDQ(U32(sumBytes), acc)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}

// Fields of kernel.NVDLA.
const (
	dlaAcc = 8 * iota
	dlaN
	dlaMul
	dlaUseMul
	dlaResidual
	dlaResStep
	dlaOut
	dlaOutStep
	dlaShift1
	dlaResShift
	dlaShift
	dlaHalf1
	dlaHalf
	dlaAway1
	dlaAway
	dlaUnsigned
	dlaFloor1 // int32
	dlaFloor2 = dlaFloor1 + 4
	dlaOffset = dlaFloor1 + 8
	dlaScale  = dlaFloor1 + 12
)

// rounding holds what rha(v*m, shift) needs: three vectors.
type rounding struct {
	half        reg.VecPhysical
	right, left reg.VecPhysical // shift and 32-shift
}

func (r rounding) load(a arguments, half, shift int) {
	VPBROADCASTQ(a.at(half), r.half)
	VPBROADCASTQ(a.at(shift), r.right)
	left := GP64()
	MOVQ(U32(32), left)
	SUBQ(a.at(shift), left)
	VPBROADCASTQ(left, r.left)
}

// multiply replaces v by rha(v*m, shift), which fits 32 bits, given m and its
// magnitude: rounding half away from zero is rounding half up of magnitudes,
// with the product's sign put back. low and high are temporary.
func (r rounding) multiply(v, m, magnitude, low, high reg.VecPhysical) {
	VPXORD(m, v, low)
	VPMOVD2M(low, reg.K2)
	VPABSD(v, v)
	r.magnitudes(v, magnitude, low, high)
	VPSUBD(v, z(zeroReg), reg.K2, v)
}

// magnitudes is multiply for numbers that are not negative: the even lanes are
// multiplied to 64 bits in place, the odd lanes are moved down and their results
// shifted so that they land in the upper half again.
func (r rounding) magnitudes(v, magnitude, low, high reg.VecPhysical) {
	VMOVSHDUP(v, high)
	VPMULUDQ(magnitude, v, low)
	VPMULUDQ(magnitude, high, high)
	VPADDQ(r.half, low, low)
	VPADDQ(r.half, high, high)
	VPSRLVQ(r.right, low, low)
	VPSLLVQ(r.left, high, high)
	VPBLENDMD(high, low, reg.K1, v)
}

// zeroReg holds zeros in the integer requantization.
const zeroReg = 31

// nvdla writes the integer requantization.
func nvdla() {
	a := begin("requantNVDLA", "requantNVDLA is the NVDLA requantization of N pixels.")
	acc, n := a.load(dlaAcc), a.load(dlaN)
	res, resStep, out, outStep := a.load(dlaResidual), a.load(dlaResStep), a.load(dlaOut), a.load(dlaOutStep)
	useMul, unsigned := a.load(dlaUseMul), a.load(dlaUnsigned)
	packConstants()
	odd := GP32()
	MOVL(U32(0xAAAA), odd)
	KMOVW(odd, reg.K1)
	stage := rounding{z(18), z(8), z(9)}
	final := rounding{z(19), z(10), z(11)}
	stage.load(a, dlaHalf1, dlaShift1)
	final.load(a, dlaHalf, dlaShift)
	VPXORD(z(zeroReg), z(zeroReg), z(zeroReg))
	VMOVQ(a.at(dlaResShift), reg.X14)
	for i, field := range []int{dlaFloor1, dlaFloor2, dlaOffset, dlaScale} {
		VPBROADCASTD(a.at(field), z(22+i))
	}
	VPABSD(z(25), z(21))
	mul := a.load(dlaMul)
	for o := 0; o < 4; o++ {
		VPBROADCASTD(Mem{Base: mul, Disp: 4 * o}, z(26+o))
	}
	Label("pixel")
	for o := 0; o < 4; o++ {
		VMOVDQU32(Mem{Base: acc, Disp: o * vectorBytes}, z(o))
	}
	TESTQ(useMul, useMul)
	JZ(LabelRef("noMul"))
	for o := 0; o < 4; o++ {
		VPABSD(z(26+o), z(30))
		stage.multiply(z(o), z(26+o), z(30), z(4+2*(o%2)), z(5+2*(o%2)))
	}
	Label("noMul")
	for o := 0; o < 4; o++ {
		VPMAXSD(z(22), z(o), z(o))
	}
	TESTQ(res, res)
	JZ(LabelRef("noResidual"))
	loadResidual(res)
	for o := 0; o < 4; o++ {
		unpack(o, z(4+o))
		VPSLLD(reg.X14, z(4+o), z(4+o))
		VPADDD(z(4+o), z(o), z(o))
		VPMAXSD(z(23), z(o), z(o))
	}
	ADDQ(resStep, res)
	Label("noResidual")
	TESTQ(unsigned, unsigned)
	JZ(LabelRef("signed"))
	for o := 0; o < 4; o++ {
		final.magnitudes(z(o), z(21), z(4+2*(o%2)), z(5+2*(o%2)))
	}
	JMP(LabelRef("pack"))
	Label("signed")
	for o := 0; o < 4; o++ {
		VPSUBD(z(24), z(o), z(o))
		final.multiply(z(o), z(25), z(21), z(4+2*(o%2)), z(5+2*(o%2)))
	}
	Label("pack")
	pack(out)
	ADDQ(outStep, out)
	ADDQ(U32(sumBytes), acc)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}

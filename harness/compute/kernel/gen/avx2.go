package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The AVX2 kernels work on half a vector, 8 pictures, at a time. They have 16
// registers, so that a tile holds at most 3 pixels in fp32 and 2 in int8.

const halfBytes = vectorBytes / 2

// y is half vector register i.
func y(i int) reg.VecPhysical {
	return []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}[i]
}

// halves writes a loop over the two halves of a vector; body gets the half's
// offset in bytes.
func halves(body func(half reg.Register)) {
	half := GP64()
	XORQ(half, half)
	Label("half")
	body(half)
	ADDQ(Imm(halfBytes), half)
	CMPQ(half, Imm(vectorBytes))
	JL(LabelRef("half"))
}

// narrowSum is the register of a pixel's sum.
func narrowSum(pixel, channel int) reg.VecPhysical { return y(pixel*4 + channel) }

// narrowConv writes the convolution of so many pixels; step multiplies and adds
// one step's inputs, store takes the sums away.
func narrowConv(name string, pixels int, step func(at, inStep, weights reg.Register), store func(a arguments, half reg.Register, p places), isFloat bool) {
	name = fmt.Sprintf("%sP%d", name, pixels)
	a := begin(name, fmt.Sprintf("%s computes tiles of %d pixels with AVX2.", name, pixels))
	now := a.places()
	inStep := a.load(convInStep)
	Label("tile")
	halves(func(half reg.Register) {
		offsets, weights, k := a.load(convOffsets), a.load(convWeights), a.load(convK)
		in := GP64()
		LEAQ(Mem{Base: now.in, Index: half, Scale: 1}, in)
		init := a.load(convInit)
		for o := 0; o < 4; o++ {
			VBROADCASTSS(Mem{Base: init, Disp: 4 * o}, narrowSum(0, o))
			for p := 1; p < pixels; p++ {
				VMOVAPS(narrowSum(0, o), narrowSum(p, o))
			}
		}
		at := GP64()
		Label("step")
		MOVLQSX(Mem{Base: offsets}, at)
		ADDQ(in, at)
		step(at, inStep, weights)
		ADDQ(Imm(4), offsets)
		ADDQ(Imm(16), weights)
		DECQ(k)
		JNZ(LabelRef("step"))
		store(a, half, now)
	})
	advance(now.in, inStep, pixels)
	if isFloat {
		advance(now.out, a.load(convOutStep), pixels)
		TESTQ(now.residual, now.residual)
		JZ(LabelRef("advanced"))
		advance(now.residual, a.load(convResStep), pixels)
		Label("advanced")
	} else {
		ADDQ(U32(uint32(4*pixels*vectorBytes)), now.out)
	}
	DECQ(now.tiles)
	JNZ(LabelRef("tile"))
	end()
}

// narrowPixel is the address of pixel p < 3.
func narrowPixel(base, step reg.Register, p int) Mem {
	if p == 0 {
		return Mem{Base: base}
	}
	return Mem{Base: base, Index: step, Scale: uint8(p)}
}

func narrowFloat(pixels int) {
	step := func(at, inStep, weights reg.Register) {
		for p := 0; p < pixels; p++ {
			VMOVUPS(narrowPixel(at, inStep, p), y(12+p))
		}
		for o := 0; o < 4; o++ {
			VBROADCASTSS(Mem{Base: weights, Disp: 4 * o}, y(15))
			for p := 0; p < pixels; p++ {
				VFMADD231PS(y(15), y(12+p), narrowSum(p, o))
			}
		}
	}
	narrowConv("narrowF32", pixels, step, func(a arguments, half reg.Register, p places) { narrowStoreFloat(a, half, pixels, p) }, true)
}

func narrowStoreFloat(a arguments, half reg.Register, pixels int, p places) {
	TESTQ(p.residual, p.residual)
	JZ(LabelRef("noResidual"))
	res := GP64()
	LEAQ(Mem{Base: p.residual, Index: half, Scale: 1}, res)
	narrowEach(res, a.load(convResStep), a.load(convResChannel), pixels, func(m Mem, sum reg.VecPhysical) { VADDPS(m, sum, sum) })
	Label("noResidual")
	CMPQ(a.at(convReLU), Imm(0))
	JE(LabelRef("noReLU"))
	VPXOR(y(15), y(15), y(15))
	for i := 0; i < 4*pixels; i++ {
		VMAXPS(y(15), y(i), y(i))
	}
	Label("noReLU")
	out := GP64()
	LEAQ(Mem{Base: p.out, Index: half, Scale: 1}, out)
	narrowEach(out, a.load(convOutStep), a.load(convOutChannel), pixels, func(m Mem, sum reg.VecPhysical) { VMOVUPS(sum, m) })
}

// narrowEach visits the place of every sum in a tensor; base is used up.
func narrowEach(base, step, channel reg.Register, pixels int, f func(m Mem, sum reg.VecPhysical)) {
	for o := 0; o < 4; o++ {
		for p := 0; p < pixels; p++ {
			f(narrowPixel(base, step, p), narrowSum(p, o))
		}
		if o < 3 {
			ADDQ(channel, base)
		}
	}
}

// narrowInt8 multiplies in 16 bits: the even and the odd bytes of inputs and
// weights apart, two products to a 32-bit sum.
func narrowInt8(pixels int) {
	step := func(at, inStep, weights reg.Register) {
		for p := 0; p < pixels; p++ {
			even, odd := y(8+2*p), y(9+2*p)
			VMOVDQU(narrowPixel(at, inStep, p), even)
			VPSRLW(Imm(8), even, odd)
			VPSLLW(Imm(8), even, even)
			VPSRLW(Imm(8), even, even)
		}
		for o := 0; o < 4; o++ {
			VPBROADCASTD(Mem{Base: weights, Disp: 4 * o}, y(12))
			VPSRAW(Imm(8), y(12), y(13))
			VPSLLW(Imm(8), y(12), y(12))
			VPSRAW(Imm(8), y(12), y(12))
			for p := 0; p < pixels; p++ {
				VPMADDWD(y(8+2*p), y(12), y(14))
				VPMADDWD(y(9+2*p), y(13), y(15))
				VPADDD(y(14), narrowSum(p, o), narrowSum(p, o))
				VPADDD(y(15), narrowSum(p, o), narrowSum(p, o))
			}
		}
	}
	narrowConv("narrowI8", pixels, step, func(a arguments, half reg.Register, p places) {
		for i := 0; i < 4*pixels; i++ {
			VMOVUPS(y(i), Mem{Base: p.out, Index: half, Scale: 1, Disp: i * vectorBytes})
		}
	}, false)
}

// narrowUnpack gives channel o of the residual in register 15 as int32.
func narrowUnpack(o int, to reg.VecPhysical) {
	if o == 3 {
		VPSRAD(Imm(24), y(15), to)
		return
	}
	VPSLLD(Imm(uint64(24-8*o)), y(15), to)
	VPSRAD(Imm(24), to, to)
}

// Registers of the requantizations.
const (
	narrowFlip    = 8
	narrowShuffle = 9
)

func narrowPackConstants() reg.GPVirtual {
	c := constantsAt()
	VBROADCASTI128(Mem{Base: c, Disp: transpose}, y(narrowShuffle))
	VPBROADCASTD(Mem{Base: c, Disp: flip}, y(narrowFlip))
	return c
}

func narrowPack(out, half reg.Register) {
	VPACKSSDW(y(1), y(0), y(0))
	VPACKSSDW(y(3), y(2), y(2))
	VPACKSSWB(y(2), y(0), y(0))
	VPSHUFB(y(narrowShuffle), y(0), y(0))
	VPXOR(y(narrowFlip), y(0), y(0))
	VMOVDQU(y(0), Mem{Base: out, Index: half, Scale: 1})
}

// narrowPixels writes the loop over pixels and halves of a requantization.
func narrowPixels(acc, n, res, resStep, out, outStep reg.Register, body func(half reg.Register)) {
	Label("pixel")
	halves(body)
	ADDQ(outStep, out)
	ADDQ(resStep, res)
	ADDQ(U32(sumBytes), acc)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}

func narrowTensorRT() {
	a := begin("narrowTensorRT", "narrowTensorRT is the TensorRT requantization of N pixels with AVX2.")
	acc, n, mul, bias := a.load(trtAcc), a.load(trtN), a.load(trtMul), a.load(trtBias)
	res, resStep, out, outStep := a.load(trtResidual), a.load(trtResStep), a.load(trtOut), a.load(trtOutStep)
	c := narrowPackConstants()
	VBROADCASTSS(a.at(trtResMul), y(10))
	VBROADCASTSS(a.at(trtFloor), y(11))
	VBROADCASTSS(a.at(trtOutMul), y(12))
	VBROADCASTSS(Mem{Base: c, Disp: largest}, y(13))
	narrowPixels(acc, n, res, resStep, out, outStep, func(half reg.Register) {
		for o := 0; o < 4; o++ {
			VCVTDQ2PS(Mem{Base: acc, Index: half, Scale: 1, Disp: o * vectorBytes}, y(o))
			VBROADCASTSS(Mem{Base: mul, Disp: 4 * o}, y(4))
			VMULPS(y(4), y(o), y(o))
			VBROADCASTSS(Mem{Base: bias, Disp: 4 * o}, y(5))
			VADDPS(y(5), y(o), y(o))
		}
		CMPQ(a.at(trtResidual), Imm(0))
		JE(LabelRef("noResidual"))
		VPXOR(Mem{Base: res, Index: half, Scale: 1}, y(narrowFlip), y(15))
		for o := 0; o < 4; o++ {
			narrowUnpack(o, y(4))
			VCVTDQ2PS(y(4), y(4))
			VMULPS(y(10), y(4), y(4))
			VADDPS(y(4), y(o), y(o))
		}
		Label("noResidual")
		for o := 0; o < 4; o++ {
			VMAXPS(y(11), y(o), y(o))
			VMULPS(y(12), y(o), y(o))
			VMINPS(y(13), y(o), y(o))
			VCVTPS2DQ(y(o), y(o))
		}
		narrowPack(out, half)
	})
}

// narrowRounding is rounding without a 64-bit arithmetic shift: the lower 32
// bits of the result are the same after a logical one.
type narrowRounding struct {
	a           arguments
	half, away  int
	right, left reg.VecPhysical
}

func (r narrowRounding) load(shift int) {
	VMOVQ(r.a.at(shift), r.right)
	left := GP64()
	MOVQ(U32(32), left)
	SUBQ(r.a.at(shift), left)
	VMOVQ(left, r.left)
}

// multiply replaces v by rha(v*m, shift) with m in register 7.
func (r narrowRounding) multiply(v reg.VecPhysical) {
	low, high, t := y(4), y(5), y(6)
	VPSRLQ(Imm(32), v, high)
	VPMULDQ(y(7), v, low)
	VPMULDQ(y(7), high, high)
	for _, x := range []reg.VecPhysical{low, high} {
		VPXOR(t, t, t)
		VPCMPGTQ(x, t, t)
		VPBROADCASTQ(r.a.at(r.away), v)
		VPAND(v, t, t)
		VPBROADCASTQ(r.a.at(r.half), v)
		VPADDQ(v, x, x)
		VPADDQ(t, x, x)
	}
	VPSRLQ(r.right, low, low)
	VPSLLQ(r.left, high, high)
	VPBLENDD(Imm(0xAA), high, low, v)
}

func narrowNVDLA() {
	a := begin("narrowNVDLA", "narrowNVDLA is the NVDLA requantization of N pixels with AVX2.")
	acc, n, mul := a.load(dlaAcc), a.load(dlaN), a.load(dlaMul)
	res, resStep, out, outStep := a.load(dlaResidual), a.load(dlaResStep), a.load(dlaOut), a.load(dlaOutStep)
	narrowPackConstants()
	stage := narrowRounding{a, dlaHalf1, dlaAway1, reg.X10, reg.X11}
	final := narrowRounding{a, dlaHalf, dlaAway, reg.X12, reg.X13}
	stage.load(dlaShift1)
	final.load(dlaShift)
	VMOVQ(a.at(dlaResShift), reg.X14)
	narrowPixels(acc, n, res, resStep, out, outStep, func(half reg.Register) {
		for o := 0; o < 4; o++ {
			VMOVDQU(Mem{Base: acc, Index: half, Scale: 1, Disp: o * vectorBytes}, y(o))
		}
		CMPQ(a.at(dlaUseMul), Imm(0))
		JE(LabelRef("noMul"))
		for o := 0; o < 4; o++ {
			VPBROADCASTD(Mem{Base: mul, Disp: 4 * o}, y(7))
			stage.multiply(y(o))
		}
		Label("noMul")
		VPBROADCASTD(a.at(dlaFloor1), y(7))
		for o := 0; o < 4; o++ {
			VPMAXSD(y(7), y(o), y(o))
		}
		CMPQ(a.at(dlaResidual), Imm(0))
		JE(LabelRef("noResidual"))
		VPXOR(Mem{Base: res, Index: half, Scale: 1}, y(narrowFlip), y(15))
		VPBROADCASTD(a.at(dlaFloor2), y(7))
		for o := 0; o < 4; o++ {
			narrowUnpack(o, y(4))
			VPSLLD(reg.X14, y(4), y(4))
			VPADDD(y(4), y(o), y(o))
			VPMAXSD(y(7), y(o), y(o))
		}
		Label("noResidual")
		VPBROADCASTD(a.at(dlaOffset), y(7))
		for o := 0; o < 4; o++ {
			VPSUBD(y(7), y(o), y(o))
		}
		VPBROADCASTD(a.at(dlaScale), y(7))
		for o := 0; o < 4; o++ {
			final.multiply(y(o))
		}
		narrowPack(out, half)
	})
}

// narrowMaximum writes a max pooling with the given instruction.
func narrowMaximum(name string, larger func(ops ...Op)) {
	a := begin(name, name+" is the largest vector of every window, with AVX2.")
	in, offsets, k, n := a.load(poolIn), a.load(poolOffsets), a.load(poolK), a.load(poolN)
	step, out, outStep := a.load(poolInStep), a.load(poolOut), a.load(poolOutStep)
	at, i := GP64(), GP64()
	Label("pixel")
	MOVLQSX(Mem{Base: offsets}, at)
	VMOVUPS(Mem{Base: in, Index: at, Scale: 1}, y(0))
	VMOVUPS(Mem{Base: in, Index: at, Scale: 1, Disp: halfBytes}, y(1))
	MOVQ(k, i)
	JMP(LabelRef("next"))
	Label("tap")
	MOVLQSX(Mem{Base: offsets, Index: i, Scale: 4}, at)
	larger(Mem{Base: in, Index: at, Scale: 1}, y(0), y(0))
	larger(Mem{Base: in, Index: at, Scale: 1, Disp: halfBytes}, y(1), y(1))
	Label("next")
	DECQ(i)
	JNZ(LabelRef("tap"))
	VMOVUPS(y(0), Mem{Base: out})
	VMOVUPS(y(1), Mem{Base: out, Disp: halfBytes})
	ADDQ(outStep, out)
	ADDQ(step, in)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}

func narrowAffine() {
	a := begin("narrowAffine", "narrowAffine is max(x*Mul+Bias, Floor) of N vectors, with AVX2.")
	in, out, n := a.load(affineIn), a.load(affineOut), a.load(affineN)
	VBROADCASTSS(a.at(affineMul), y(1))
	VBROADCASTSS(a.at(affineBias), y(2))
	VBROADCASTSS(a.at(affineFloor), y(3))
	ADDQ(n, n) // two halves
	Label("vector")
	VMULPS(Mem{Base: in}, y(1), y(0))
	VADDPS(y(2), y(0), y(0))
	VMAXPS(y(3), y(0), y(0))
	VMOVUPS(y(0), Mem{Base: out})
	ADDQ(Imm(halfBytes), in)
	ADDQ(Imm(halfBytes), out)
	DECQ(n)
	JNZ(LabelRef("vector"))
	end()
}

func avx2() {
	for pixels := 1; pixels <= 3; pixels++ {
		narrowFloat(pixels)
	}
	for pixels := 1; pixels <= 2; pixels++ {
		narrowInt8(pixels)
	}
	narrowTensorRT()
	narrowNVDLA()
	narrowMaximum("narrowMaxF32", VMAXPS)
	narrowMaximum("narrowMaxU8", VPMAXUB)
	narrowAffine()
}

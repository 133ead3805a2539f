package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// instructions are what a convolution is made of for one type of elements.
type instructions struct {
	name           string
	multiply       func(weight, input, sum Op)
	multiplyMemory func(weight, input, sum Op)
	store          func(a arguments, t tile)
}

var (
	floatConv = instructions{"convF32", func(w, x, s Op) { VFMADD231PS(w, x, s) }, func(w, x, s Op) { VFMADD231PS_BCST(w, x, s) }, storeFloat}
	int8Conv  = instructions{"convI8", func(w, x, s Op) { VPDPBUSD(w, x, s) }, func(w, x, s Op) { VPDPBUSD_BCST(w, x, s) }, storeSums}
)

// tile holds the sums of 4 channels of some pixels in registers 0..4*pixels-1.
type tile struct{ pixels int }

func (t tile) sum(pixel, channel int) reg.VecPhysical { return z(pixel*4 + channel) }

// conv writes the kernel for tiles of so many pixels. A step loads 4 weights,
// broadcast, and one vector a pixel. With 7 pixels one register is missing, and
// the fourth weight is broadcast by the multiplication itself.
func conv(ins instructions, pixels int) {
	t := tile{pixels}
	a := begin(fmt.Sprintf("%sP%d", ins.name, pixels), fmt.Sprintf("%sP%d computes tiles of %d pixels.", ins.name, pixels, pixels))
	step := a.load(convInStep)
	step3, step5 := GP64(), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, step5)
	Label("tile")
	in, offsets, weights, k := a.address(convIn, convInAt), a.load(convOffsets), a.load(convWeights), a.load(convK)
	t.start(a)
	at := GP64()
	Label("step")
	MOVLQSX(Mem{Base: offsets}, at)
	ADDQ(in, at)
	inRegister := 4
	if pixels == 7 {
		inRegister = 3
	}
	for o := 0; o < inRegister; o++ {
		VBROADCASTSS(Mem{Base: weights, Disp: 4 * o}, z(27+o+4-inRegister))
	}
	for p := 0; p < pixels; p++ {
		VMOVUPS(pixel(at, step, step3, step5, p), z(31))
		for o := 0; o < inRegister; o++ {
			ins.multiply(z(27+o+4-inRegister), z(31), t.sum(p, o))
		}
		if inRegister == 3 {
			ins.multiplyMemory(Mem{Base: weights, Disp: 12}, z(31), t.sum(p, 3))
		}
	}
	ADDQ(Imm(4), offsets)
	ADDQ(Imm(16), weights)
	DECQ(k)
	JNZ(LabelRef("step"))
	ins.store(a, t)
	advance(a, convInAt, step, pixels)
	DECQ(a.at(convTiles))
	JNZ(LabelRef("tile"))
	end()
}

// start sets all sums to their start values.
func (t tile) start(a arguments) {
	init := a.load(convInit)
	for o := 0; o < 4; o++ {
		VBROADCASTSS(Mem{Base: init, Disp: 4 * o}, t.sum(0, o))
		for p := 1; p < t.pixels; p++ {
			VMOVAPS(t.sum(0, o), t.sum(p, o))
		}
	}
}

// pixel is the address of pixel p, base + p*step.
func pixel(base, step, step3, step5 reg.Register, p int) Mem {
	switch p {
	case 1, 2, 4:
		return Mem{Base: base, Index: step, Scale: uint8(p)}
	case 3:
		return Mem{Base: base, Index: step3, Scale: 1}
	case 5:
		return Mem{Base: base, Index: step5, Scale: 1}
	case 6:
		return Mem{Base: base, Index: step3, Scale: 2}
	}
	return Mem{Base: base}
}

// address is a pointer plus the bytes that are done.
func (a arguments) address(pointer, done int) reg.GPVirtual {
	r := a.load(pointer)
	ADDQ(a.at(done), r)
	return r
}

// advance moves the position in a field by n steps.
func advance(a arguments, field int, step reg.Register, n int) {
	r := GP64()
	IMUL3Q(Imm(uint64(n)), step, r)
	ADDQ(r, a.at(field))
}

// storeSums stores int32 sums, pixel by pixel and channel by channel.
func storeSums(a arguments, t tile) {
	out := a.address(convOut, convOutAt)
	for i := 0; i < 4*t.pixels; i++ {
		VMOVUPS(z(i), Mem{Base: out, Disp: i * vectorBytes})
	}
	ADDQ(U32(uint32(4*t.pixels*vectorBytes)), a.at(convOutAt))
}

// storeFloat adds the residual, applies ReLU and stores channel by channel.
func storeFloat(a arguments, t tile) {
	res := a.load(convResidual)
	TESTQ(res, res)
	JZ(LabelRef("noResidual"))
	ADDQ(a.at(convResidualAt), res)
	step, channel := a.load(convResStep), a.load(convResChannel)
	t.each(res, step, channel, func(m Mem, sum reg.VecPhysical) { VADDPS(m, sum, sum) })
	advance(a, convResidualAt, step, t.pixels)
	Label("noResidual")
	CMPQ(a.at(convReLU), Imm(0))
	JE(LabelRef("noReLU"))
	VPXORD(z(31), z(31), z(31))
	for i := 0; i < 4*t.pixels; i++ {
		VMAXPS(z(31), z(i), z(i))
	}
	Label("noReLU")
	out, outStep := a.address(convOut, convOutAt), a.load(convOutStep)
	t.each(out, outStep, a.load(convOutChannel), func(m Mem, sum reg.VecPhysical) { VMOVUPS(sum, m) })
	advance(a, convOutAt, outStep, t.pixels)
}

// each visits the place of every sum in a tensor; base is used up.
func (t tile) each(base, step, channel reg.Register, f func(m Mem, sum reg.VecPhysical)) {
	at := GP64()
	for o := 0; o < 4; o++ {
		MOVQ(base, at)
		for p := 0; p < t.pixels; p++ {
			f(Mem{Base: at}, t.sum(p, o))
			if p < t.pixels-1 {
				ADDQ(step, at)
			}
		}
		if o < 3 {
			ADDQ(channel, base)
		}
	}
}

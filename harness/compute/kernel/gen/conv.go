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
	store          func(a arguments, t tile, p places)
}

// places are the pointers that move from tile to tile. They stay in registers:
// a pointer beyond its array must never be left where Go's collector finds it.
type places struct{ in, out, residual, tiles reg.GPVirtual }

func (a arguments) places() places {
	return places{a.load(convIn), a.load(convOut), a.load(convResidual), a.load(convTiles)}
}

var (
	floatConv = instructions{"convF32", func(w, x, s Op) { VFMADD231PS(w, x, s) }, func(w, x, s Op) { VFMADD231PS_BCST(w, x, s) }, storeFloat}
	int8Conv  = instructions{"convI8", func(w, x, s Op) { VPDPBUSD(w, x, s) }, func(w, x, s Op) { VPDPBUSD_BCST(w, x, s) }, storeSums}
)

// tile holds the sums of 4 channels of some pixels in registers 0..4*pixels-1.
type tile struct{ pixels int }

func (t tile) sum(pixel, channel int) reg.VecPhysical { return z(pixel*4 + channel) }

// conv writes the kernel for tiles of so many pixels.
func conv(ins instructions, pixels int) {
	t := tile{pixels}
	a := begin(fmt.Sprintf("%sP%d", ins.name, pixels), fmt.Sprintf("%sP%d computes tiles of %d pixels.", ins.name, pixels, pixels))
	now := a.places()
	step := a.load(convInStep)
	step3, step5 := GP64(), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, step5)
	Label("tile")
	offsets, weights, k := a.load(convOffsets), a.load(convWeights), a.load(convK)
	t.start(a.load(convInit))
	sumUp(ins, t, now.in, offsets, weights, k, step, step3, step5)
	ins.store(a, t, now)
	advance(now.in, step, pixels)
	DECQ(now.tiles)
	JNZ(LabelRef("tile"))
	end()
}

// sumUp adds the products of all steps. A step loads 4 weights, broadcast, and
// one vector a pixel. With 7 pixels one register is missing, and the fourth
// weight is broadcast by the multiplication itself.
func sumUp(ins instructions, t tile, in, offsets, weights, k, step, step3, step5 reg.Register) {
	at := GP64()
	Label("step")
	MOVLQSX(Mem{Base: offsets}, at)
	ADDQ(in, at)
	inRegister := 4
	if t.pixels == 7 {
		inRegister = 3
	}
	for o := 0; o < inRegister; o++ {
		VBROADCASTSS(Mem{Base: weights, Disp: 4 * o}, z(27+o+4-inRegister))
	}
	for p := 0; p < t.pixels; p++ {
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
}

// start sets all sums to their start values.
func (t tile) start(init reg.Register) {
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

// advance moves a pointer by n steps.
func advance(pointer, step reg.Register, n int) {
	r := GP64()
	IMUL3Q(Imm(uint64(n)), step, r)
	ADDQ(r, pointer)
}

// storeSums stores int32 sums, pixel by pixel and channel by channel.
func storeSums(_ arguments, t tile, p places) {
	for i := 0; i < 4*t.pixels; i++ {
		VMOVUPS(z(i), Mem{Base: p.out, Disp: i * vectorBytes})
	}
	ADDQ(U32(uint32(4*t.pixels*vectorBytes)), p.out)
}

// storeFloat adds the residual, applies ReLU and stores channel by channel.
func storeFloat(a arguments, t tile, p places) {
	TESTQ(p.residual, p.residual)
	JZ(LabelRef("noResidual"))
	resStep := a.load(convResStep)
	t.each(p.residual, resStep, a.load(convResChannel), func(m Mem, sum reg.VecPhysical) { VADDPS(m, sum, sum) })
	advance(p.residual, resStep, t.pixels)
	Label("noResidual")
	CMPQ(a.at(convReLU), Imm(0))
	JE(LabelRef("noReLU"))
	VPXORD(z(31), z(31), z(31))
	for i := 0; i < 4*t.pixels; i++ {
		VMAXPS(z(31), z(i), z(i))
	}
	Label("noReLU")
	outStep := a.load(convOutStep)
	t.each(p.out, outStep, a.load(convOutChannel), func(m Mem, sum reg.VecPhysical) { VMOVUPS(sum, m) })
	advance(p.out, outStep, t.pixels)
}

// each visits the place of every sum in a tensor.
func (t tile) each(first, step, channel reg.Register, f func(m Mem, sum reg.VecPhysical)) {
	base, at := GP64(), GP64()
	MOVQ(first, base)
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

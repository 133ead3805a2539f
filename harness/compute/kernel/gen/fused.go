package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of kernel.Fused.
const (
	fusedIn = 8 * iota
	fusedOffsets
	fusedWeights
	fusedK
	fusedInStep
	fusedInBlock
	fusedStart
	fusedOut
	fusedOutStep
	fusedOutBlock
	fusedResidual
	fusedResStep
	fusedResBlock
	fusedTiles
	fusedBlocks
	fusedFactors
	fusedResMul // float32
	fusedOutMul = fusedResMul + 4
	fusedLeast  = fusedResMul + 8
)

// fusedStack is what moves from block to block: it lies on the stack, where the
// garbage collector does not look while a kernel runs.
type fusedStack struct{ in, start, factors, out, residual, blocks Mem }

func newFusedStack() fusedStack {
	base := AllocLocal(48)
	return fusedStack{base, base.Offset(8), base.Offset(16), base.Offset(24), base.Offset(32), base.Offset(40)}
}

// begin sets the state of the first block.
func (s fusedStack) begin(a arguments) {
	t := GP64()
	for _, m := range []struct {
		field int
		to    Mem
	}{{fusedIn, s.in}, {fusedStart, s.start}, {fusedFactors, s.factors}, {fusedOut, s.out}, {fusedResidual, s.residual}, {fusedBlocks, s.blocks}} {
		MOVQ(a.at(m.field), t)
		MOVQ(t, m.to)
	}
}

// next moves to the next block and jumps to label if there is one.
func (s fusedStack) next(a arguments, factorBytes int, label string) {
	t := GP64()
	ADDQ(Imm(16), s.start)
	MOVQ(a.at(fusedInBlock), t)
	ADDQ(t, s.in)
	MOVQ(a.at(fusedOutBlock), t)
	ADDQ(t, s.out)
	CMPQ(s.factors, Imm(0))
	JE(LabelRef("noFactors"))
	ADDQ(Imm(uint64(factorBytes)), s.factors)
	Label("noFactors")
	CMPQ(s.residual, Imm(0))
	JE(LabelRef("lastResidual"))
	MOVQ(a.at(fusedResBlock), t)
	ADDQ(t, s.residual)
	Label("lastResidual")
	DECQ(s.blocks)
	JNZ(LabelRef(label))
}

// epilogue turns a tile's sums into stored bytes.
type epilogue struct {
	name        string
	factorBytes int
	write       func(a arguments, s fusedStack, t tile, p places)
}

// fused writes a convolution of so many pixels a tile that requantizes its sums
// in registers: for every block of 4 channels, for every tile.
func fused(e epilogue, pixels int) {
	t := tile{pixels}
	name := fmt.Sprintf("%sP%d", e.name, pixels)
	a := begin(name, fmt.Sprintf("%s computes tiles of %d pixels and requantizes them.", name, pixels))
	s := newFusedStack()
	s.begin(a)
	step, step3, step5, next := a.load(fusedInStep), GP64(), GP64(), a.load(fusedWeights)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, step5)
	Label("block")
	now := places{GP64(), GP64(), GP64(), a.load(fusedTiles)}
	MOVQ(s.in, now.in)
	MOVQ(s.out, now.out)
	MOVQ(s.residual, now.residual)
	Label("tile")
	offsets, weights, k := a.load(fusedOffsets), GP64(), a.load(fusedK)
	MOVQ(next, weights)
	start := GP64()
	MOVQ(s.start, start)
	t.start(start)
	sumUp(int8Conv, t, now.in, offsets, weights, k, step, step3, step5)
	e.write(a, s, t, now)
	advance(now.in, step, pixels)
	DECQ(now.tiles)
	JNZ(LabelRef("tile"))
	MOVQ(a.at(fusedK), k)
	SHLQ(Imm(4), k)
	ADDQ(k, next)
	s.next(a, e.factorBytes, "block")
	end()
}

// Registers of an epilogue above the sums.
const (
	shuffleTile = 28
	spare       = 29
	wide1       = 30
	wide2       = 31
)

// addResidual adds the residual's four channels, each as q<<24 in float32, with
// add(q, sum); it skips all if there is no residual.
func addResidual(a arguments, t tile, p places, add func(q, sum reg.VecPhysical)) {
	TESTQ(p.residual, p.residual)
	JZ(LabelRef("noResidual"))
	c, step := constantsAt(), a.load(fusedResStep)
	VPBROADCASTD(Mem{Base: c, Disp: flip}, z(shuffleTile))
	for i := range t.pixels {
		VPXORD(Mem{Base: p.residual}, z(shuffleTile), z(spare))
		for o := range 4 {
			q := z(wide1 + o%2)
			VPSHUFB(Mem{Base: c, Disp: lift + o*vectorBytes}, z(spare), q)
			VCVTDQ2PS(q, q)
			add(q, t.sum(i, o))
		}
		ADDQ(step, p.residual)
	}
	Label("noResidual")
}

// store packs one pixel's four registers of int32, which narrow turns from
// 16-bit to bytes, and stores what is not below the least byte.
func (t tile) store(i int, out reg.Register, narrow func(pair, to reg.VecPhysical)) {
	x := [4]reg.VecPhysical{t.sum(i, 0), t.sum(i, 1), t.sum(i, 2), t.sum(i, 3)}
	VPACKSSDW(x[1], x[0], x[0])
	VPACKSSDW(x[3], x[2], x[2])
	narrow(x[2], x[0])
	VPSHUFB(z(shuffleTile), x[0], x[0])
	VPMAXUB(z(spare), x[0], x[0])
	VMOVDQU32(x[0], Mem{Base: out})
}

// fusedTensorRT is the requantization of kernel.TensorRT.
var fusedTensorRT = epilogue{"convTensorRT", 32, func(a arguments, s fusedStack, t tile, p places) {
	f := GP64()
	MOVQ(s.factors, f)
	for i := range t.pixels {
		for o := range 4 {
			VCVTDQ2PS(t.sum(i, o), t.sum(i, o))
			VMULPS_BCST(Mem{Base: f, Disp: 4 * o}, t.sum(i, o), t.sum(i, o))
			VADDPS_BCST(Mem{Base: f, Disp: 16 + 4*o}, t.sum(i, o), t.sum(i, o))
		}
	}
	addResidual(a, t, p, func(q, sum reg.VecPhysical) {
		VMULPS_BCST(a.at(fusedResMul), q, q)
		VADDPS(q, sum, sum)
	})
	c, step := constantsAt(), a.load(fusedOutStep)
	VBROADCASTI32X4(Mem{Base: c, Disp: transpose}, z(shuffleTile))
	VPBROADCASTD(a.at(fusedLeast), z(spare))
	VPBROADCASTD(Mem{Base: c, Disp: flip}, z(wide1))
	VBROADCASTSS(a.at(fusedOutMul), z(wide2))
	for i := range t.pixels {
		for o := range 4 {
			VMULPS(z(wide2), t.sum(i, o), t.sum(i, o))
			VCVTPS2DQ(t.sum(i, o), t.sum(i, o))
		}
		t.store(i, p.out, func(pair, to reg.VecPhysical) {
			VPACKSSWB(pair, to, to)
			VPXORD(z(wide1), to, to)
		})
		ADDQ(step, p.out)
	}
}}

// fusedNVDLA is the requantization of kernel.NVDLA in exact float32: adding
// 1.5*2^23 rounds a product to an integer, with one rounding.
var fusedNVDLA = epilogue{"convNVDLA", 16, func(a arguments, s fusedStack, t tile, p places) {
	c := constantsAt()
	for i := range 4 * t.pixels {
		VCVTDQ2PS(z(i), z(i))
	}
	f := GP64()
	MOVQ(s.factors, f)
	TESTQ(f, f)
	JZ(LabelRef("noFactor"))
	VBROADCASTSS(Mem{Base: c, Disp: magic}, z(wide1))
	for o := range 4 {
		VBROADCASTSS(Mem{Base: f, Disp: 4 * o}, z(wide2))
		for i := range t.pixels {
			VFMADD213PS(z(wide1), z(wide2), t.sum(i, o))
			VSUBPS(z(wide1), t.sum(i, o), t.sum(i, o))
		}
	}
	Label("noFactor")
	addResidual(a, t, p, func(q, sum reg.VecPhysical) { VFMADD231PS_BCST(a.at(fusedResMul), q, sum) })
	step := a.load(fusedOutStep)
	VBROADCASTI32X4(Mem{Base: c, Disp: transpose}, z(shuffleTile))
	VPBROADCASTD(a.at(fusedLeast), z(spare))
	VBROADCASTSS(Mem{Base: c, Disp: magic}, z(wide1))
	VBROADCASTSS(a.at(fusedOutMul), z(wide2))
	for i := range t.pixels {
		for o := range 4 {
			VFMADD213PS(z(wide1), z(wide2), t.sum(i, o))
			VPSUBD_BCST(Mem{Base: c, Disp: magicLess}, t.sum(i, o), t.sum(i, o))
		}
		t.store(i, p.out, func(pair, to reg.VecPhysical) { VPACKUSWB(pair, to, to) })
		ADDQ(step, p.out)
	}
}}

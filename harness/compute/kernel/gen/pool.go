package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Fields of kernel.Pool.
const (
	poolIn = 8 * iota
	poolOffsets
	poolK
	poolN
	poolInStep
	poolOut
	poolOutStep
)

// maximum writes a max pooling with the given instruction.
func maximum(name string, larger func(ops ...Op)) {
	a := begin(name, name+" is the largest vector of every window.")
	in, offsets, k, n := a.load(poolIn), a.load(poolOffsets), a.load(poolK), a.load(poolN)
	step, out, outStep := a.load(poolInStep), a.load(poolOut), a.load(poolOutStep)
	at, i := GP64(), GP64()
	Label("pixel")
	MOVLQSX(Mem{Base: offsets}, at)
	VMOVUPS(Mem{Base: in, Index: at, Scale: 1}, z(0))
	MOVQ(k, i)
	JMP(LabelRef("next"))
	Label("tap")
	MOVLQSX(Mem{Base: offsets, Index: i, Scale: 4}, at)
	larger(Mem{Base: in, Index: at, Scale: 1}, z(0), z(0))
	Label("next")
	DECQ(i)
	JNZ(LabelRef("tap"))
	VMOVUPS(z(0), Mem{Base: out})
	ADDQ(outStep, out)
	ADDQ(step, in)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}

// Fields of kernel.Affine.
const (
	affineIn = 8 * iota
	affineOut
	affineN
	affineMul   // float32
	affineBias  = affineMul + 4
	affineFloor = affineMul + 8
)

// affine writes y = max(x*mul + bias, floor).
func affine() {
	a := begin("affineF32", "affineF32 is max(x*Mul+Bias, Floor) of N vectors.")
	in, out, n := a.load(affineIn), a.load(affineOut), a.load(affineN)
	VBROADCASTSS(a.at(affineMul), z(1))
	VBROADCASTSS(a.at(affineBias), z(2))
	VBROADCASTSS(a.at(affineFloor), z(3))
	Label("vector")
	VMULPS(Mem{Base: in}, z(1), z(0))
	VADDPS(z(2), z(0), z(0))
	VMAXPS(z(3), z(0), z(0))
	VMOVUPS(z(0), Mem{Base: out})
	ADDQ(Imm(vectorBytes), in)
	ADDQ(Imm(vectorBytes), out)
	DECQ(n)
	JNZ(LabelRef("vector"))
	end()
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// column writes the convolution of one channel: each vector is loaded for one
// multiplication only, so that the loads set the pace. It takes the arguments of
// conv but for a residual and ReLU.
func column(ins instructions, name string, vectors int) {
	name = fmt.Sprintf("%sP%d", name, vectors)
	a := begin(name, fmt.Sprintf("%s computes tiles of %d pixels of one channel.", name, vectors))
	now := a.places()
	step, step3, step5, outStep := a.load(convInStep), GP64(), GP64(), a.load(convOutStep)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, step5)
	Label("tile")
	offsets, weights, k, init := a.load(convOffsets), a.load(convWeights), a.load(convK), a.load(convInit)
	for v := range vectors {
		VBROADCASTSS(Mem{Base: init}, z(v))
	}
	at := GP64()
	Label("step")
	MOVLQSX(Mem{Base: offsets}, at)
	ADDQ(now.in, at)
	VBROADCASTSS(Mem{Base: weights}, z(31))
	for v := range vectors {
		VMOVUPS(pixel(at, step, step3, step5, v), z(16+v))
		ins.multiply(z(31), z(16+v), z(v))
	}
	ADDQ(Imm(4), offsets)
	ADDQ(Imm(4), weights)
	DECQ(k)
	JNZ(LabelRef("step"))
	for v := range vectors {
		VMOVUPS(z(v), Mem{Base: now.out})
		ADDQ(outStep, now.out)
	}
	advance(now.in, step, vectors)
	DECQ(now.tiles)
	JNZ(LabelRef("tile"))
	end()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of kernel.Lookup.
const (
	lookupIn = 8 * iota
	lookupInStep
	lookupOut
	lookupOutStep
	lookupTable
	lookupN
	lookupRows
)

// lookup writes bytes through a table of 256, 64 at a time: two permutations of
// 128 entries each, of which the byte's highest bit chooses.
func lookup() {
	a := begin("lookupU8", "lookupU8 is a table look-up of rows of bytes, with VBMI.")
	in, out, table, n, rows := a.load(lookupIn), a.load(lookupOut), a.load(lookupTable), a.load(lookupN), a.load(lookupRows)
	for i := range 4 {
		VMOVDQU32(Mem{Base: table, Disp: i * vectorBytes}, z(i))
	}
	one := func() {
		VMOVDQA32(z(4), z(5))
		VPMOVB2M(z(4), reg.K1)
		VPERMI2B(z(1), z(0), z(4))
		VPERMI2B(z(3), z(2), z(5))
		VPBLENDMB(z(5), z(4), reg.K1, z(4))
	}
	src, dst, left, mask := GP64(), GP64(), GP64(), GP64()
	Label("row")
	MOVQ(in, src)
	MOVQ(out, dst)
	MOVQ(n, left)
	Label("whole")
	CMPQ(left, Imm(vectorBytes))
	JL(LabelRef("rest"))
	VMOVDQU8(Mem{Base: src}, z(4))
	one()
	VMOVDQU8(z(4), Mem{Base: dst})
	ADDQ(Imm(vectorBytes), src)
	ADDQ(Imm(vectorBytes), dst)
	SUBQ(Imm(vectorBytes), left)
	JMP(LabelRef("whole"))
	Label("rest")
	MOVQ(I64(-1), mask)
	BZHIQ(left, mask, mask)
	KMOVQ(mask, reg.K2)
	VMOVDQU8_Z(Mem{Base: src}, reg.K2, z(4))
	one()
	VMOVDQU8(z(4), reg.K2, Mem{Base: dst})
	ADDQ(a.at(lookupInStep), in)
	ADDQ(a.at(lookupOutStep), out)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// Fields of kernel.Interleave.
const (
	interleaveIn = 8 * iota
	interleaveLaneStep
	interleaveChannelStep
	interleaveN
	interleaveOut
)

// interleave writes the transposition of 16 pictures of 4 channels to elements,
// 16 pixels at a time: the channels of each picture are joined, and the matrix
// of 16 pictures by 16 pixels is transposed. The last 16 pixels are done first.
func interleave() {
	a := begin("interleaveU8", "interleaveU8 joins 4 channels of 16 pictures, with VBMI.")
	in, n, out := a.load(interleaveIn), a.load(interleaveN), a.load(interleaveOut)
	lane, channel := a.load(interleaveLaneStep), a.load(interleaveChannelStep)
	channel3, at, dst, src := GP64(), GP64(), GP64(), GP64()
	LEAQ(Mem{Base: channel, Index: channel, Scale: 2}, channel3)
	c := constantsAt()
	SUBQ(Imm(16), n)
	Label("pixels")
	VMOVDQU32(Mem{Base: c, Disp: join}, z(31))
	LEAQ(Mem{Base: in, Index: n, Scale: 1}, src)
	for l := range 16 {
		VMOVDQU(Mem{Base: src}, z(l).AsX())
		VINSERTI32X4(Imm(1), Mem{Base: src, Index: channel, Scale: 1}, z(l), z(l))
		VINSERTI32X4(Imm(2), Mem{Base: src, Index: channel, Scale: 2}, z(l), z(l))
		VINSERTI32X4(Imm(3), Mem{Base: src, Index: channel3, Scale: 1}, z(l), z(l))
		VPERMB(z(l), z(31), z(l))
		ADDQ(lane, src)
	}
	transpose16()
	MOVQ(n, dst)
	SHLQ(Imm(6), dst)
	ADDQ(out, dst)
	for p := range 16 {
		VMOVDQU32(z(p), Mem{Base: dst, Disp: p * vectorBytes})
	}
	// The next 16 pixels end before these, or begin the row.
	TESTQ(n, n)
	JZ(LabelRef("done"))
	XORQ(at, at)
	SUBQ(Imm(16), n)
	CMOVQLT(at, n)
	JMP(LabelRef("pixels"))
	Label("done")
	end()
}

// transpose16 transposes the 16x16 words of registers 0..15, using 16..31.
func transpose16() {
	for i := 0; i < 16; i += 2 { // pairs of words
		VPUNPCKLDQ(z(i+1), z(i), z(16+i))
		VPUNPCKHDQ(z(i+1), z(i), z(17+i))
	}
	for i := 0; i < 16; i += 4 { // column c of each quarter, of 4 rows, in register i+c
		VPUNPCKLQDQ(z(16+i+2), z(16+i), z(i))
		VPUNPCKHQDQ(z(16+i+2), z(16+i), z(i+1))
		VPUNPCKLQDQ(z(16+i+3), z(16+i+1), z(i+2))
		VPUNPCKHQDQ(z(16+i+3), z(16+i+1), z(i+3))
	}
	for c := range 4 { // quarters 0 and 2, and 1 and 3, of 8 rows
		VSHUFI32X4(Imm(0x88), z(4+c), z(c), z(16+c))
		VSHUFI32X4(Imm(0xdd), z(4+c), z(c), z(20+c))
		VSHUFI32X4(Imm(0x88), z(12+c), z(8+c), z(24+c))
		VSHUFI32X4(Imm(0xdd), z(12+c), z(8+c), z(28+c))
	}
	for c := range 4 {
		VSHUFI32X4(Imm(0x88), z(24+c), z(16+c), z(c))
		VSHUFI32X4(Imm(0x88), z(28+c), z(20+c), z(4+c))
		VSHUFI32X4(Imm(0xdd), z(24+c), z(16+c), z(8+c))
		VSHUFI32X4(Imm(0xdd), z(28+c), z(20+c), z(12+c))
	}
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of kernel.WinogradIn.
const (
	winInIn = 8 * iota
	winInRow
	winInChannel
	winInTiles
	winInChannels
	winInOut
	winInOutProduct
	winInOutChannel
)

// Fields of kernel.WinogradOut.
const (
	winOutIn = 8 * iota
	winOutInProduct
	winOutInChannel
	winOutTiles
	winOutChannels
	winOutBias
	winOutOut
	winOutRow
	winOutColumn
	winOutChannel
	winOutResidual
	winOutResRow
	winOutResColumn
	winOutResChannel
	winOutReLU
)

// width is a size of vector registers: whole vectors of 16 pictures, or halves,
// for which everything is done twice.
type width struct {
	prefix string
	v      func(i int) reg.VecPhysical
	half   bool
}

var (
	wholeWidth = width{"winograd", z, false}
	halfWidth  = width{"narrowWinograd", y, true}
)

// twice writes body once, or as a loop over halves of vectors.
func (w width) twice(body func(half reg.Register)) {
	if !w.half {
		body(nil)
		return
	}
	halves(body)
}

// begin gives a pointer of the arguments, moved to the half.
func (w width) begin(a arguments, field int, half reg.Register) reg.GPVirtual {
	p := a.load(field)
	if half != nil {
		ADDQ(half, p)
	}
	return p
}

// nextChannel moves a pointer that has passed all tiles of a channel, of so many
// bytes each, to the next channel.
func nextChannel(a arguments, p reg.Register, tiles, channel, shift int) {
	passed := GP64()
	MOVQ(a.at(tiles), passed)
	SHLQ(Imm(uint64(shift)), passed)
	SUBQ(passed, p)
	ADDQ(a.at(channel), p)
}

// window is a 4x4 window of the input.
type window struct{ in, row, row3 reg.Register }

func (w window) at(r, c int) Mem {
	m := Mem{Base: w.in, Disp: c * vectorBytes}
	switch r {
	case 1, 2:
		m.Index, m.Scale = w.row, uint8(r)
	case 3:
		m.Index, m.Scale = w.row3, 1
	}
	return m
}

// winogradIn writes the transform of the input.
func winogradIn(w width) {
	a := begin(w.prefix+"In", w.prefix+"In is the transform of Winograd's inputs.")
	row, product := a.load(winInRow), a.load(winInOutProduct)
	row3, product3 := GP64(), GP64()
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, row3)
	LEAQ(Mem{Base: product, Index: product, Scale: 2}, product3)
	w.twice(func(half reg.Register) {
		in, out, channels := w.begin(a, winInIn, half), w.begin(a, winInOut, half), a.load(winInChannels)
		Label("channel")
		n := a.load(winInTiles)
		Label("tile")
		to := GP64()
		MOVQ(out, to)
		d := window{in, row, row3}
		if !w.half {
			prefetchWindow(a, d)
			wholeColumns(d)
		}
		for r := 0; r < 4; r++ {
			t := 4 * r
			if w.half {
				t = 0
				narrowColumns(d, r)
			}
			w.products(t, to, product, product3)
			if r < 3 {
				LEAQ(Mem{Base: to, Index: product, Scale: 4}, to)
			}
		}
		ADDQ(Imm(2*vectorBytes), in)
		ADDQ(Imm(vectorBytes), out)
		DECQ(n)
		JNZ(LabelRef("tile"))
		nextChannel(a, in, winInTiles, winInChannel, 7)
		nextChannel(a, out, winInTiles, winInOutChannel, 6)
		DECQ(channels)
		JNZ(LabelRef("channel"))
	})
	end()
}

// prefetchWindow fetches what the next channel's tile adds to the tile before it:
// a channel's rows are far from the last one's, and too short for the
// processor's own prefetching.
func prefetchWindow(a arguments, d window) {
	next := a.load(winInChannel)
	ADDQ(d.in, next)
	for r := 0; r < 4; r++ {
		for c := 2; c < 4; c++ {
			PREFETCHT0(window{next, d.row, d.row3}.at(r, c))
		}
	}
}

// wholeColumns puts the transform of the columns, row by row, in registers 0..15.
func wholeColumns(d window) {
	for c := 0; c < 4; c++ {
		for r := 0; r < 3; r++ {
			VMOVUPS(d.at(r, c), z(16+r))
		}
		VSUBPS(z(18), z(16), z(c))
		VADDPS(z(18), z(17), z(4+c))
		VSUBPS(z(17), z(18), z(8+c))
		VSUBPS(d.at(3, c), z(17), z(12+c))
	}
}

// narrowColumns puts row r of the transform of the columns in registers 0..3.
func narrowColumns(d window, r int) {
	for c := 0; c < 4; c++ {
		switch r {
		case 0:
			VMOVUPS(d.at(0, c), y(c))
			VSUBPS(d.at(2, c), y(c), y(c))
		case 1:
			VMOVUPS(d.at(1, c), y(c))
			VADDPS(d.at(2, c), y(c), y(c))
		case 2:
			VMOVUPS(d.at(2, c), y(c))
			VSUBPS(d.at(1, c), y(c), y(c))
		case 3:
			VMOVUPS(d.at(1, c), y(c))
			VSUBPS(d.at(3, c), y(c), y(c))
		}
	}
}

// products transforms the row in registers t..t+3 and stores its four values.
func (w width) products(t int, to, product, product3 reg.Register) {
	first := 20
	if w.half {
		first = 4
	}
	VSUBPS(w.v(t+2), w.v(t), w.v(first))
	VADDPS(w.v(t+2), w.v(t+1), w.v(first+1))
	VSUBPS(w.v(t+1), w.v(t+2), w.v(first+2))
	VSUBPS(w.v(t+3), w.v(t+1), w.v(first+3))
	for i := 0; i < 4; i++ {
		VMOVUPS(w.v(first+i), fourth(to, product, product3, i))
	}
}

// fourth is the address base + i*step, i of 0..3.
func fourth(base, step, step3 reg.Register, i int) Mem {
	switch i {
	case 1, 2:
		return Mem{Base: base, Index: step, Scale: uint8(i)}
	case 3:
		return Mem{Base: base, Index: step3, Scale: 1}
	}
	return Mem{Base: base}
}

// Registers of the transform of the output, beside those of its results.
const (
	winBias  = 14
	winFloor = 15
)

// winogradOut writes the transform of the output. The four results are stored
// the last one first: a step of 0 makes the second row or column be overwritten.
func winogradOut(w width) {
	a := begin(w.prefix+"Out", w.prefix+"Out is the transform of Winograd's outputs.")
	product, product3 := a.load(winOutInProduct), GP64()
	LEAQ(Mem{Base: product, Index: product, Scale: 2}, product3)
	w.twice(func(half reg.Register) {
		in, out, res := w.begin(a, winOutIn, half), w.begin(a, winOutOut, half), w.begin(a, winOutResidual, half)
		bias, channels := a.load(winOutBias), a.load(winOutChannels)
		Label("channel")
		VBROADCASTSS(Mem{Base: bias}, w.v(winBias))
		n := a.load(winOutTiles)
		Label("tile")
		w.sums(in, product, product3)
		CMPQ(a.at(winOutResidual), Imm(0))
		JE(LabelRef("noResidual"))
		row, column, second := a.load(winOutResRow), a.load(winOutResColumn), GP64()
		LEAQ(Mem{Base: res, Index: row, Scale: 1}, second)
		VADDPS(Mem{Base: res}, w.v(10), w.v(10))
		VADDPS(Mem{Base: res, Index: column, Scale: 1}, w.v(11), w.v(11))
		VADDPS(Mem{Base: second}, w.v(12), w.v(12))
		VADDPS(Mem{Base: second, Index: column, Scale: 1}, w.v(13), w.v(13))
		ADDQ(U32(2*vectorBytes), res)
		Label("noResidual")
		CMPQ(a.at(winOutReLU), Imm(0))
		JE(LabelRef("noReLU"))
		w.clear(winFloor)
		for i := 10; i < 14; i++ {
			VMAXPS(w.v(winFloor), w.v(i), w.v(i))
		}
		Label("noReLU")
		w.storeSquare(a, out)
		ADDQ(U32(2*vectorBytes), out)
		ADDQ(Imm(vectorBytes), in)
		DECQ(n)
		JNZ(LabelRef("tile"))
		nextChannel(a, in, winOutTiles, winOutInChannel, 6)
		nextChannel(a, out, winOutTiles, winOutChannel, 7)
		nextChannel(a, res, winOutTiles, winOutResChannel, 7)
		ADDQ(Imm(4), bias)
		DECQ(channels)
		JNZ(LabelRef("channel"))
	})
	end()
}

func (w width) clear(i int) {
	if w.half {
		VPXOR(w.v(i), w.v(i), w.v(i))
	} else {
		VPXORD(w.v(i), w.v(i), w.v(i))
	}
}

// sums puts the 2x2 results of the 16 products at in, with the bias, in
// registers 10..13.
func (w width) sums(in, product, product3 reg.Register) {
	at := GP64()
	MOVQ(in, at)
	for r := 0; r < 4; r++ {
		VMOVUPS(fourth(at, product, product3, 1), w.v(8))
		VMOVUPS(fourth(at, product, product3, 2), w.v(9))
		VADDPS(w.v(9), w.v(8), w.v(2*r))
		VSUBPS(w.v(9), w.v(8), w.v(2*r+1))
		VADDPS(fourth(at, product, product3, 0), w.v(2*r), w.v(2*r))
		VSUBPS(fourth(at, product, product3, 3), w.v(2*r+1), w.v(2*r+1))
		if r < 3 {
			LEAQ(Mem{Base: at, Index: product, Scale: 4}, at)
		}
	}
	for c := 0; c < 2; c++ {
		VADDPS(w.v(4+c), w.v(2+c), w.v(8))
		VSUBPS(w.v(4+c), w.v(2+c), w.v(9))
		VADDPS(w.v(c), w.v(8), w.v(10+c))
		VSUBPS(w.v(6+c), w.v(9), w.v(12+c))
	}
	for i := 10; i < 14; i++ {
		VADDPS(w.v(winBias), w.v(i), w.v(i))
	}
}

// storeSquare stores registers 10..13, the last first.
func (w width) storeSquare(a arguments, out reg.Register) {
	row, column, second := a.load(winOutRow), a.load(winOutColumn), GP64()
	LEAQ(Mem{Base: out, Index: row, Scale: 1}, second)
	if !w.half {
		prefetchSquare(a, out, row, column)
	}
	VMOVUPS(w.v(13), Mem{Base: second, Index: column, Scale: 1})
	VMOVUPS(w.v(12), Mem{Base: second})
	VMOVUPS(w.v(11), Mem{Base: out, Index: column, Scale: 1})
	VMOVUPS(w.v(10), Mem{Base: out})
}

// prefetchSquare fetches where the next channel's results will go.
func prefetchSquare(a arguments, out, row, column reg.Register) {
	next := a.load(winOutChannel)
	ADDQ(out, next)
	for y := 0; y < 2; y++ {
		PREFETCHT0(Mem{Base: next})
		PREFETCHT0(Mem{Base: next, Index: column, Scale: 1})
		if y == 0 {
			ADDQ(row, next)
		}
	}
}

func winograd() {
	winogradIn(wholeWidth)
	winogradOut(wholeWidth)
	winogradIn(halfWidth)
	winogradOut(halfWidth)
}

// Command gen writes the assembly of package kernel. It is a module of its own,
// so that users of the program never see its dependencies. Run it through
// "go generate" in the folder above; gen.sh checks that the result is committed.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Field offsets of the argument structures in kernel.go. All fields are 8 bytes
// but for the last four of TensorRT and NVDLA.
const (
	convIn = 8 * iota
	convOffsets
	convWeights
	convK
	convInStep
	convInit
	convOut
	convOutStep
	convOutChannel
	convResidual
	convResStep
	convResChannel
	convReLU
	convTiles
)

const vectorBytes = 64

// z is vector register i.
func z(i int) reg.VecPhysical {
	return []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}[i]
}

// arguments is the pointer to a kernel's argument structure.
type arguments struct{ base reg.Register }

// begin starts a function that takes one pointer. The declarations in Go, with
// the pointer's true type, are in select_amd64.go.
func begin(name, doc string) arguments {
	TEXT(name, NOSPLIT, "func(a *byte)")
	Doc(doc)
	return arguments{Load(Param("a"), GP64())}
}

func (a arguments) at(offset int) Mem { return Mem{Base: a.base, Disp: offset} }

// load reads an 8-byte field.
func (a arguments) load(offset int) reg.GPVirtual {
	r := GP64()
	MOVQ(a.at(offset), r)
	return r
}

func end() {
	VZEROUPPER()
	RET()
}

func main() {
	ConstraintExpr("amd64,!purego")
	constants()
	for pixels := 1; pixels <= 7; pixels++ {
		conv(floatConv, pixels)
		conv(int8Conv, pixels)
		column(floatConv, "columnF32", pixels)
		column(int8Conv, "columnI8", pixels)
		fused(fusedTensorRT, pixels)
		fused(fusedNVDLA, pixels)
	}
	tensorRT()
	nvdla()
	maximum("maxF32", VMAXPS)
	maximum("maxU8", VPMAXUB)
	affine()
	lookup()
	interleave()
	avx2()
	winograd()
	Generate()
}

// Offsets into the table of constants.
const (
	transpose = 0                    // the shuffle that turns four packed channels into elements
	flip      = 16                   // 0x80808080
	largest   = 20                   // float32(127)
	magic     = 24                   // float32(1.5*2^23)
	magicLess = 28                   // the bits of magic, less 128
	lift      = 32                   // four shuffles of a vector: byte o of each element becomes its highest, the others 0
	join      = lift + 4*vectorBytes // the permutation that joins four rows of 16 bytes
)

func constants() {
	GLOBL("constants", RODATA|NOPTR)
	shuffle := [16]byte{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}
	for i := 0; i < 16; i += 4 {
		DATA(transpose+i, U32(uint32(shuffle[i])|uint32(shuffle[i+1])<<8|uint32(shuffle[i+2])<<16|uint32(shuffle[i+3])<<24))
	}
	DATA(flip, U32(0x80808080))
	DATA(largest, U32(0x42fe0000))
	DATA(magic, U32(0x4b400000))
	DATA(magicLess, U32(0x4b400000-128))
	for o := range 4 {
		for i := range 16 {
			DATA(lift+o*vectorBytes+4*i, U32(uint32(i%4*4+o)<<24|0x808080))
		}
	}
	for i := range uint32(16) {
		DATA(join+4*int(i), U32(i|(16+i)<<8|(32+i)<<16|(48+i)<<24))
	}
}

// constantsAt gives the address of the table of constants.
func constantsAt() reg.GPVirtual {
	r := GP64()
	LEAQ(NewDataAddr(NewStaticSymbol("constants"), 0), r)
	return r
}

//go:build amd64 && !purego

package kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// avx512 is the set for AVX-512 with VNNI.
var avx512 = &Set{
	Name:          "avx512-vnni",
	TileF32:       MaxTile,
	TileI8:        MaxTile,
	ConvF32:       [8]func(*Conv){nil, convF32P1, convF32P2, convF32P3, convF32P4, convF32P5, convF32P6, convF32P7},
	ConvI8:        [8]func(*Conv){nil, convI8P1, convI8P2, convI8P3, convI8P4, convI8P5, convI8P6, convI8P7},
	ColumnF32:     [8]func(*Conv){nil, columnF32P1, columnF32P2, columnF32P3, columnF32P4, columnF32P5, columnF32P6, columnF32P7},
	ColumnI8:      [8]func(*Conv){nil, columnI8P1, columnI8P2, columnI8P3, columnI8P4, columnI8P5, columnI8P6, columnI8P7},
	FusedTensorRT: FusedKernels{nil, convTensorRTP1, convTensorRTP2, convTensorRTP3, convTensorRTP4, convTensorRTP5, convTensorRTP6, convTensorRTP7},
	FusedNVDLA:    FusedKernels{nil, convNVDLAP1, convNVDLAP2, convNVDLAP3, convNVDLAP4, convNVDLAP5, convNVDLAP6, convNVDLAP7},
	TensorRT:      requantTensorRT,
	NVDLA:         requantNVDLA,
	MaxF32:        maxF32,
	MaxU8:         maxU8,
	Affine:        affineF32,
	WinogradIn:    winogradIn,
	WinogradOut:   winogradOut,
}

// narrow is the set for AVX2 with FMA.
var narrow = &Set{
	Name:     "avx2",
	TileF32:  3,
	TileI8:   2,
	ConvF32:  [8]func(*Conv){1: narrowF32P1, 2: narrowF32P2, 3: narrowF32P3},
	ConvI8:   [8]func(*Conv){1: narrowI8P1, 2: narrowI8P2},
	TensorRT: narrowTensorRT,
	NVDLA:    narrowNVDLA,
	MaxF32:   narrowMaxF32,
	MaxU8:    narrowMaxU8,
	Affine:   narrowAffine,

	WinogradIn:  narrowWinogradIn,
	WinogradOut: narrowWinogradOut,
}

var (
	sets = available()
	best = choose(sets, os.Getenv("BENCH_CPU"))
)

func available() []*Set {
	s := []*Set{plain}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		s = append(s, narrow)
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI {
		if cpu.X86.HasAVX512VBMI && cpu.X86.HasBMI2 {
			avx512.Lookup, avx512.Interleave = lookupU8, interleaveU8
		}
		s = append(s, avx512)
	}
	return s
}

// choose picks the set called name, else the fastest, which is the last.
func choose(sets []*Set, name string) *Set {
	names := map[string]string{"avx512": avx512.Name, "avx2": narrow.Name, "go": plain.Name}
	for _, s := range sets {
		if s.Name == names[name] {
			return s
		}
	}
	return sets[len(sets)-1]
}

//go:generate go -C gen run . -out ../kernel_amd64.s -pkg kernel

// The kernels in kernel_amd64.s. convF32P7 computes tiles of 7 pixels.

//go:noescape
func convF32P1(a *Conv)

//go:noescape
func convF32P2(a *Conv)

//go:noescape
func convF32P3(a *Conv)

//go:noescape
func convF32P4(a *Conv)

//go:noescape
func convF32P5(a *Conv)

//go:noescape
func convF32P6(a *Conv)

//go:noescape
func convF32P7(a *Conv)

//go:noescape
func convI8P1(a *Conv)

//go:noescape
func convI8P2(a *Conv)

//go:noescape
func convI8P3(a *Conv)

//go:noescape
func convI8P4(a *Conv)

//go:noescape
func convI8P5(a *Conv)

//go:noescape
func convI8P6(a *Conv)

//go:noescape
func convI8P7(a *Conv)

//go:noescape
func convTensorRTP1(a *Fused)

//go:noescape
func convTensorRTP2(a *Fused)

//go:noescape
func convTensorRTP3(a *Fused)

//go:noescape
func convTensorRTP4(a *Fused)

//go:noescape
func convTensorRTP5(a *Fused)

//go:noescape
func convTensorRTP6(a *Fused)

//go:noescape
func convTensorRTP7(a *Fused)

//go:noescape
func convNVDLAP1(a *Fused)

//go:noescape
func convNVDLAP2(a *Fused)

//go:noescape
func convNVDLAP3(a *Fused)

//go:noescape
func convNVDLAP4(a *Fused)

//go:noescape
func convNVDLAP5(a *Fused)

//go:noescape
func convNVDLAP6(a *Fused)

//go:noescape
func convNVDLAP7(a *Fused)

//go:noescape
func columnF32P1(a *Conv)

//go:noescape
func columnF32P2(a *Conv)

//go:noescape
func columnF32P3(a *Conv)

//go:noescape
func columnF32P4(a *Conv)

//go:noescape
func columnF32P5(a *Conv)

//go:noescape
func columnF32P6(a *Conv)

//go:noescape
func columnF32P7(a *Conv)

//go:noescape
func columnI8P1(a *Conv)

//go:noescape
func columnI8P2(a *Conv)

//go:noescape
func columnI8P3(a *Conv)

//go:noescape
func columnI8P4(a *Conv)

//go:noescape
func columnI8P5(a *Conv)

//go:noescape
func columnI8P6(a *Conv)

//go:noescape
func columnI8P7(a *Conv)

//go:noescape
func requantTensorRT(a *TensorRT)

//go:noescape
func requantNVDLA(a *NVDLA)

//go:noescape
func maxF32(a *Pool)

//go:noescape
func maxU8(a *Pool)

//go:noescape
func affineF32(a *Affine)

//go:noescape
func lookupU8(a *Lookup)

//go:noescape
func interleaveU8(a *Interleave)

//go:noescape
func narrowF32P1(a *Conv)

//go:noescape
func narrowF32P2(a *Conv)

//go:noescape
func narrowF32P3(a *Conv)

//go:noescape
func narrowI8P1(a *Conv)

//go:noescape
func narrowI8P2(a *Conv)

//go:noescape
func narrowTensorRT(a *TensorRT)

//go:noescape
func narrowNVDLA(a *NVDLA)

//go:noescape
func narrowMaxF32(a *Pool)

//go:noescape
func narrowMaxU8(a *Pool)

//go:noescape
func narrowAffine(a *Affine)

//go:noescape
func winogradIn(a *WinogradIn)

//go:noescape
func winogradOut(a *WinogradOut)

//go:noescape
func narrowWinogradIn(a *WinogradIn)

//go:noescape
func narrowWinogradOut(a *WinogradOut)

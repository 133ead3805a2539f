package kernel

import (
	"math"
	"unsafe"
)

// Fused is one call of an int8 convolution that requantizes its sums while they
// are in registers: Blocks blocks of 4 output channels, each over the same Tiles
// tiles of adjacent pixels. Block b reads its weights and start values behind
// those of block b-1, and its input InBlock bytes further on. Pixel p, channel o
// of block b, picture l is the sum
//
//	s = Start[b][o] + sum over k of In[b*InBlock + p*InStep + Offsets[k]][l] * Weights[b][k][o]
//
// of Conv, sent through a requantization whose result goes, four channels to an
// element and none below Least, to Out[b*OutBlock + p*OutStep].
//
// TensorRT's requantization, with every operation rounded to float32, is
//
//	y = float32(s)*Mul[b][o] + Bias[b][o]
//	y = y + float32(r)*ResMul     if there is a residual r
//	q = clamp(rne(y*OutMul), -128, 127)
//
// NVDLA's is the same as that of type NVDLA where package compute could prove
// it: exact in float32 but for the rounding to integers.
//
//	v = float32(s)
//	v = rne(v*Mul[b][o])          if there are factors
//	v = v + float32(r)*ResMul     if there is a residual r
//	q = clamp(rne(v*OutMul), -128, 127)
//
// No product may leave int32 (TensorRT) or -2^22..2^22 (NVDLA).
type Fused struct {
	In       unsafe.Pointer
	Offsets  unsafe.Pointer // K int32, in bytes
	Weights  unsafe.Pointer // Blocks x K x 4 elements
	K        int64
	InStep   int64          // bytes
	InBlock  int64          // bytes
	Start    unsafe.Pointer // Blocks x 4 int32
	Out      unsafe.Pointer
	OutStep  int64 // bytes
	OutBlock int64 // bytes
	Residual unsafe.Pointer
	ResStep  int64 // bytes
	ResBlock int64 // bytes
	Tiles    int64
	Blocks   int64
	Factors  unsafe.Pointer // float32: TensorRT Blocks x (4 Mul, 4 Bias), NVDLA Blocks x 4 Mul or none
	ResMul   float32        // the residual's factor, times 2^-24
	OutMul   float32
	Least    uint32 // the smallest stored byte, four times: 0, or 0x80 for ReLU
	_        uint32
}

// FusedKernels are the kernels of one requantization by the number of pixels in
// a tile, as in Set; all nil for a set that has none.
type FusedKernels [MaxTile + 1]func(*Fused)

// fusedTiles makes a set's kernels of a function for any number of pixels.
// requantize turns a sum and a residual, which is float32(r)*2^24, into an
// integer; factors are those of the sum's channel and of the three after it.
func fusedTiles(stride int, requantize func(a *Fused, factors []float32, sum int32, r float32) float64) (t FusedKernels) {
	for pixels := 1; pixels <= MaxTile; pixels++ {
		t[pixels] = func(a *Fused) {
			for b := range int(a.Blocks) {
				var factors []float32
				if a.Factors != nil {
					factors = unsafe.Slice((*float32)(unsafe.Add(a.Factors, 4*stride*b)), stride)
				}
				for p := range pixels * int(a.Tiles) {
					plainFused(a, b, p, func(o int, sum int32, r float32) float64 {
						if factors == nil {
							return requantize(a, nil, sum, r)
						}
						return requantize(a, factors[o:], sum, r)
					})
				}
			}
		}
	}
	return t
}

// plainFused computes pixel p of block b.
func plainFused(a *Fused, b, p int, requantize func(o int, sum int32, r float32) float64) {
	var sums [Block][Lanes]int32
	plainConvI8(&Conv{In: unsafe.Add(a.In, b*int(a.InBlock)+p*int(a.InStep)), Offsets: a.Offsets,
		Weights: unsafe.Add(a.Weights, 4*Block*b*int(a.K)), K: a.K, Init: unsafe.Add(a.Start, 4*Block*b),
		Out: unsafe.Pointer(&sums), Tiles: 1}, 1)
	var residual [Lanes]uint32
	if a.Residual != nil {
		residual = *words(unsafe.Add(a.Residual, b*int(a.ResBlock)+p*int(a.ResStep)))
	}
	out := words(unsafe.Add(a.Out, b*int(a.OutBlock)+p*int(a.OutStep)))
	for l := range out {
		var word uint32
		for o := range Block {
			r := float32(signed(residual[l], o)) * (1 << 24)
			q := int8(max(-128, min(127, requantize(o, sums[o][l], r))))
			word |= uint32(max(byte(q)^0x80, byte(a.Least))) << (8 * o)
		}
		out[l] = word
	}
}

func plainFusedTensorRT(a *Fused, factors []float32, sum int32, r float32) float64 {
	y := float32(float32(sum)*factors[0]) + factors[Block]
	if a.Residual != nil {
		y += float32(r * a.ResMul)
	}
	return math.RoundToEven(float64(y * a.OutMul))
}

// plainFusedNVDLA multiplies in float64, where the products are exact.
func plainFusedNVDLA(a *Fused, factors []float32, sum int32, r float32) float64 {
	v := float64(sum)
	if factors != nil {
		v = math.RoundToEven(v * float64(factors[0]))
	}
	if a.Residual != nil {
		v += float64(r) * float64(a.ResMul)
	}
	return math.RoundToEven(v * float64(a.OutMul))
}

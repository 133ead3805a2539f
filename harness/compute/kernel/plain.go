package kernel

import (
	"math"
	"unsafe"
)

// plain is the set in plain Go: the definition of every kernel.
var plain = &Set{
	Name:          "go",
	TileF32:       MaxTile,
	TileI8:        MaxTile,
	ConvF32:       tiles(plainConvF32),
	ConvI8:        tiles(plainConvI8),
	FusedTensorRT: fusedTiles(2*Block, plainFusedTensorRT),
	FusedNVDLA:    fusedTiles(Block, plainFusedNVDLA),
	TensorRT:      plainTensorRT,
	NVDLA:         plainNVDLA,
	MaxF32:        plainMaxF32,
	MaxU8:         plainMaxU8,
	Affine:        plainAffine,
	Lookup:        plainLookup,
	Interleave:    plainInterleave,
	WinogradIn:    plainWinogradIn,
	WinogradOut:   plainWinogradOut,
}

type (
	floats = *[Lanes]float32
	ints   = *[Lanes]int32
	words  = *[Lanes]uint32
)

func tiles(f func(a *Conv, pixels int)) (t [MaxTile + 1]func(*Conv)) {
	for p := 1; p <= MaxTile; p++ {
		t[p] = func(a *Conv) { f(a, p) }
	}
	return t
}

func at[T any](p unsafe.Pointer, i int) T {
	var t T
	return *(*T)(unsafe.Add(p, i*int(unsafe.Sizeof(t))))
}

func plainConvF32(a *Conv, pixels int) {
	for p := 0; p < pixels*int(a.Tiles); p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		for o := 0; o < Block; o++ {
			var acc [Lanes]float32
			bias := at[float32](a.Init, o)
			for l := range acc {
				acc[l] = bias
			}
			for k := 0; k < int(a.K); k++ {
				w := at[float32](a.Weights, k*Block+o)
				x := floats(unsafe.Add(in, int(at[int32](a.Offsets, k))))
				for l := range acc {
					acc[l] += float32(x[l] * w)
				}
			}
			finishF32(a, p, o, &acc)
		}
	}
}

// finishF32 adds the residual, applies ReLU and stores pixel p, channel o.
func finishF32(a *Conv, p, o int, acc floats) {
	if a.Residual != nil {
		r := floats(unsafe.Add(a.Residual, p*int(a.ResStep)+o*int(a.ResChannel)))
		for l := range acc {
			acc[l] += r[l]
		}
	}
	if a.ReLU != 0 {
		for l := range acc {
			acc[l] = max(acc[l], 0)
		}
	}
	*floats(unsafe.Add(a.Out, p*int(a.OutStep)+o*int(a.OutChannel))) = *acc
}

func plainConvI8(a *Conv, pixels int) {
	for p := 0; p < pixels*int(a.Tiles); p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		for o := 0; o < Block; o++ {
			acc := ints(unsafe.Add(a.Out, (p*Block+o)*VectorBytes))
			for l := range acc {
				acc[l] = at[int32](a.Init, o)
			}
			for k := 0; k < int(a.K); k++ {
				w := at[[4]int8](a.Weights, k*Block+o)
				x := (*[Lanes][4]uint8)(unsafe.Add(in, int(at[int32](a.Offsets, k))))
				for l := range acc {
					acc[l] += int32(x[l][0])*int32(w[0]) + int32(x[l][1])*int32(w[1]) +
						int32(x[l][2])*int32(w[2]) + int32(x[l][3])*int32(w[3])
				}
			}
		}
	}
}

// signed is byte o of a stored word, as the int8 it stands for.
func signed(word uint32, o int) int8 { return int8(byte(word>>(8*o)) ^ 0x80) }

func plainTensorRT(a *TensorRT) {
	for p := 0; p < int(a.N); p++ {
		out := words(unsafe.Add(a.Out, p*int(a.OutStep)))
		for l := range out {
			var word uint32
			for o := 0; o < Block; o++ {
				acc := ints(unsafe.Add(a.Acc, (p*Block+o)*VectorBytes))
				y := float32(float32(acc[l])*at[float32](a.Mul, o)) + at[float32](a.Bias, o)
				if a.Residual != nil {
					r := words(unsafe.Add(a.Residual, p*int(a.ResStep)))
					y += float32(float32(signed(r[l], o)) * a.ResMul)
				}
				y = max(y, a.Floor)
				word |= uint32(byte(RoundEven(y*a.OutMul))^0x80) << (8 * o)
			}
			out[l] = word
		}
	}
}

// RoundEven is clamp(rne(y), -128, 127): half to even, as TensorRT rounds.
func RoundEven(y float32) int8 {
	return int8(max(-128, min(127, math.RoundToEven(float64(y)))))
}

// RoundAway is rha: v/2^shift, rounded half away from zero, as NVDLA rounds.
func RoundAway(v int64, shift int) int64 {
	if shift == 0 {
		return v
	}
	half := int64(1) << (shift - 1)
	if v < 0 {
		return -((-v + half) >> shift)
	}
	return (v + half) >> shift
}

// Saturate clamps v to int8.
func Saturate(v int64) int8 { return int8(max(-128, min(127, v))) }

func plainNVDLA(a *NVDLA) {
	for p := 0; p < int(a.N); p++ {
		out := words(unsafe.Add(a.Out, p*int(a.OutStep)))
		for l := range out {
			var word uint32
			for o := 0; o < Block; o++ {
				acc := ints(unsafe.Add(a.Acc, (p*Block+o)*VectorBytes))
				v := int64(acc[l])
				if a.UseMul != 0 {
					v = RoundAway(v*int64(at[int32](a.Mul, o)), int(a.Shift1))
				}
				v = max(v, int64(a.Floor1))
				if a.Residual != nil {
					r := words(unsafe.Add(a.Residual, p*int(a.ResStep)))
					v = max(v+int64(signed(r[l], o))<<a.ResShift, int64(a.Floor2))
				}
				v = RoundAway((v-int64(a.Offset))*int64(a.Scale), int(a.Shift))
				word |= uint32(byte(Saturate(v))^0x80) << (8 * o)
			}
			out[l] = word
		}
	}
}

func plainMaxF32(a *Pool) {
	for p := 0; p < int(a.N); p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		m := *floats(unsafe.Add(in, int(at[int32](a.Offsets, 0))))
		for k := 1; k < int(a.K); k++ {
			x := floats(unsafe.Add(in, int(at[int32](a.Offsets, k))))
			for l := range m {
				m[l] = max(m[l], x[l])
			}
		}
		*floats(unsafe.Add(a.Out, p*int(a.OutStep))) = m
	}
}

func plainMaxU8(a *Pool) {
	for p := 0; p < int(a.N); p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		m := *(*[VectorBytes]byte)(unsafe.Add(in, int(at[int32](a.Offsets, 0))))
		for k := 1; k < int(a.K); k++ {
			x := (*[VectorBytes]byte)(unsafe.Add(in, int(at[int32](a.Offsets, k))))
			for l := range m {
				m[l] = max(m[l], x[l])
			}
		}
		*(*[VectorBytes]byte)(unsafe.Add(a.Out, p*int(a.OutStep))) = m
	}
}

func plainAffine(a *Affine) {
	n := int(a.N) * Lanes
	in := unsafe.Slice((*float32)(a.In), n)
	out := unsafe.Slice((*float32)(a.Out), n)
	for i, x := range in {
		out[i] = max(float32(x*a.Mul)+a.Bias, a.Floor)
	}
}

func plainLookup(a *Lookup) {
	table := (*[256]byte)(a.Table)
	for r := range int(a.Rows) {
		out := unsafe.Slice((*byte)(unsafe.Add(a.Out, r*int(a.OutStep))), a.N)
		for i, v := range unsafe.Slice((*byte)(unsafe.Add(a.In, r*int(a.InStep))), a.N) {
			out[i] = table[v]
		}
	}
}

func plainInterleave(a *Interleave) {
	for p := range int(a.N) {
		out := (*[Lanes][Block]byte)(unsafe.Add(a.Out, p*VectorBytes))
		for l := range out {
			for c := range out[l] {
				out[l][c] = *(*byte)(unsafe.Add(a.In, l*int(a.LaneStep)+c*int(a.ChannelStep)+p))
			}
		}
	}
}

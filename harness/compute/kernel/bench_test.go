package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// measure reports how many of a unit a call does in a second of processor time.
func measure(b *testing.B, f func(), units float64, name string) {
	start := cpuTime()
	for b.Loop() {
		f()
	}
	b.ReportMetric(units*float64(b.N)/(cpuTime()-start).Seconds(), name)
}

// BenchmarkConv measures every tile of every set over data in the first-level
// cache, as multiply-accumulates a second.
func BenchmarkConv(b *testing.B) {
	const k = 144
	r := rand.New(rand.NewPCG(1, 1))
	in, weights, init := floatMemory(r, 256), floatMemory(r, k*Block/Lanes), make([]int32, Block)
	offsets := make([]int32, k)
	for i := range offsets {
		offsets[i] = int32(r.IntN(240) * VectorBytes)
	}
	for _, s := range Sets() {
		for pixels := 1; pixels <= MaxTile; pixels++ {
			a := &Conv{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: k, InStep: VectorBytes, Init: ptr(init),
				Out: ptr(make([]byte, pixels*Block*VectorBytes)), OutStep: Block * VectorBytes, OutChannel: VectorBytes, Tiles: 1}
			run := func(kind string, f func(*Conv), macs int) {
				if f == nil {
					return
				}
				b.Run(fmt.Sprintf("%s/%s/%d", kind, s.Name, pixels), func(b *testing.B) {
					measure(b, func() { f(a) }, float64(macs)/1e9, "GMAC/cpu-s")
				})
			}
			run("fp32", s.ConvF32[pixels], k*pixels*Block*Lanes)
			run("int8", s.ConvI8[pixels], k*pixels*Block*Lanes*4)
		}
	}
}

// BenchmarkEpilogue measures the requantizations, poolings and the affine map, a
// row of 16 pixels at a time.
func BenchmarkEpilogue(b *testing.B) {
	const n = 16
	r := rand.New(rand.NewPCG(2, 2))
	acc, residual, in := sums(r, n, 15), memory(r, n, false), floatMemory(r, 4*n)
	out := make([]byte, n*VectorBytes)
	mul, bias, factor := []float32{1, 1, 1, 1}, make([]float32, Block), []int32{20000, 1, -20000, 3}
	offsets := []int32{0, VectorBytes, 2 * VectorBytes, 3 * VectorBytes}
	trt := TensorRT{Acc: ptr(acc), N: n, Mul: ptr(mul), Bias: ptr(bias), Out: ptr(out), OutStep: VectorBytes, Floor: -math.MaxFloat32, OutMul: 0.01}
	dla := NVDLA{Acc: ptr(acc), N: n, Mul: ptr(factor), Out: ptr(out), OutStep: VectorBytes, Shift: 22, Scale: 20000,
		Floor1: math.MinInt32, Floor2: math.MinInt32}
	dla.Half, dla.Away = Rounding(22)
	trtSum, dlaSum, dlaMul := trt, dla, dla
	trtSum.Residual, trtSum.ResStep, trtSum.ResMul = ptr(residual), VectorBytes, 0.5
	dlaSum.Residual, dlaSum.ResStep, dlaSum.ResShift = ptr(residual), VectorBytes, 4
	dlaMul.UseMul, dlaMul.Shift1 = 1, 15
	dlaMul.Half1, dlaMul.Away1 = Rounding(15)
	pool := Pool{In: ptr(in), Offsets: ptr(offsets), K: 4, N: n, InStep: 2 * VectorBytes, Out: ptr(out), OutStep: VectorBytes}
	affine := Affine{In: ptr(in), Out: ptr(out), N: n, Mul: 2}
	for _, s := range Sets() {
		for name, f := range map[string]func(){
			"tensorrt": func() { s.TensorRT(&trt) }, "tensorrt-residual": func() { s.TensorRT(&trtSum) },
			"nvdla": func() { s.NVDLA(&dla) }, "nvdla-residual": func() { s.NVDLA(&dlaSum) }, "nvdla-channels": func() { s.NVDLA(&dlaMul) },
			"maximum-float": func() { s.MaxF32(&pool) }, "maximum-int8": func() { s.MaxU8(&pool) }, "affine": func() { s.Affine(&affine) },
		} {
			b.Run(name+"/"+s.Name, func(b *testing.B) { measure(b, f, n, "pixels/cpu-s") })
		}
	}
}

// BenchmarkFused measures the convolutions that requantize in registers: 4 blocks
// of 4 tiles over data in the first-level cache.
func BenchmarkFused(b *testing.B) {
	for _, s := range Sets() {
		for _, k := range []int{36, 144, 576} {
			for _, pixels := range []int{4, 7} {
				benchmarkFused(b, s, k, pixels)
			}
		}
	}
}

func benchmarkFused(b *testing.B, s *Set, k, pixels int) {
	const tiles, blocks = 4, 4
	r := rand.New(rand.NewPCG(3, 3))
	in, weights, start := memory(r, 256, false), memory(r, blocks*k*Block/Lanes, false), make([]int32, blocks*Block)
	offsets, factors := make([]int32, k), make([]float32, 2*blocks*Block)
	for i := range offsets {
		offsets[i] = int32(r.IntN(200) * VectorBytes)
	}
	a := Fused{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: int64(k), InStep: VectorBytes, Start: ptr(start),
		Out: ptr(make([]byte, 128*VectorBytes)), OutStep: VectorBytes, OutBlock: 32 * VectorBytes, Tiles: tiles, Blocks: blocks,
		Factors: ptr(factors), OutMul: 0.01}
	sum, plain := a, a
	sum.Residual, sum.ResStep, sum.ResMul, plain.Factors = ptr(in), VectorBytes, 0x1p-24, nil
	run := func(name string, f func(*Fused), a *Fused) {
		if f == nil {
			return
		}
		b.Run(fmt.Sprintf("%s/%s/%dx%d", name, s.Name, k, pixels), func(b *testing.B) {
			measure(b, func() { f(a) }, float64(blocks*tiles*k*Block*Lanes*4*pixels)/1e9, "GMAC/cpu-s")
		})
	}
	run("tensorrt", s.FusedTensorRT[pixels], &a)
	run("tensorrt-residual", s.FusedTensorRT[pixels], &sum)
	run("nvdla", s.FusedNVDLA[pixels], &plain)
	run("nvdla-channels", s.FusedNVDLA[pixels], &a)
	run("nvdla-residual", s.FusedNVDLA[pixels], &sum)
}

// BenchmarkColumn measures the convolution of one channel: 7 vectors of 208
// steps, as in LeNet's first fully connected layer.
func BenchmarkColumn(b *testing.B) {
	const k, vectors = 208, 7
	r := rand.New(rand.NewPCG(5, 5))
	in, weights, offsets := floatMemory(r, k*vectors), make([]float32, k), make([]int32, k)
	for i := range offsets {
		offsets[i] = int32(i * VectorBytes)
	}
	a := &Conv{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: k, InStep: k * VectorBytes, Init: ptr(weights),
		Out: ptr(make([]byte, vectors*VectorBytes)), OutStep: VectorBytes, Tiles: 1}
	for _, s := range Sets() {
		if s.ColumnF32[vectors] == nil {
			continue
		}
		b.Run("fp32/"+s.Name, func(b *testing.B) {
			measure(b, func() { s.ColumnF32[vectors](a) }, float64(k*vectors*Lanes)/1e9, "GMAC/cpu-s")
		})
		b.Run("int8/"+s.Name, func(b *testing.B) {
			measure(b, func() { s.ColumnI8[vectors](a) }, float64(4*k*vectors*Lanes)/1e9, "GMAC/cpu-s")
		})
	}
}

// BenchmarkInput measures what turns pictures into elements: lines of 16 pictures
// of 224 pixels.
func BenchmarkInput(b *testing.B) {
	const n = 224
	r := rand.New(rand.NewPCG(4, 4))
	in, table, out := memory(r, 16*Block*n/VectorBytes, false), memory(r, 4, false), make([]byte, n*VectorBytes)
	for _, s := range Sets() {
		if s.Lookup == nil {
			continue
		}
		b.Run("lookup/"+s.Name, func(b *testing.B) {
			a := &Lookup{In: ptr(in), InStep: n, Out: ptr(out), OutStep: n, Table: ptr(table), N: n, Rows: Lanes}
			measure(b, func() { s.Lookup(a) }, n*Lanes, "pixels/cpu-s")
		})
		b.Run("interleave/"+s.Name, func(b *testing.B) {
			a := &Interleave{In: ptr(in), LaneStep: Block * n, ChannelStep: n, N: n, Out: ptr(out)}
			measure(b, func() { s.Interleave(a) }, n*Lanes, "pixels/cpu-s")
		})
	}
}

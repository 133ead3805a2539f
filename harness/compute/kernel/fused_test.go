package kernel

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestFused compares both fused kernels of every tile size with plain Go, byte
// for byte: several blocks and tiles, with and without residual, factors, ReLU.
func TestFused(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		if s.FusedNVDLA[1] == nil {
			t.Skip("no fused kernels")
		}
		for seed := range uint64(400) {
			compareFused(t, s, seed)
		}
	})
}

func FuzzFused(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, s := range Sets() {
			if s.FusedNVDLA[1] != nil {
				compareFused(t, s, seed)
			}
		}
	})
}

// compareFused draws one call. Extreme values make the largest sums, and results
// on both sides of the clamp.
func compareFused(t *testing.T, s *Set, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	pixels, tiles, blocks, k := 1+r.IntN(s.TileI8), 1+r.IntN(3), 1+r.IntN(4), 1+r.IntN(40)
	extreme := r.IntN(3) == 0
	in, residual := memory(r, 400, extreme), memory(r, 400, extreme)
	weights, offsets := memory(r, blocks*k*Block/Lanes+1, extreme), make([]int32, k)
	for i := range offsets {
		offsets[i] = int32(r.IntN(200) * VectorBytes)
	}
	start, factors := make([]int32, blocks*Block), make([]float32, 2*blocks*Block)
	for i := range start {
		start[i] = int32(r.IntN(100000) - 50000)
	}
	for i := range factors {
		factors[i] = float32(r.NormFloat64() * 0.01)
	}
	a := Fused{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: int64(k), InStep: VectorBytes * int64(1+r.IntN(2)),
		InBlock: VectorBytes * int64(r.IntN(40)), Start: ptr(start), OutStep: VectorBytes, OutBlock: 50 * VectorBytes,
		Tiles: int64(tiles), Blocks: int64(blocks), OutMul: float32(r.Float64() / 2)}
	if r.IntN(2) == 0 {
		a.Residual, a.ResStep, a.ResBlock, a.ResMul = ptr(residual), 2*VectorBytes, 60*VectorBytes, 0x1p-23
	}
	if r.IntN(2) == 0 {
		a.Least = 0x80808080
	}
	run := func(f func(*Fused), a Fused) []byte {
		out := make([]byte, 200*VectorBytes)
		a.Out = ptr(out)
		f(&a)
		return out
	}
	if r.IntN(4) > 0 {
		a.Factors = ptr(factors)
	}
	if !bytes.Equal(run(s.FusedNVDLA[pixels], a), run(plain.FusedNVDLA[pixels], a)) {
		t.Fatalf("seed %d: NVDLA: %d blocks, %d tiles of %d pixels, %d steps differ", seed, blocks, tiles, pixels, k)
	}
	a.Factors = ptr(factors)
	if !bytes.Equal(run(s.FusedTensorRT[pixels], a), run(plain.FusedTensorRT[pixels], a)) {
		t.Fatalf("seed %d: TensorRT: %d blocks, %d tiles of %d pixels, %d steps differ", seed, blocks, tiles, pixels, k)
	}
}

package kernel

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// memory is a buffer of vectors of random bytes or floats.
func memory(r *rand.Rand, vectors int, extreme bool) []byte {
	m := make([]byte, vectors*VectorBytes)
	for i := range m {
		m[i] = byte(r.IntN(256))
		if extreme {
			m[i] = []byte{0, 255}[r.IntN(2)] // -128 and 127
		}
	}
	return m
}

func floatMemory(r *rand.Rand, vectors int) []byte {
	m := make([]byte, vectors*VectorBytes)
	for i := range vectors * Lanes {
		*(*float32)(unsafe.Pointer(&m[4*i])) = float32(r.NormFloat64())
	}
	return m
}

func ptr[T any](s []T) unsafe.Pointer { return unsafe.Pointer(&s[0]) }

// each runs f for every set.
func each(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, s := range Sets() {
		t.Run(s.Name, func(t *testing.T) { f(t, s) })
	}
}

// TestConvI8 compares the sums of every tile size with plain Go, byte for byte,
// up to the largest K of ResNet-18.
func TestConvI8(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 1))
		for round := range 60 {
			pixels, tiles, k := 1+r.IntN(s.TileI8), 1+r.IntN(3), 1+r.IntN(40)
			if round == 0 {
				k = 1152
			}
			in := memory(r, 256, round%3 == 0)
			weights, offsets := memory(r, k*Block/Lanes+1, round%3 == 0), make([]int32, k)
			for i := range offsets {
				offsets[i] = int32(r.IntN(200) * VectorBytes)
			}
			init := []int32{r.Int32(), -r.Int32(), 0, 1}
			out := func(set *Set) []byte {
				o := make([]byte, (pixels*tiles*Block+1)*VectorBytes)
				set.ConvI8[pixels](&Conv{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: int64(k),
					InStep: int64((1 + round%2) * VectorBytes), Init: ptr(init), Out: ptr(o), Tiles: int64(tiles)})
				return o
			}
			if !bytes.Equal(out(s), out(plain)) {
				t.Fatalf("round %d: %d tiles of %d pixels, %d steps differ", round, tiles, pixels, k)
			}
		}
	})
}

// TestConvF32 compares with plain Go within the bound that Conv states; values
// are of order 1 and K at most 40, so that the bound is below 1e-4.
func TestConvF32(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(2, 2))
		for round := range 60 {
			pixels, tiles, k := 1+r.IntN(s.TileF32), 1+r.IntN(3), 1+r.IntN(40)
			in, residual := floatMemory(r, 256), floatMemory(r, 200)
			weights, offsets := floatMemory(r, k*Block/Lanes+1), make([]int32, k)
			for i := range offsets {
				offsets[i] = int32(r.IntN(200) * VectorBytes)
			}
			init := []float32{1, -1, 0, 2}
			out := func(set *Set) []byte {
				o := make([]byte, 200*VectorBytes)
				a := &Conv{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: int64(k), InStep: VectorBytes,
					Init: ptr(init), Out: ptr(o), OutStep: VectorBytes, OutChannel: 40 * VectorBytes,
					ResStep: 2 * VectorBytes, ResChannel: 45 * VectorBytes, ReLU: int64(round % 2), Tiles: int64(tiles)}
				if round%3 > 0 {
					a.Residual = ptr(residual)
				}
				set.ConvF32[pixels](a)
				return o
			}
			if err := near(out(s), out(plain), 1e-4); err != nil {
				t.Fatalf("round %d: %d tiles of %d pixels: %v", round, tiles, pixels, err)
			}
		}
	})
}

func near(a, b []byte, bound float64) error {
	for i := 0; i < len(a); i += 4 {
		x, y := *(*float32)(unsafe.Pointer(&a[i])), *(*float32)(unsafe.Pointer(&b[i]))
		if !(math.Abs(float64(x-y)) <= bound) {
			return fmt.Errorf("element %d is %g, plain Go has %g", i/4, x, y)
		}
	}
	return nil
}

// sums are n pixels of int32 below 2^bits.
func sums(r *rand.Rand, n, bits int) []int32 {
	v := make([]int32, n*Block*Lanes)
	for i := range v {
		v[i] = int32(r.Int64N(1<<(bits+1)) - 1<<bits)
	}
	return v
}

func TestTensorRT(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 3))
		for round := range 200 {
			n := 1 + r.IntN(9)
			acc, residual := sums(r, n, 8+r.IntN(23)), memory(r, 2*n, round%2 == 0)
			mul := []float32{r.Float32(), 1e-3, -r.Float32(), 0.5}
			bias := []float32{r.Float32(), 0, -300, 0.5}
			out := func(set *Set) []byte {
				o := make([]byte, n*VectorBytes)
				a := &TensorRT{Acc: ptr(acc), N: int64(n), Mul: ptr(mul), Bias: ptr(bias), ResStep: 2 * VectorBytes,
					Out: ptr(o), OutStep: VectorBytes, ResMul: 0.37, Floor: -math.MaxFloat32, OutMul: 0.5}
				if round%3 == 0 {
					a.Floor = 0
				}
				if round%4 < 2 {
					a.Residual = ptr(residual)
				}
				set.TensorRT(a)
				return o
			}
			if !bytes.Equal(out(s), out(plain)) {
				t.Fatalf("round %d: %d pixels differ", round, n)
			}
		}
	})
}

func TestNVDLA(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(4, 4))
		for round := range 400 {
			n := 1 + r.IntN(9)
			acc, residual := sums(r, n, 15), memory(r, 2*n, round%2 == 0)
			mul := []int32{int32(r.IntN(1<<15) - 1<<14), 32767, -32768, 1}
			shift1, shift := r.IntN(33), r.IntN(33)
			if shift1 < 15 {
				mul = []int32{1, -1, 3, 0} // nothing may leave 32 bits
			}
			scale := int32(r.IntN(1<<16) - 1<<15)
			if shift < 20 {
				scale %= 64
			}
			out := func(set *Set) []byte {
				o := make([]byte, n*VectorBytes)
				a := &NVDLA{Acc: ptr(acc), N: int64(n), Mul: ptr(mul), UseMul: int64(round % 2), ResStep: 2 * VectorBytes,
					Out: ptr(o), OutStep: VectorBytes, Shift1: int64(shift1), ResShift: int64(round % 5), Shift: int64(shift),
					Floor1: math.MinInt32, Floor2: math.MinInt32, Offset: 17, Scale: scale}
				a.Half1, a.Away1 = Rounding(shift1)
				a.Half, a.Away = Rounding(shift)
				if round%3 == 0 {
					a.Floor1, a.Floor2 = 0, 0
				}
				if round%4 < 2 {
					a.Residual = ptr(residual)
				}
				if round%3 == 0 && round%5 == 0 {
					a.Unsigned, a.Offset, a.Scale = 1, 0, max(scale, -scale)
				}
				set.NVDLA(a)
				return o
			}
			if !bytes.Equal(out(s), out(plain)) {
				t.Fatalf("round %d: %d pixels, shifts %d and %d differ", round, n, shift1, shift)
			}
		}
	})
}

func TestPoolAndAffine(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 5))
		for round := range 50 {
			n, k := 1+r.IntN(6), 1+r.IntN(9)
			offsets := make([]int32, k)
			for i := range offsets {
				offsets[i] = int32(r.IntN(50) * VectorBytes)
			}
			bytesIn, floatsIn := memory(r, 64, false), floatMemory(r, 64)
			run := func(f func(*Pool), in []byte) []byte {
				o := make([]byte, n*VectorBytes)
				f(&Pool{In: ptr(in), Offsets: ptr(offsets), K: int64(k), N: int64(n), InStep: 2 * VectorBytes, Out: ptr(o), OutStep: VectorBytes})
				return o
			}
			if !bytes.Equal(run(s.MaxU8, bytesIn), run(plain.MaxU8, bytesIn)) || !bytes.Equal(run(s.MaxF32, floatsIn), run(plain.MaxF32, floatsIn)) {
				t.Fatalf("round %d: %d maxima of %d differ", round, n, k)
			}
			affine := func(f func(*Affine)) []byte {
				o := make([]byte, n*VectorBytes)
				f(&Affine{In: ptr(floatsIn), Out: ptr(o), N: int64(n), Mul: 1.7, Bias: -0.3, Floor: float32(round%2) - 1})
				return o
			}
			if !bytes.Equal(affine(s.Affine), affine(plain.Affine)) {
				t.Fatalf("round %d: affine differs", round)
			}
		}
	})
}

func TestInput(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		if s.Lookup == nil {
			t.Skip("no kernels for the input")
		}
		r := rand.New(rand.NewPCG(6, 6))
		for round := range 100 {
			n, rows := 1+r.IntN(200), 1+r.IntN(5)
			in, table := memory(r, 64, false), memory(r, 4, false)
			lookup := func(f func(*Lookup)) []byte {
				o := make([]byte, 2048)
				f(&Lookup{In: ptr(in), InStep: 300, Out: ptr(o), OutStep: 256, Table: ptr(table), N: int64(n), Rows: int64(rows)})
				return o
			}
			if !bytes.Equal(lookup(s.Lookup), lookup(plain.Lookup)) {
				t.Fatalf("round %d: %d rows of %d bytes differ", round, rows, n)
			}
			n = 16 + r.IntN(60)
			interleave := func(f func(*Interleave)) []byte {
				o := make([]byte, (n+1)*VectorBytes)
				f(&Interleave{In: ptr(in), LaneStep: 240, ChannelStep: int64(1 + round%2*59), N: int64(n), Out: ptr(o)})
				return o
			}
			if !bytes.Equal(interleave(s.Interleave), interleave(plain.Interleave)) {
				t.Fatalf("round %d: %d pixels differ", round, n)
			}
		}
	})
}

// TestColumn compares the kernels of one channel with those of 4, whose first
// channel they are, bit for bit.
func TestColumn(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		if s.ColumnF32[1] == nil {
			t.Skip("no kernels of one channel")
		}
		r := rand.New(rand.NewPCG(8, 8))
		for round := range 60 {
			vectors, tiles, k := 1+r.IntN(MaxTile), 1+r.IntN(3), 1+r.IntN(40)
			in, offsets := floatMemory(r, 512), make([]int32, k)
			four, one := make([]float32, k*Block), make([]float32, k)
			for i := range offsets {
				offsets[i] = int32(r.IntN(200) * VectorBytes)
				one[i] = float32(r.NormFloat64())
				four[i*Block] = one[i]
			}
			init := []float32{1, 0, 0, 0}
			run := func(f func(*Conv), weights []float32, step int64) []byte {
				o := make([]byte, (vectors*tiles*Block+1)*VectorBytes)
				f(&Conv{In: ptr(in), Offsets: ptr(offsets), Weights: ptr(weights), K: int64(k), InStep: 3 * VectorBytes, Init: ptr(init),
					Out: ptr(o), OutStep: step, OutChannel: VectorBytes, Tiles: int64(tiles)})
				return o
			}
			same := func(kind string, wide, narrow func(*Conv)) {
				a, b := run(wide, four, Block*VectorBytes), run(narrow, one, VectorBytes)
				for v := range vectors * tiles {
					if !bytes.Equal(a[v*Block*VectorBytes:][:VectorBytes], b[v*VectorBytes:][:VectorBytes]) {
						t.Fatalf("round %d: %s, %d tiles of %d: vector %d differs", round, kind, tiles, vectors, v)
					}
				}
			}
			same("fp32", s.ConvF32[vectors], s.ColumnF32[vectors])
			same("int8", s.ConvI8[vectors], s.ColumnI8[vectors])
		}
	})
}

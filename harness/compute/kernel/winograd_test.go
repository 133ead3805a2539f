package kernel

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestWinogradTransforms compares both transforms with plain Go, bit for bit,
// for whole tiles and for tiles that reach beyond the last row and column.
func TestWinogradTransforms(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(7, 7))
		for round := range 100 {
			tiles, channels := 1+r.IntN(8), 1+r.IntN(5)
			row, plane := int64((2*tiles+2+r.IntN(3))*VectorBytes), int64(100*VectorBytes)
			in := floatMemory(r, 100*channels+100)
			call := func(f func(*WinogradIn)) []byte {
				o := make([]byte, 16*50*VectorBytes)
				f(&WinogradIn{In: ptr(in), InRow: row, InChannel: plane, Tiles: int64(tiles), Channels: int64(channels),
					Out: ptr(o), OutProduct: 50 * VectorBytes, OutChannel: int64((tiles + round%2) * VectorBytes)})
				return o
			}
			if !bytes.Equal(call(s.WinogradIn), call(plain.WinogradIn)) {
				t.Fatalf("round %d: inputs of %d channels of %d tiles differ", round, channels, tiles)
			}
			out := func(f func(*WinogradOut)) []byte { return winogradOutCall(f, r, round, tiles, channels) }
			r = rand.New(rand.NewPCG(8, uint64(round)))
			got := out(s.WinogradOut)
			r = rand.New(rand.NewPCG(8, uint64(round)))
			if !bytes.Equal(got, out(plain.WinogradOut)) {
				t.Fatalf("round %d: outputs of %d channels of %d tiles differ", round, channels, tiles)
			}
		}
	})
}

// winogradOutCall runs one output transform of random products.
func winogradOutCall(f func(*WinogradOut), r *rand.Rand, round, tiles, channels int) []byte {
	products, residual := floatMemory(r, 16*50), floatMemory(r, 100*channels)
	bias := []float32{1, -1, 0.3, 0, -2}
	o := make([]byte, 100*channels*VectorBytes)
	a := &WinogradOut{In: ptr(products), InProduct: 50 * VectorBytes, InChannel: int64((tiles + round%2) * VectorBytes),
		Tiles: int64(tiles), Channels: int64(channels), Bias: ptr(bias),
		Out: ptr(o), OutRow: int64(2 * tiles * VectorBytes), OutColumn: VectorBytes, OutChannel: 100 * VectorBytes,
		ResRow: int64((2*tiles + 1) * VectorBytes), ResColumn: VectorBytes, ResChannel: 99 * VectorBytes, ReLU: int64(round % 2)}
	if round%3 > 0 {
		a.Residual = ptr(residual)
	}
	if round%5 == 0 {
		a.OutRow, a.ResRow = 0, 0
	}
	if round%7 == 0 {
		a.Tiles, a.OutColumn, a.ResColumn = 1, 0, 0
	}
	f(a)
	return o
}

// TestWinogradIsConvolution: with integers that float32 holds, the transforms
// around a product give a 3x3 convolution exactly.
func TestWinogradIsConvolution(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 100 {
		var d [4][4]float32
		var g [3][3]float32
		for i := range 16 {
			d[i/4][i%4] = float32(r.IntN(201) - 100)
		}
		for i := range 9 {
			g[i/3][i%3] = float32(4 * (r.IntN(201) - 100)) // G g G' divides by 4
		}
		u := WinogradWeights(&g)
		var m [WinogradProducts]float32
		for k, v := range winogradInput(&d) {
			m[k] = v * u[k]
		}
		for i, got := range winogradOutput(&m) {
			var want float32
			for k := range 9 {
				want += d[i/2+k/3][i%2+k%3] * g[k/3][k%3]
			}
			if got != want {
				t.Fatalf("output %d is %g, want %g", i, got, want)
			}
		}
	}
}

// BenchmarkWinograd measures the transforms, 32 channels of a row of 7 tiles, as
// pixels of the output.
func BenchmarkWinograd(b *testing.B) {
	const tiles, channels = 7, 32
	r := rand.New(rand.NewPCG(1, 1))
	image, products := floatMemory(r, channels*64), floatMemory(r, 16*(channels*tiles+1))
	bias := make([]float32, channels)
	in := WinogradIn{In: ptr(image), InRow: 16 * VectorBytes, InChannel: 64 * VectorBytes, Tiles: tiles, Channels: channels,
		Out: ptr(products), OutProduct: (channels*tiles + 1) * VectorBytes, OutChannel: tiles * VectorBytes}
	out := WinogradOut{In: ptr(products), InProduct: in.OutProduct, InChannel: in.OutChannel, Tiles: tiles, Channels: channels,
		Bias: ptr(bias), Out: unsafe.Pointer(&image[0]), OutRow: in.InRow, OutColumn: VectorBytes, OutChannel: in.InChannel}
	for _, s := range Sets() {
		for name, f := range map[string]func(){"in": func() { s.WinogradIn(&in) }, "out": func() { s.WinogradOut(&out) }} {
			b.Run(name+"/"+s.Name, func(b *testing.B) { measure(b, f, 4*tiles*channels, "pixels/cpu-s") })
		}
	}
}

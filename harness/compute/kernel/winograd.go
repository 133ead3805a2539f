package kernel

import "unsafe"

// Winograd's minimal filtering F(2x2,3x3) (Lavin and Gray, "Fast algorithms for
// convolutional neural networks", 2016, section 4.1) makes 2x2 outputs of a 3x3
// convolution from a 4x4 window d of the input with 16 products a channel, not 36:
//
//	Y = A' [sum over channels of (G g G') .* (B' d B)] A
//
// The sums of products are 16 convolutions of one tap, each over all channels:
// Set.ConvF32 computes them. The two calls here are the transforms around them.

// WinogradProducts is the number of products of one channel of a tile.
const WinogradProducts = 16

// WinogradIn is one call of B' d B for Channels planes of Tiles adjacent tiles,
// each 2 pixels further right. Pixel (y, x) of tile t of plane c is the vector
// at In + c*InChannel + y*InRow + (2t+x) vectors; product k of it goes to
// Out + k*OutProduct + c*OutChannel + t vectors. Every level gives the same
// bits: columns are transformed first, and only sums of two are made.
type WinogradIn struct {
	In         unsafe.Pointer
	InRow      int64 // bytes
	InChannel  int64 // bytes
	Tiles      int64
	Channels   int64
	Out        unsafe.Pointer
	OutProduct int64 // bytes
	OutChannel int64 // bytes
}

// WinogradOut is one call of A' m A for Channels planes of Tiles adjacent tiles:
// product k of tile t of plane c is the vector at
// In + k*InProduct + c*InChannel + t vectors. Bias[c] is added to the 2x2
// results, then the residual, then ReLU is applied. Result (y, x) goes to
// Out + c*OutChannel + y*OutRow + x*OutColumn + 2t vectors; a row or column
// step of 0 keeps only the first one. Every level gives the same bits.
type WinogradOut struct {
	In         unsafe.Pointer
	InProduct  int64 // bytes
	InChannel  int64 // bytes
	Tiles      int64
	Channels   int64
	Bias       unsafe.Pointer // Channels float32
	Out        unsafe.Pointer
	OutRow     int64 // bytes
	OutColumn  int64 // bytes
	OutChannel int64 // bytes
	Residual   unsafe.Pointer
	ResRow     int64 // bytes
	ResColumn  int64 // bytes
	ResChannel int64 // bytes
	ReLU       int64 // 1: max(x, 0)
}

func plainWinogradIn(a *WinogradIn) {
	for c := range int(a.Channels) {
		for t := range int(a.Tiles) {
			in := unsafe.Add(a.In, c*int(a.InChannel)+2*t*VectorBytes)
			out := unsafe.Add(a.Out, c*int(a.OutChannel)+t*VectorBytes)
			for l := range Lanes {
				var d [4][4]float32
				for y := range d {
					for x := range d[y] {
						d[y][x] = floats(unsafe.Add(in, y*int(a.InRow)+x*VectorBytes))[l]
					}
				}
				for k, v := range winogradInput(&d) {
					floats(unsafe.Add(out, k*int(a.OutProduct)))[l] = v
				}
			}
		}
	}
}

// winogradInput is B' d B, row by row.
func winogradInput(d *[4][4]float32) (v [WinogradProducts]float32) {
	filter := func(a, b, c, d float32) [4]float32 { return [4]float32{a - c, b + c, c - b, b - d} }
	var t [4][4]float32
	for x := range 4 {
		for y, s := range filter(d[0][x], d[1][x], d[2][x], d[3][x]) {
			t[y][x] = s
		}
	}
	for y, r := range t {
		for x, s := range filter(r[0], r[1], r[2], r[3]) {
			v[4*y+x] = s
		}
	}
	return v
}

func plainWinogradOut(a *WinogradOut) {
	for c := range int(a.Channels) {
		for t := range int(a.Tiles) {
			in := unsafe.Add(a.In, c*int(a.InChannel)+t*VectorBytes)
			for l := range Lanes {
				var m [WinogradProducts]float32
				for k := range m {
					m[k] = floats(unsafe.Add(in, k*int(a.InProduct)))[l]
				}
				sums := winogradOutput(&m)
				for i := 3; i >= 0; i-- {
					a.store(c, t, l, i/2, i%2, sums[i])
				}
			}
		}
	}
}

// store finishes result (y, x) of lane l of a tile.
func (a *WinogradOut) store(c, t, l, y, x int, v float32) {
	v += at[float32](a.Bias, c)
	if a.Residual != nil {
		v += floats(unsafe.Add(a.Residual, c*int(a.ResChannel)+y*int(a.ResRow)+x*int(a.ResColumn)+2*t*VectorBytes))[l]
	}
	if a.ReLU != 0 {
		v = max(v, 0)
	}
	floats(unsafe.Add(a.Out, c*int(a.OutChannel)+y*int(a.OutRow)+x*int(a.OutColumn)+2*t*VectorBytes))[l] = v
}

// winogradOutput is A' m A, row by row; the order of the sums is the assembly's.
func winogradOutput(m *[WinogradProducts]float32) [4]float32 {
	filter := func(a, b, c, d float32) (float32, float32) { return (b + c) + a, (b - c) - d }
	var t [2][4]float32
	for y := range 4 {
		t[0][y], t[1][y] = filter(m[4*y], m[4*y+1], m[4*y+2], m[4*y+3])
	}
	left, right := t[0], t[1]
	y00, y10 := filter(left[0], left[1], left[2], left[3])
	y01, y11 := filter(right[0], right[1], right[2], right[3])
	return [4]float32{y00, y01, y10, y11}
}

// WinogradWeights is G g G' of a 3x3 kernel, row by row: in float64, rounded
// to float32 once.
func WinogradWeights(g *[3][3]float32) (u [WinogradProducts]float32) {
	filter := func(a, b, c float64) [4]float64 { return [4]float64{a, (a + b + c) / 2, (a - b + c) / 2, c} }
	var t [4][3]float64
	for x := range 3 {
		for y, s := range filter(float64(g[0][x]), float64(g[1][x]), float64(g[2][x])) {
			t[y][x] = s
		}
	}
	for y, r := range t {
		for x, s := range filter(r[0], r[1], r[2]) {
			u[4*y+x] = float32(s)
		}
	}
	return u
}

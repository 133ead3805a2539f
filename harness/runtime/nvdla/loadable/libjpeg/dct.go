package libjpeg

// Constants of the slow integer DCT (jidctint.c): 13 bits after the point.
const (
	c0298 = 2446
	c0390 = 3196
	c0541 = 4433
	c0765 = 6270
	c0899 = 7373
	c1175 = 9633
	c1501 = 12299
	c1847 = 15137
	c1961 = 16069
	c2053 = 16819
	c2562 = 20995
	c3072 = 25172

	constBits = 13
	passBits  = 2
)

// inverseDCT turns dequantized coefficients into pixels.
func inverseDCT(co *[64]int, out []byte, stride int) {
	for x := range 8 {
		transform(co, x, 8, constBits-passBits)
	}
	for y := range 8 {
		transform(co, 8*y, 1, constBits+passBits+3)
		for x := range 8 {
			out[y*stride+x] = clamp(co[8*y+x] + 128)
		}
	}
}

func clamp(v int) byte { return byte(max(0, min(255, v))) }

// transform is the one-dimensional transform of eight values that lie step
// apart, rounded by shift bits.
func transform(co *[64]int, at, step int, shift uint) {
	in := func(i int) int { return co[at+i*step] }
	z := (in(2) + in(6)) * c0541
	e2, e3 := z-in(6)*c1847, z+in(2)*c0765
	e0, e1 := (in(0)+in(4))<<constBits, (in(0)-in(4))<<constBits
	even := [4]int{e0 + e3, e1 + e2, e1 - e2, e0 - e3}

	t0, t1, t2, t3 := in(7), in(5), in(3), in(1)
	z1, z2, z3, z4 := t0+t3, t1+t2, t0+t2, t1+t3
	z5 := (z3 + z4) * c1175
	z1, z2 = -z1*c0899, -z2*c2562
	z3, z4 = z5-z3*c1961, z5-z4*c0390
	odd := [4]int{t3*c1501 + z1 + z4, t2*c3072 + z2 + z3, t1*c2053 + z2 + z4, t0*c0298 + z1 + z3}

	round := 1 << (shift - 1)
	for i := range 4 {
		co[at+i*step] = (even[i] + odd[i] + round) >> shift
		co[at+(7-i)*step] = (even[i] - odd[i] + round) >> shift
	}
}

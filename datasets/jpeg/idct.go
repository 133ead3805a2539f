package jpeg

import "encoding/binary"

// The inverse DCT works on two numbers at once: lo + hi*2^32 in one int64, both
// signed. Sums, differences and products with constants of such pairs are exact
// as long as both results fit in 32 bits, and the transform is nothing else up
// to its two roundings. The first pass takes the columns in pairs, the second
// the rows.

// Constants of the islow transform: cos and sin sums times 2^13.
const (
	f0298 = 2446
	f0390 = 3196
	f0541 = 4433
	f0765 = 6270
	f0899 = 7373
	f1175 = 9633
	f1501 = 12299
	f1847 = 15137
	f1961 = 16069
	f2053 = 16819
	f2562 = 20995
	f3072 = 25172
)

const (
	both = 1<<32 + 1 // the pair (1, 1)
	// columnBias rounds the first pass (2^10 in both halves) and makes the low
	// half unsigned (2^31), so that it does not borrow from the high one.
	columnBias = 1<<10*both + 1<<31
	// rowBias rounds the second pass and adds the level shift of 128.
	rowBias = (1<<17 + 128<<18) * both
	// outside are the bits that are 0 if both halves of a result are 0..255.
	outside = ^(0x03ffffff * both)
	low21   = 1<<21 - 1
	low8    = 255 * both       // byte 0 of both halves
	high8   = -1<<56 | 255<<24 // byte 3
)

// zigzag is the natural index (8*row + column) of the k-th coefficient.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// packIndex is the pair that the k-th coefficient lies in: 4*row + column/2.
var packIndex = func() (t [64]uint8) {
	for k, z := range zigzag {
		t[k] = z >> 1
	}
	return t
}()

// packQuant is a quantization table (in zigzag order) whose factors also move a
// coefficient of an odd column into the high half of its pair.
func packQuant(q *[64]uint16) (t [64]int64) {
	for k, z := range zigzag {
		t[k] = int64(q[k]) << (z & 1 * 32)
	}
	return t
}

// idct writes the 8x8 samples of block b at dst, whose last index must be at
// least 7*stride+7. last is the zigzag index of the last coefficient that may
// be other than 0; ws is work memory.
func idct(b, ws *[32]int64, last int, dst []byte, stride int) {
	switch {
	case last == 0:
		flat(b[0], dst, stride)
	case last < 10: // within 4 rows and 4 columns
		columns4(b, ws)
		rows4(ws, dst, stride)
	case last < 21: // within 6 rows and 6 columns
		columns8(b, ws, 3)
		for i := 6; i < 32; i += 8 {
			ws[i], ws[i+1] = 0, 0
		}
		rows8(ws, dst, stride)
	default:
		columns8(b, ws, 4)
		rows8(ws, dst, stride)
	}
}

// flat is the block with nothing but a DC coefficient.
func flat(dc int64, dst []byte, stride int) {
	w := uint64(clamp((dc+4)>>3+128)) * 0x0101010101010101
	for y := range 8 {
		binary.LittleEndian.PutUint64(dst[y*stride:], w)
	}
}

func clamp(v int64) byte {
	if uint64(v) > 255 {
		return byte(^v >> 63)
	}
	return byte(v)
}

// columns8 transforms the first n pairs of columns. ws[8*i+x] becomes the pair
// (row 2i, row 2i+1) of column x.
func columns8(b, ws *[32]int64, n int) {
	for c := range n {
		c0, c1, c2, c3 := b[c&3], b[c&3+4], b[c&3+8], b[c&3+12]
		c4, c5, c6, c7 := b[c&3+16], b[c&3+20], b[c&3+24], b[c&3+28]

		z := (c2 + c6) * f0541
		e2, e3 := z-c6*f1847, z+c2*f0765
		e0, e1 := (c0+c4)<<13+columnBias, (c0-c4)<<13+columnBias
		t10, t13, t11, t12 := e0+e3, e0-e3, e1+e2, e1-e2

		z1, z2, z3, z4 := (c7+c1)*f0899, (c5+c3)*f2562, c7+c3, c5+c1
		z5 := (z3 + z4) * f1175
		z3, z4 = z5-z3*f1961, z5-z4*f0390
		o0, o1 := c7*f0298-z1+z3, c5*f2053-z2+z4
		o2, o3 := c3*f3072-z2+z3, c1*f1501-z1+z4

		w := ws[2*(c&3):]
		w = w[:26]
		w[0], w[1] = turn(t10+o3, t11+o2)
		w[8], w[9] = turn(t12+o1, t13+o0)
		w[16], w[17] = turn(t13-o0, t12-o1)
		w[24], w[25] = turn(t11-o2, t10-o3)
	}
}

// columns4 is columns8 for blocks whose rows and columns 4 to 7 are zero.
func columns4(b, ws *[32]int64) {
	for c := range 2 {
		c0, c1, c2, c3 := b[c], b[c+4], b[c+8], b[c+12]
		e := c0<<13 + columnBias
		e2, e3 := c2*f0541, c2*(f0541+f0765)
		t10, t13, t11, t12 := e+e3, e-e3, e+e2, e-e2
		o0 := c1*(f1175-f0899) + c3*(f1175-f1961)
		o1 := c1*(f1175-f0390) + c3*(f1175-f2562)
		o2 := c1*f1175 + c3*(f3072-f2562-f1961+f1175)
		o3 := c1*(f1501-f0899-f0390+f1175) + c3*f1175
		w := ws[2*(c&3):]
		w = w[:26]
		w[0], w[1] = turn(t10+o3, t11+o2)
		w[8], w[9] = turn(t12+o1, t13+o0)
		w[16], w[17] = turn(t13-o0, t12-o1)
		w[24], w[25] = turn(t11-o2, t10-o3)
	}
}

// turn rounds the column pairs of an even row and the odd row below it to the
// scale of the second pass, and makes row pairs of them: those of the even and
// of the odd column. Both have columnBias in them.
func turn(even, odd int64) (int64, int64) {
	lo := even>>11&low21 + odd<<21&(low21<<32) - 1<<20*both
	hi := even>>43 + odd>>11&^(1<<32-1)
	return lo, hi
}

// rows8 transforms the four row pairs and writes the samples.
func rows8(ws *[32]int64, dst []byte, stride int) {
	for i := 0; i < 4; i++ {
		s := (*[8]int64)(ws[8*i:])
		c0, c1, c2, c3, c4, c5, c6, c7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]

		z := (c2 + c6) * f0541
		e2, e3 := z-c6*f1847, z+c2*f0765
		e0, e1 := (c0+c4)<<13+rowBias, (c0-c4)<<13+rowBias
		t10, t13, t11, t12 := e0+e3, e0-e3, e1+e2, e1-e2

		z1, z2, z3, z4 := (c7+c1)*f0899, (c5+c3)*f2562, c7+c3, c5+c1
		z5 := (z3 + z4) * f1175
		z3, z4 = z5-z3*f1961, z5-z4*f0390
		o0, o1 := c7*f0298-z1+z3, c5*f2053-z2+z4
		o2, o3 := c3*f3072-z2+z3, c1*f1501-z1+z4

		p0, p1, p2, p3 := t10+o3, t11+o2, t12+o1, t13+o0
		p4, p5, p6, p7 := t13-o0, t12-o1, t11-o2, t10-o3
		at := dst[2*i*stride:]
		if (p0|p1|p2|p3|p4|p5|p6|p7)&outside != 0 {
			storeClamped(&[8]int64{p0, p1, p2, p3, p4, p5, p6, p7}, at, stride)
			continue
		}
		lo := p0>>18&low8 | p1>>10&(low8<<8) | p2>>2&(low8<<16) | p3<<6&high8
		hi := p4>>18&low8 | p5>>10&(low8<<8) | p6>>2&(low8<<16) | p7<<6&high8
		binary.LittleEndian.PutUint64(at, uint64(uint32(lo))|uint64(hi)<<32)
		binary.LittleEndian.PutUint64(at[stride:], uint64(lo)>>32|uint64(hi)>>32<<32)
	}
}

// rows4 is rows8 for blocks whose columns 4 to 7 are zero.
func rows4(ws *[32]int64, dst []byte, stride int) {
	for i := 0; i < 4; i++ {
		s := (*[8]int64)(ws[8*i:])
		c0, c1, c2, c3 := s[0], s[1], s[2], s[3]
		e := c0<<13 + rowBias
		e2, e3 := c2*f0541, c2*(f0541+f0765)
		t10, t13, t11, t12 := e+e3, e-e3, e+e2, e-e2
		o0 := c1*(f1175-f0899) + c3*(f1175-f1961)
		o1 := c1*(f1175-f0390) + c3*(f1175-f2562)
		o2 := c1*f1175 + c3*(f3072-f2562-f1961+f1175)
		o3 := c1*(f1501-f0899-f0390+f1175) + c3*f1175
		p0, p1, p2, p3 := t10+o3, t11+o2, t12+o1, t13+o0
		p4, p5, p6, p7 := t13-o0, t12-o1, t11-o2, t10-o3
		at := dst[2*i*stride:]
		if (p0|p1|p2|p3|p4|p5|p6|p7)&outside != 0 {
			storeClamped(&[8]int64{p0, p1, p2, p3, p4, p5, p6, p7}, at, stride)
			continue
		}
		lo := p0>>18&low8 | p1>>10&(low8<<8) | p2>>2&(low8<<16) | p3<<6&high8
		hi := p4>>18&low8 | p5>>10&(low8<<8) | p6>>2&(low8<<16) | p7<<6&high8
		binary.LittleEndian.PutUint64(at, uint64(uint32(lo))|uint64(hi)<<32)
		binary.LittleEndian.PutUint64(at[stride:], uint64(lo)>>32|uint64(hi)>>32<<32)
	}
}

// storeClamped writes a row pair, 18 bits of fraction in each half, of which
// some values are outside 0..255.
func storeClamped(s *[8]int64, dst []byte, stride int) {
	for x, v := range s {
		lo := int64(int32(v))
		dst[x] = clamp(lo >> 18)
		dst[stride+x] = clamp((v - lo) >> 50)
	}
}

package jpeg

// The filters work on two crop rows at once, one in each half of a uint64; all
// values are non-negative and below 2^32, so no half disturbs the other.

// filterDown filters the samples x0 <= x < x0+len(mid) of plane q along the
// columns: mid[x-x0] becomes the pair of values with 7 bits of fraction.
func filterDown(q *Plane, first int, p pair, x0 int, mid []uint64) {
	n, w := len(mid), p.weight
	row := func(k int) []byte { return q.Pix[(first+p.start+k)*q.Stride+x0:][:n] }
	switch len(w) {
	case 1:
		down1(row(0), w[0], mid)
	case 2:
		down2(row(0), row(1), w[0], w[1], mid)
	case 3:
		down3(row(0), row(1), row(2), w[0], w[1], w[2], mid)
	case 4:
		down4(row(0), row(1), row(2), row(3), (*[4]uint64)(w), mid)
	case 5:
		down5(row(0), row(1), row(2), row(3), row(4), (*[5]uint64)(w), mid)
	default:
		clear(mid)
		for k, v := range w {
			for x, s := range row(k) {
				mid[x] += v * uint64(s)
			}
		}
		for x, s := range mid {
			mid[x] = seven(s)
		}
	}
}

// seven rounds 15 bits of fraction to 7.
func seven(s uint64) uint64 { return (s + 128*both) >> 8 & (0xffff * both) }

func down1(a []byte, w uint64, mid []uint64) {
	a = a[:len(mid)]
	for x := range mid {
		mid[x] = seven(w * uint64(a[x]))
	}
}

func down2(a, b []byte, v, w uint64, mid []uint64) {
	a, b = a[:len(mid)], b[:len(mid)]
	for x := range mid {
		mid[x] = seven(v*uint64(a[x]) + w*uint64(b[x]))
	}
}

func down3(a, b, c []byte, u, v, w uint64, mid []uint64) {
	a, b, c = a[:len(mid)], b[:len(mid)], c[:len(mid)]
	for x := range mid {
		mid[x] = seven(u*uint64(a[x]) + v*uint64(b[x]) + w*uint64(c[x]))
	}
}

func down4(a, b, c, d []byte, w *[4]uint64, mid []uint64) {
	a, b, c, d = a[:len(mid)], b[:len(mid)], c[:len(mid)], d[:len(mid)]
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	for x := range mid {
		mid[x] = seven(w0*uint64(a[x]) + w1*uint64(b[x]) + w2*uint64(c[x]) + w3*uint64(d[x]))
	}
}

func down5(a, b, c, d, e []byte, w *[5]uint64, mid []uint64) {
	a, b, c, d, e = a[:len(mid)], b[:len(mid)], c[:len(mid)], d[:len(mid)], e[:len(mid)]
	w0, w1, w2, w3, w4 := w[0], w[1], w[2], w[3], w[4]
	for x := range mid {
		mid[x] = seven(w0*uint64(a[x]) + w1*uint64(b[x]) + w2*uint64(c[x]) + w3*uint64(d[x]) + w4*uint64(e[x]))
	}
}

// filterAcross filters a row pair along the row: out[i] has 22 bits of fraction.
func filterAcross(a *axis, mid, out []uint64) {
	w, start := a.weight, a.start
	switch a.taps {
	case 2:
		for i := range min(len(out), len(start)) {
			m, v := (*[2]uint64)(mid[start[i]:]), (*[2]uint64)(w)
			out[i] = m[0]*v[0] + m[1]*v[1]
			w = w[2:]
		}
	case 3:
		for i := range min(len(out), len(start)) {
			m, v := (*[3]uint64)(mid[start[i]:]), (*[3]uint64)(w)
			out[i] = m[0]*v[0] + m[1]*v[1] + m[2]*v[2]
			w = w[3:]
		}
	case 4:
		for i := range min(len(out), len(start)) {
			m, v := (*[4]uint64)(mid[start[i]:]), (*[4]uint64)(w)
			out[i] = m[0]*v[0] + m[1]*v[1] + m[2]*v[2] + m[3]*v[3]
			w = w[4:]
		}
	default:
		for i := range min(len(out), len(start)) {
			m, s := mid[start[i]:][:a.taps], uint64(0)
			for k, v := range w[:a.taps] {
				s += m[k] * v
			}
			out[i] = s
			w = w[a.taps:]
		}
	}
}

// roundPairs rounds a row pair to bytes: hi takes the second row.
func roundPairs(s []uint64, hi, lo []byte) {
	for i, v := range s {
		v += 1 << 21 * both
		hi[i], lo[i] = byte(v>>54), byte(v>>22)
	}
}

// Factors of the colour conversion times 2^14, and what they add to each of the
// results: the shift of chroma by 128 and the rounding. Luma and chroma come
// with 6 bits of fraction, results with 20.
const (
	crRed14   = 22970 // 1.402
	cbGreen14 = 5638  // 0.344136
	crGreen14 = 11700 // 0.714136
	cbBlue14  = 29032 // 1.772

	half       = 1 << 19
	redShift   = (crRed14*128<<6 - half) * both // subtracted
	greenShift = ((cbGreen14+crGreen14)*128<<6 + half) * both
	blueShift  = (cbBlue14*128<<6 - half) * both // subtracted
	// beyond are the bits that are 0 if both halves of a result are 0..255.
	beyond = 0xf0000000 * both
	// lift makes a result of -512 to 511 non-negative.
	lift = 512 << 20 * both
)

// lifted is the byte of a result that is 512 too large.
var lifted = func() (t [1024]byte) {
	for i := range t {
		t[i] = clamp(int64(i) - 512)
	}
	return t
}()

// six rounds 22 bits of fraction to 6.
func six(s uint64) uint64 { return (s + 1<<15*both) >> 16 & (0x3fff * both) }

// convertPairs converts a row pair to red, green and blue. out has the second
// row's planes, then the first row's.
func convertPairs(y, cb, cr []uint64, out *[6][]byte) {
	n := len(y)
	cb, cr = cb[:n], cr[:n]
	r1, g1, b1, r0, g0, b0 := out[0][:n], out[1][:n], out[2][:n], out[3][:n], out[4][:n], out[5][:n]
	for i := range y {
		l, u, v := six(y[i])<<14, six(cb[i]), six(cr[i])
		r := l + crRed14*v - redShift
		g := l - cbGreen14*u - crGreen14*v + greenShift
		b := l + cbBlue14*u - blueShift
		if (r|g|b)&beyond != 0 {
			r, g, b = clampPair(r), clampPair(g), clampPair(b)
		}
		r1[i], r0[i] = byte(r>>52), byte(r>>20)
		g1[i], g0[i] = byte(g>>52), byte(g>>20)
		b1[i], b0[i] = byte(b>>52), byte(b>>20)
	}
}

// clampPair clamps both halves of a result to 0..255.
func clampPair(s uint64) uint64 {
	s += lift
	return uint64(lifted[s>>52&1023])<<52 | uint64(lifted[s>>20&1023])<<20
}

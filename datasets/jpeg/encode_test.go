package jpeg

import (
	"math"
	"math/rand/v2"
)

// sketch is a picture to encode: quantized coefficients, block by block. The
// encoder below writes any legal sequential file of it, which image/jpeg's
// encoder (4:2:0 and grey only) does not.
type sketch struct {
	width, height int
	h, v          []int       // sampling factors by component
	quant         [64]uint16  // by zigzag index
	blocks        [][][64]int // by component: blocks in rows, coefficients by zigzag index
	cols          []int       // blocks a row by component
	interval      int         // MCUs between restart markers
	separate      bool        // one scan a component
	progressive   bool        // SOF2: a scan for DC, then one a component for AC
	wide          bool        // 16-bit quantization table
	fill          bool        // fill bytes before markers
	ids           []byte      // component identifiers
	extra         []byte      // segments behind SOI
	sof           byte        // frame marker, 0 for the usual one
}

// code is a Huffman code: symbol and length.
type code struct {
	symbol byte
	bits   int
}

// dcTable has 12 symbols, of 2 to 12 bits.
func dcTable() (t []code) {
	for s := range 12 {
		t = append(t, code{byte(s), s + 2})
	}
	return t
}

// acTable has all symbols: a few short codes, many of 9 bits, some of 16.
func acTable() []code {
	t := []code{{0x00, 2}, {0x01, 3}, {0x02, 4}, {0x11, 4}, {0x03, 5}, {0xf0, 5}}
	used := map[byte]bool{}
	for _, c := range t {
		used[c.symbol] = true
	}
	for pass, bits := range []int{9, 16} {
		for run := range 16 {
			for size := 1; size <= 10; size++ {
				s := byte(run<<4 | size)
				if !used[s] && (size < 6) == (pass == 0) {
					t = append(t, code{s, bits})
				}
			}
		}
	}
	return t
}

// codebook assigns canonical codes to a table sorted by length.
func codebook(t []code) (book map[byte][2]int) {
	book = map[byte][2]int{}
	next, last := 0, 0
	for _, c := range t {
		next <<= c.bits - last
		last = c.bits
		book[c.symbol] = [2]int{next, c.bits}
		next++
	}
	return book
}

// bitWriter writes entropy-coded bits with stuffed zeros.
type bitWriter struct {
	out  []byte
	acc  uint64
	bits int
}

func (w *bitWriter) put(v, n int) {
	w.acc, w.bits = w.acc<<n|uint64(v), w.bits+n
	for w.bits >= 8 {
		b := byte(w.acc >> (w.bits - 8))
		w.out = append(w.out, b)
		if b == 0xff {
			w.out = append(w.out, 0)
		}
		w.bits -= 8
	}
}

// flush pads with ones, as the standard says.
func (w *bitWriter) flush() {
	if w.bits > 0 {
		w.put(1<<(8-w.bits)-1, 8-w.bits)
	}
	w.acc, w.bits = 0, 0
}

func (w *bitWriter) symbol(book map[byte][2]int, run, value int) {
	size, v := 0, value
	for a := max(value, -value); a > 0; a >>= 1 {
		size++
	}
	if value < 0 {
		v += 1<<size - 1
	}
	c := book[byte(run<<4|size)]
	w.put(c[0], c[1])
	w.put(v, size)
}

// block writes coefficients from to 63 of a block; from 0 includes DC.
func (w *bitWriter) ac(book map[byte][2]int, b *[64]int) {
	run := 0
	for k := 1; k < 64; k++ {
		if b[k] == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.put(book[0xf0][0], book[0xf0][1])
		}
		w.symbol(book, run, b[k])
		run = 0
	}
	if run > 0 {
		w.put(book[0][0], book[0][1])
	}
}

func segment(marker byte, body ...byte) []byte {
	n := len(body) + 2
	return append([]byte{0xff, marker, byte(n >> 8), byte(n)}, body...)
}

func tableSegment(class byte, t []code) []byte {
	body := make([]byte, 17)
	body[0] = class << 4
	for _, c := range t {
		body[c.bits]++
		body = append(body, c.symbol)
	}
	return segment(mDHT, body...)
}

func (s *sketch) id(i int) byte {
	if s.ids != nil {
		return s.ids[i]
	}
	return byte(i + 1)
}

func (s *sketch) max() (h, v int) {
	for i := range s.h {
		h, v = max(h, s.h[i]), max(v, s.v[i])
	}
	return h, v
}

// encode writes the file.
func (s *sketch) encode() []byte {
	out := append([]byte{0xff, mSOI}, s.extra...)
	q := []byte{0}
	for _, v := range s.quant {
		if s.wide {
			q[0] = 0x10
			q = append(q, byte(v>>8))
		}
		q = append(q, byte(v))
	}
	out = append(out, segment(mDQT, q...)...)
	frame := []byte{8, byte(s.height >> 8), byte(s.height), byte(s.width >> 8), byte(s.width), byte(len(s.h))}
	for i := range s.h {
		frame = append(frame, s.id(i), byte(s.h[i]<<4|s.v[i]), 0)
	}
	sof := s.sof
	if sof == 0 {
		sof = mSOF0
		if s.progressive {
			sof = 0xc2
		}
	}
	out = append(out, segment(sof, frame...)...)
	out = append(out, tableSegment(0, dcTable())...)
	out = append(out, tableSegment(1, acTable())...)
	if s.interval > 0 {
		out = append(out, segment(mDRI, byte(s.interval>>8), byte(s.interval))...)
	}
	all := make([]int, len(s.h))
	for i := range all {
		all[i] = i
	}
	switch {
	case s.progressive:
		out = append(out, s.scan(all, 0, 0)...)
		for i := range all {
			out = append(out, s.scan(all[i:i+1], 1, 63)...)
		}
	case s.separate:
		for i := range all {
			out = append(out, s.scan(all[i:i+1], 0, 63)...)
		}
	default:
		out = append(out, s.scan(all, 0, 63)...)
	}
	if s.fill {
		out = append(out, 0xff, 0xff)
	}
	return append(out, 0xff, mEOI)
}

// scan writes one scan of coefficients from..to.
func (s *sketch) scan(comps []int, from, to byte) []byte {
	head := []byte{byte(len(comps))}
	for _, i := range comps {
		head = append(head, s.id(i), 0)
	}
	out := segment(mSOS, append(head, from, to, 0)...)
	dc, ac := codebook(dcTable()), codebook(acTable())
	hMax, vMax := s.max()
	across, down := ceilDiv(s.width, 8*hMax), ceilDiv(s.height, 8*vMax)
	if len(comps) == 1 {
		i := comps[0]
		across = ceilDiv(ceilDiv(s.width*s.h[i], hMax), 8)
		down = ceilDiv(ceilDiv(s.height*s.v[i], vMax), 8)
	}
	var w bitWriter
	pred := make([]int, len(s.h))
	for m := range across * down {
		if s.interval > 0 && m > 0 && m%s.interval == 0 {
			w.flush()
			if s.fill {
				w.out = append(w.out, 0xff)
			}
			w.out = append(w.out, 0xff, byte(mRST0+(m/s.interval-1)%8))
			clear(pred)
		}
		for _, i := range comps {
			h, v := s.h[i], s.v[i]
			if len(comps) == 1 {
				h, v = 1, 1
			}
			for j := range h * v {
				b := &s.blocks[i][(m/across*v+j/h)*s.cols[i]+m%across*h+j%h]
				if from == 0 {
					w.symbol(dc, 0, b[0]-pred[i])
					pred[i] = b[0]
				}
				if to > 0 {
					w.ac(ac, b)
				}
			}
		}
	}
	w.flush()
	return append(out, w.out...)
}

// newSketch makes a random smooth picture: waves and some noise, saturated here
// and there. factors are "hv" of each component.
func newSketch(seed uint64, width, height int, factors ...int) *sketch {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &sketch{width: width, height: height}
	for k, z := range zigzag {
		s.quant[k] = uint16(2 + z>>3 + z&7 + uint8(r.IntN(5)))
	}
	for _, f := range factors {
		s.h, s.v = append(s.h, f/10), append(s.v, f%10)
	}
	hMax, vMax := s.max()
	mcuX, mcuY := ceilDiv(width, 8*hMax), ceilDiv(height, 8*vMax)
	for i := range s.h {
		cols, rows := mcuX*s.h[i], mcuY*s.v[i]
		s.cols = append(s.cols, cols)
		fx, fy, ph := 0.02+0.1*r.Float64(), 0.02+0.1*r.Float64(), 6*r.Float64()
		noise := []float64{0, 4, 60}[r.IntN(3)]
		var blocks [][64]int
		for b := range cols * rows {
			var px [64]float64
			for j := range px {
				x, y := float64(b%cols*8+j%8)*float64(hMax/s.h[i]), float64(b/cols*8+j/8)*float64(vMax/s.v[i])
				px[j] = max(-128, min(127, 140*math.Sin(fx*x+ph)*math.Cos(fy*y)+noise*r.NormFloat64()))
			}
			blocks = append(blocks, forward(&px, &s.quant))
		}
		s.blocks = append(s.blocks, blocks)
	}
	return s
}

// forward is the DCT by its definition (T.81 A.3.3), quantized.
func forward(px *[64]float64, quant *[64]uint16) (out [64]int) {
	for k, z := range zigzag {
		u, v, sum := int(z&7), int(z>>3), 0.0
		for j, p := range px {
			sum += p * cosine[j%8][u] * cosine[j/8][v]
		}
		out[k] = int(math.Round(sum / 4 / float64(quant[k])))
	}
	return out
}

// cosine[x][u] is C(u) cos((2x+1) u pi / 16).
var cosine = func() (t [8][8]float64) {
	for x := range 8 {
		for u := range 8 {
			t[x][u] = math.Cos(float64(2*x+1) * float64(u) * math.Pi / 16)
			if u == 0 {
				t[x][u] = math.Sqrt2 / 2
			}
		}
	}
	return t
}()

// inverse is the islow transform, one number at a time: columns, then rows.
func inverse(b *[64]int, quant *[64]uint16) (out [64]byte) {
	var m [64]int
	for k, z := range zigzag {
		m[z] = b[k] * int(quant[k])
	}
	for c := range 8 {
		inverse1((*[64]int)(&m), c, 8, 11)
	}
	for r := range 8 {
		inverse1(&m, 8*r, 1, 18)
	}
	for i, v := range m {
		out[i] = byte(max(0, min(255, v+128)))
	}
	return out
}

func inverse1(m *[64]int, at, step, shift int) {
	c := func(i int) int { return m[at+i*step] }
	z := (c(2) + c(6)) * 4433
	e2, e3 := z-c(6)*15137, z+c(2)*6270
	e0, e1 := (c(0)+c(4))<<13, (c(0)-c(4))<<13
	even := [4]int{e0 + e3, e1 + e2, e1 - e2, e0 - e3}
	z1, z2, z3, z4 := -7373*(c(7)+c(1)), -20995*(c(5)+c(3)), -16069*(c(7)+c(3)), -3196*(c(5)+c(1))
	z5 := 9633 * (c(7) + c(3) + c(5) + c(1))
	odd := [4]int{12299*c(1) + z1 + z4 + z5, 25172*c(3) + z2 + z3 + z5, 16819*c(5) + z2 + z4 + z5, 2446*c(7) + z1 + z3 + z5}
	for i := range 4 {
		m[at+i*step] = (even[i] + odd[i] + 1<<(shift-1)) >> shift
		m[at+(7-i)*step] = (even[i] - odd[i] + 1<<(shift-1)) >> shift
	}
}

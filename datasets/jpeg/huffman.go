package jpeg

// lookBits is the number of bits that the fast tables see at once. Longer codes
// (about one in two hundred) take the slow path.
const lookBits = 11

// An entry is one decoded Huffman symbol with its value: bits 0..7 the length
// of code and value together, bits 8..15 the run of zeros before the value, bits
// 16..31 the value, signed. 0 means that there is no such entry.
type entry int32

// endOfBlock is the run of the end-of-block symbol: it ends the loop over the 64
// coefficients from wherever it stands.
const endOfBlock = 128

func (e entry) total() int   { return int(uint8(e)) }
func (e entry) run() int     { return int(uint8(e >> 8)) }
func (e entry) value() int64 { return int64(e >> 16) }

// A length is a symbol without its value: bits 0..7 and 8..15 as in an entry,
// bits 16.. the length of the code alone. 0 means that there is no such code,
// or none that a baseline file may use.
type length uint32

func (l length) total() int { return int(uint8(l)) }
func (l length) run() int   { return int(uint8(l >> 8)) }
func (l length) code() int  { return int(l >> 16) }

// with is the entry for the bits that the length was found for. A value with a
// leading 0 is negative, written as its magnitude with all bits inverted.
func (l length) with(bits uint64) entry {
	size := l.total() - l.code()
	x := int64(bits << (l.code() & 63))
	sign := ^x >> 63
	magnitude := int64(uint64(x^sign) >> 1 >> ((63 - size) & 63))
	return entry((magnitude^sign)-sign)<<16 | entry(l&0xffff)
}

// huffman is a Huffman table with its direct look-ups.
type huffman struct {
	fast    [1 << lookBits]entry  // symbols whose values fit in too
	lengths [1 << lookBits]length // all symbols whose codes fit
	limit   [17]uint32            // limit[l]: first 16-bit window above all codes of length <= l
	offset  [17]int32             // code of length l, minus its index in symbols
	counts  [16]byte
	symbols [256]byte
	n       int // symbols
	ac      bool
	defined bool
	built   bool
}

// build makes the table from the 16 counts of codes by length and the symbols in
// order (ITU-T T.81, annex C). It returns what is wrong, or "". The table of the
// picture before is kept if it is the same.
func (h *huffman) build(counts []byte, symbols []byte, ac bool) string {
	h.defined = true
	if h.built && h.ac == ac && string(h.counts[:]) == string(counts) && string(h.symbols[:h.n]) == string(symbols) {
		return ""
	}
	h.built, h.ac, h.n = false, ac, copy(h.symbols[:], symbols)
	copy(h.counts[:], counts)
	clear(h.lengths[:])
	code, k := uint32(0), 0
	for l := 1; l <= 16; l++ {
		h.offset[l] = int32(code) - int32(k)
		for range counts[l-1] {
			if code >= 1<<l {
				return "the Huffman table has more codes than bits allow"
			}
			h.fill(code, l, symbols[k])
			code, k = code+1, k+1
		}
		h.limit[l] = code << (16 - l)
		code <<= 1
	}
	for i, l := range h.lengths {
		h.fast[i] = 0
		if l.total() <= lookBits && l != 0 {
			h.fast[i] = l.with(uint64(i) << (64 - lookBits))
		}
	}
	h.built = true
	return ""
}

// fill enters a code of l bits.
func (h *huffman) fill(code uint32, l int, symbol byte) {
	if l > lookBits {
		return
	}
	v := meaning(symbol, h.ac, l)
	first := code << (lookBits - l)
	for i := range uint32(1) << (lookBits - l) {
		h.lengths[first+i] = v
	}
}

// meaning is a symbol of a DC or AC table with a code of l bits.
func meaning(s byte, ac bool, l int) length {
	run, size := int(s>>4), int(s&15)
	switch {
	case !ac:
		run, size = 0, int(s)
		if s > 11 {
			return 0
		}
	case s == 0:
		run = endOfBlock
	case size == 0 && run != 15, size > 10:
		return 0
	}
	return length(l<<16 | run<<8 | l + size)
}

// find is the length for the code at the top of the bits.
func (h *huffman) find(bits uint64) length {
	if l := h.lengths[bits>>(64-lookBits)]; l != 0 {
		return l
	}
	window := uint32(bits >> 48)
	for l := 1; l <= 16; l++ {
		if window >= h.limit[l] {
			continue
		}
		if k := int(int32(window>>(16-l)) - h.offset[l]); k >= 0 && k < h.n {
			return meaning(h.symbols[k&255], h.ac, l)
		}
		break
	}
	return 0
}

// slow is the entry for the bits, if fast has none: 0 for a wrong code.
func (h *huffman) slow(bits uint64) entry {
	l := h.find(bits)
	if l == 0 {
		return 0
	}
	return l.with(bits)
}

package jpeg

// lookBits is the number of bits that the fast table sees at once. Longer codes
// (about one in two hundred) take the slow path.
const lookBits = 10

// An entry describes one Huffman symbol: bits 0..7 the length of code and value
// together, bits 8..15 the length of the value (its "size"), bits 16.. the run
// of zeros before it. 0 means: no such short code.
type entry uint32

// endOfBlock is the run of the end-of-block symbol: it ends the loop over the 64
// coefficients from wherever it stands.
const endOfBlock = 128

func (e entry) total() int { return int(e & 255) }
func (e entry) size() uint { return uint(e >> 8 & 255) }
func (e entry) run() int   { return int(e >> 16) }

// huffman is a Huffman table with its direct look-up.
type huffman struct {
	fast    [1 << lookBits]entry
	limit   [18]uint32 // limit[l]: first 16-bit window above all codes of length <= l
	offset  [17]int32  // code of length l, minus its index in values
	values  [256]entry // by index: the entry without the code's length
	valid   [256]bool
	defined bool
}

// symbol is the entry (without code length) of a symbol in a DC or AC table, and
// whether a baseline file may use it.
func symbol(s byte, ac bool) (entry, bool) {
	run, size := entry(s>>4), entry(s&15)
	switch {
	case !ac:
		return entry(s)<<8 | entry(s), s <= 11
	case s == 0:
		return endOfBlock << 16, true
	case size == 0:
		return run << 16, run == 15
	}
	return run<<16 | size<<8 | size, size <= 10
}

// build makes the table from the 16 counts of codes by length and the symbols in
// order (ITU-T T.81, annex C). It returns what is wrong, or "".
func (h *huffman) build(counts []byte, symbols []byte, ac bool) string {
	*h = huffman{}
	code, k := uint32(0), 0
	for l := 1; l <= 16; l++ {
		h.offset[l] = int32(code) - int32(k)
		for range counts[l-1] {
			if code >= 1<<l {
				return "the Huffman table has more codes than bits allow"
			}
			h.add(code, l, k, symbols[k], ac)
			code++
			k++
		}
		h.limit[l] = code << (16 - l)
		code <<= 1
	}
	h.limit[17] = 1 << 16
	h.defined = true
	return ""
}

// add enters code of l bits for the k-th symbol.
func (h *huffman) add(code uint32, l, k int, s byte, ac bool) {
	e, ok := symbol(s, ac)
	h.values[k], h.valid[k] = e, ok
	if !ok || l > lookBits {
		return
	}
	first := code << (lookBits - l)
	for i := range uint32(1) << (lookBits - l) {
		h.fast[first+i] = e + entry(l)
	}
}

// slow is the entry for the code at the top of the bits, of any length; 0 if
// there is no such code, or none that a baseline file may use.
func (h *huffman) slow(bits uint64) entry {
	window := uint32(bits >> 48)
	l := 1
	for window >= h.limit[l] {
		if l++; l > 16 {
			return 0
		}
	}
	k := int32(window>>(16-l)) - h.offset[l]
	if k < 0 || k > 255 || !h.valid[k] {
		return 0
	}
	return h.values[k] + entry(l)
}

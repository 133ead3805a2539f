package jpeg

import "bytes"

// padding is the number of zero bytes behind a segment. A block takes at most
// 27 + 63*26 bits (208 bytes), and a refill looks 8 bytes ahead.
const padding = 256

// bitReader reads one restart interval. The stuffed zero bytes are taken out
// beforehand, so that a refill is one load without a look at the bytes.
type bitReader struct {
	data []byte // the segment and padding zeros
	end  uint   // length of the segment
	buf  uint64 // the next bits, from the top
	n    uint   // bits in buf that count
	pos  uint   // next byte of data to load
}

// load copies the entropy-coded bytes from src into the reader, up to the first
// marker. It returns the position of that marker in src, or -1 if src ends
// before one.
func (r *bitReader) load(src []byte) int {
	out, pos, marker := r.data[:0], 0, -1
	for {
		i := bytes.IndexByte(src[pos:], 0xff)
		if i < 0 || pos+i+1 >= len(src) {
			break
		}
		i += pos
		next := src[i+1]
		if next != 0 && next != 0xff {
			out = append(out, src[pos:i]...)
			marker = i
			break
		}
		if next == 0 {
			out = append(out, src[pos:i+1]...)
			pos = i + 2
			continue
		}
		out = append(out, src[pos:i]...) // a fill byte before a marker
		pos = i + 1
	}
	r.end = uint(len(out))
	r.data = append(out, make([]byte, padding)...)
	r.buf, r.n, r.pos = 0, 0, 0
	return marker
}

// overrun reports whether more bits were taken than the segment has.
func (r *bitReader) overrun() bool { return r.pos*8-r.n > r.end*8 }

// block decodes one block: coefficients times q are added into b (packed as the
// inverse DCT wants them), which must be zero. It returns the zigzag index of
// the last coefficient, or -1 if the bits are no block. The DC predictor is
// updated. It refuses to begin in the padding, so it cannot leave the data.
func (r *bitReader) block(dc, ac *huffman, q *[64]int64, b *[32]int64, pred *int64) int {
	data, pos := r.data, r.pos
	if pos > r.end+8 {
		return -1
	}
	buf, n := r.buf|peek(data, pos)>>(r.n&63), r.n|56
	pos += (63 - r.n) >> 3
	e := dc.fast[buf>>(64-lookBits)]
	if e == 0 {
		if e = dc.slow(buf); e == 0 {
			return -1
		}
	}
	buf <<= e & 63
	n -= uint(e.total())
	*pred += e.value()
	b[0] = *pred * q[0]
	k, last := 1, 0
	for {
		buf |= peek(data, pos) >> (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		e := ac.fast[buf>>(64-lookBits)]
		if e == 0 {
			if e = ac.slow(buf); e == 0 {
				return -1
			}
		}
		buf <<= e & 63
		n -= uint(e.total())
		k += e.run()
		if k > 63 {
			k++ // 64 is the end of a full block
			break
		}
		b[packIndex[k&63]&31] += e.value() * q[k&63]
		if k++; k == 64 {
			break
		}
		e = ac.fast[buf>>(64-lookBits)]
		if e == 0 {
			if e = ac.slow(buf); e == 0 {
				return -1
			}
		}
		buf <<= e & 63
		n -= uint(e.total())
		k += e.run()
		if k > 63 {
			k++ // 64 is the end of a full block
			break
		}
		b[packIndex[k&63]&31] += e.value() * q[k&63]
		if k++; k == 64 {
			break
		}
	}
	if last = k - endOfBlock - 2; k == 64 {
		last = 63
	}
	if last < 0 {
		return -1
	}
	r.buf, r.n, r.pos = buf, n, pos
	return last
}

// skip is block without the coefficients: for blocks that nobody looks at.
func (r *bitReader) skip(dc, ac *huffman, pred *int64) bool {
	data, pos := r.data, r.pos
	if pos > r.end+8 {
		return false
	}
	buf, n := r.buf|peek(data, pos)>>(r.n&63), r.n|56
	pos += (63 - r.n) >> 3
	e := dc.fast[buf>>(64-lookBits)]
	if e == 0 {
		if e = dc.slow(buf); e == 0 {
			return false
		}
	}
	buf <<= e & 63
	n -= uint(e.total())
	*pred += e.value()
	k := 1
	for {
		buf |= peek(data, pos) >> (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		e := ac.lengths[buf>>(64-lookBits)]
		if e == 0 {
			if e = ac.find(buf); e == 0 {
				return false
			}
		}
		buf <<= e & 63
		n -= uint(e.total())
		if k += e.run() + 1; k > 63 {
			break
		}
		e = ac.lengths[buf>>(64-lookBits)]
		if e == 0 {
			if e = ac.find(buf); e == 0 {
				return false
			}
		}
		buf <<= e & 63
		n -= uint(e.total())
		if k += e.run() + 1; k > 63 {
			break
		}
	}
	r.buf, r.n, r.pos = buf, n, pos
	return k == 64 || k > endOfBlock
}

// peek is the 8 bytes at pos, big-endian: one load and one check of bounds.
func peek(data []byte, pos uint) uint64 {
	_ = data[pos+7]
	return uint64(data[pos])<<56 | uint64(data[pos+1])<<48 | uint64(data[pos+2])<<40 | uint64(data[pos+3])<<32 |
		uint64(data[pos+4])<<24 | uint64(data[pos+5])<<16 | uint64(data[pos+6])<<8 | uint64(data[pos+7])
}

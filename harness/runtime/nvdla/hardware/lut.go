package hardware

import "math/bits"

// hit says where a value fell in a look-up table.
type hit int8

const (
	underflow hit = -1
	inside    hit = 0
	overflow  hit = 1
)

// Lookup evaluates the pair of tables at q (cmod/hls/sdp/sdp_y_idx.cpp and
// sdp_y_inp.cpp; cmod/hls/cdp_libs alike). Interpolation has a fraction of
// fracBits bits: 35 in SDP, 16 in CDP; the result is saturated to outBits.
// Both tables missed on one side: that side's priority decides; one hit: it
// wins; otherwise the hybrid priority decides (0 the LE table, 1 the LO table).
func (l *LUT) Lookup(q int64, fracBits, outBits uint) int64 {
	he, ve := l.lookupLE(q, fracBits, outBits)
	ho, vo := l.lookupLO(q, fracBits, outBits)
	useLO := l.HybridPriority != 0
	switch {
	case he == underflow && ho == underflow:
		useLO = l.UnderflowPriority != 0
	case he == overflow && ho == overflow:
		useLO = l.OverflowPriority != 0
	case he == inside && ho != inside:
		useLO = false
	case ho == inside && he != inside:
		useLO = true
	}
	if useLO {
		return vo
	}
	return ve
}

func (l *LUT) lookupLE(q int64, fracBits, outBits uint) (hit, int64) {
	if l.Method != 0 {
		return linear(l.LE[:], q, l.LEStart, l.LEEnd, l.LEOffset, l.LEUnderflow, l.LEOverflow, fracBits, outBits)
	}
	return l.exponential(q, fracBits, outBits)
}

func (l *LUT) lookupLO(q int64, fracBits, outBits uint) (hit, int64) {
	return linear(l.LO[:], q, l.LOStart, l.LOEnd, l.LOOffset, l.LOUnderflow, l.LOOverflow, fracBits, outBits)
}

// linear looks q up in a table whose entries are 2^frac apart from start on.
func linear(t []int16, q, start, end int64, frac int8, un, ov Slope, fracBits, outBits uint) (hit, int64) {
	last := len(t) - 1
	d := q - start
	if d <= 0 {
		return underflow, un.extend(int64(t[0]), d, outBits)
	}
	i, r := d, int64(0)
	if frac >= 0 {
		i = d >> uint(frac)
		r = fraction(d-i<<uint(frac), uint(frac), fracBits)
	} else {
		i = shiftSigned(d, frac)
	}
	if i >= int64(last) {
		return overflow, ov.extend(int64(t[last]), q-end, outBits)
	}
	return inside, interpolate(t, int(i), r, fracBits, outBits)
}

// exponential looks q up in the LE table with entries at powers of two.
func (l *LUT) exponential(q int64, fracBits, outBits uint) (hit, int64) {
	d := q - l.LEStart
	lg := bits.Len64(uint64(max(d, 1))) - 1
	i := lg - int(l.LEOffset)
	switch {
	case d <= 0 || i < 0:
		first := int64(0)
		if l.LEOffset >= 0 {
			first = 1 << min(uint(l.LEOffset), 62)
		}
		return underflow, l.LEUnderflow.extend(int64(l.LE[0]), d-first, outBits)
	case i >= len(l.LE)-1:
		return overflow, l.LEOverflow.extend(int64(l.LE[len(l.LE)-1]), q-l.LEEnd, outBits)
	}
	r := fraction(d-1<<uint(lg), uint(lg), fracBits)
	return inside, interpolate(l.LE[:], i, r, fracBits, outBits)
}

// fraction rescales the low bits of an index to fracBits bits; bits that do not
// fit are dropped.
func fraction(low int64, have, fracBits uint) int64 {
	if have > fracBits {
		return low >> (have - fracBits)
	}
	return low << (fracBits - have)
}

func interpolate(t []int16, i int, r int64, fracBits, outBits uint) int64 {
	y0, y1 := int64(t[i]), int64(t[i+1])
	return Saturate(RoundHalfAway(y0<<fracBits+(y1-y0)*r, fracBits), outBits)
}

// extend continues a table beyond its end y by distance d along the slope.
func (s Slope) extend(y, d int64, outBits uint) int64 {
	d = Saturate(d, 40)
	return Saturate(y+shiftSigned(d*int64(s.Scale), s.Shift), outBits)
}

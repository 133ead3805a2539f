package jpeg

import "testing"

// A run that leaves the block by any number of coefficients is damage, whether
// or not the block is looked at; one that ends at the last coefficient is not.
func TestRunPastBlock(t *testing.T) {
	var dc, ac huffman
	for h, table := range map[*huffman][]code{&dc: dcTable(), &ac: acTable()} {
		seg := tableSegment(0, table)
		if msg := h.build(seg[5:21], seg[21:], h == &ac); msg != "" {
			t.Fatal(msg)
		}
	}
	dcBook, acBook := codebook(dcTable()), codebook(acTable())
	q := packQuant(&[64]uint16{})
	for ones := 40; ones < 63; ones++ {
		for run := range 16 {
			var w bitWriter
			w.symbol(dcBook, 0, 5)
			for range ones {
				w.symbol(acBook, 0, 1)
			}
			w.symbol(acBook, run, 1)
			k := 1 + ones + run // of the last coefficient
			if k < 63 {
				w.put(acBook[0][0], acBook[0][1])
			}
			w.flush()
			coded := append(w.out, 0xff, mEOI)
			var r, s bitReader
			r.load(coded)
			s.load(coded)
			var b [32]int64
			var pr, ps int64
			last, ok := r.block(&dc, &ac, &q, &b, &pr), s.skip(&dc, &ac, &ps)
			if want := k < 64; (last >= 0) != want || ok != want || want && (last != k || r.overrun() || pr != 5 || ps != 5) {
				t.Errorf("%d coefficients and a run of %d: last %d, skipped %v, want %v", ones, run, last, ok, want)
			}
		}
	}
}

// Too many codes for their length, and codes that no symbol has.
func TestHuffmanErrors(t *testing.T) {
	var h huffman
	counts := make([]byte, 16)
	counts[0] = 3
	if h.build(counts, []byte{0, 1, 2}, false) == "" {
		t.Error("three codes of one bit")
	}
	counts[0], counts[15] = 1, 1
	if msg := h.build(counts, []byte{0, 200}, false); msg != "" {
		t.Fatal(msg)
	}
	for bits, want := range map[uint64]int{0: 1, 1 << 63: 0, 1<<63 | 1<<48: 0, ^uint64(0): 0} {
		if e := h.slow(bits); e.total() != want {
			t.Errorf("%016x: %d bits, want %d", bits, e.total(), want)
		}
	}
}

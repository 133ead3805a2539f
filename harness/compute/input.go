package compute

import "quantbench/harness/compute/kernel"

// input turns pictures in C x H x W order into the layout of the network.
type input struct{ tensor Tensor }

func (op *input) prepare(*Builder) error { return nil }
func (op *input) across() bool           { return false }

func (op *input) execute(w *Worker, first, groups int) {
	t := w.p.tensors[op.tensor]
	for g := first; g < first+groups; g++ {
		lanes := min(kernel.Lanes, w.count-g*kernel.Lanes)
		for lane := 0; lane < lanes; lane++ {
			from := (g*kernel.Lanes + lane) * w.source.picture
			switch {
			case t.kind == Float32:
				packFloat32(w, t, g, lane, from)
			case t.taps:
				packTaps(w, t, g, lane, from)
			default:
				packInt8(w, t, g, lane, from)
			}
		}
	}
}

func packFloat32(w *Worker, t *tensor, g, lane, from int) {
	for c := 0; c < t.c; c++ {
		for y := 0; y < t.h; y++ {
			dst := row[float32](w, t, g, c, y)[lane:]
			if s := &w.source; s.floats != nil {
				for x, v := range s.floats[from : from+t.w] {
					dst[x*kernel.Lanes] = v
				}
			} else {
				table := &s.tables[c]
				for x, v := range s.pixels[from : from+t.w] {
					dst[x*kernel.Lanes] = table[v]
				}
			}
			from += t.w
		}
	}
}

// packInt8 assembles four channels to an element, a row at a time.
func packInt8(w *Worker, t *tensor, g, lane, from int) {
	s := &w.source
	plane := t.h * t.w
	for c := 0; c < t.c; c++ {
		table, shift := &s.stored[c], 8*(c%kernel.Block)
		keep := uint32(0)
		if shift > 0 {
			keep = ^(uint32(0xff) << shift)
		}
		for y := 0; y < t.h; y++ {
			src := s.pixels[from+c*plane+y*t.w:][:t.w]
			dst := row[uint32](w, t, g, c/kernel.Block, y)[lane:]
			packRow(dst, src, table, keep, shift)
		}
	}
}

// packRow puts one channel of one picture into the bytes at shift.
func packRow(dst []uint32, src []byte, table *[256]byte, keep uint32, shift int) {
	for x, v := range src {
		dst[x*kernel.Lanes] = dst[x*kernel.Lanes]&keep | uint32(table[v])<<shift
	}
}

// packTaps stores the values at x..x+3 in the element at x, in the halo too.
func packTaps(w *Worker, t *tensor, g, lane, from int) {
	table := &w.source.stored[0]
	for y := 0; y < t.h; y++ {
		src := w.source.pixels[from+y*t.w:][:t.w]
		dst := rowWithHalo(w, t, g, y)[lane:]
		word := t.zero()
		for x := t.left + t.w + t.right - 1; x >= t.left+t.w; x-- {
			dst[x*kernel.Lanes] = word
		}
		for x := t.w - 1; x >= 0; x-- {
			word = word<<8 | uint32(table[src[x]])
			dst[(x+t.left)*kernel.Lanes] = word
		}
		for x := t.left - 1; x >= 0; x-- {
			word = word<<8 | 0x80
			dst[x*kernel.Lanes] = word
		}
	}
}

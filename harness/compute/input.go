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
				table := &s.tableF[c]
				for x, v := range s.pixels[from : from+t.w] {
					dst[x*kernel.Lanes] = table[v]
				}
			}
			from += t.w
		}
	}
}

// stored is the stored byte of element i of channel c.
func (s *source) stored(c, i int) uint32 {
	if s.ints != nil {
		return uint32(byte(s.ints[i]) ^ 0x80)
	}
	return uint32(byte(s.tableI[c][s.pixels[i]]) ^ 0x80)
}

func packInt8(w *Worker, t *tensor, g, lane, from int) {
	s := &w.source
	plane := t.h * t.w
	for block := 0; block < t.planes(); block++ {
		c0 := block * kernel.Block
		n := min(kernel.Block, t.c-c0)
		for y := 0; y < t.h; y++ {
			dst := row[uint32](w, t, g, block, y)[lane:]
			i := from + c0*plane + y*t.w
			for x := 0; x < t.w; x++ {
				word := t.zero()
				for o := 0; o < n; o++ {
					shift := 8 * o
					word = word&^(0xff<<shift) | s.stored(c0+o, i+x+o*plane)<<shift
				}
				dst[x*kernel.Lanes] = word
			}
		}
	}
}

// packTaps stores the values at x..x+3 in the element at x, in the halo too.
func packTaps(w *Worker, t *tensor, g, lane, from int) {
	s := &w.source
	n := t.left + t.w + t.right
	for y := 0; y < t.h; y++ {
		dst := rowWithHalo(w, t, g, y)[lane:]
		word := t.zero()
		for x := n - 1; x >= 0; x-- {
			next := uint32(0x80)
			if i := x - t.left; i >= 0 && i < t.w {
				next = s.stored(0, from+y*t.w+i)
			}
			word = word<<8 | next
			dst[x*kernel.Lanes] = word
		}
	}
}

package compute

import (
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// input turns pictures in C x H x W order into the layout of the network.
type input struct {
	tensor Tensor
	line   int // bytes of a line in the scratch buffer; 0 if none is used
}

func (op *input) across() bool { return false }

// prepare makes room for one line of 16 pictures of 4 channels where there are
// kernels for it.
func (op *input) prepare(b *Builder) error {
	t := b.tensors[op.tensor]
	if t.kind == Int8 && b.program.kernels.Interleave != nil && t.w >= kernel.Lanes {
		op.line = (t.left + t.w + t.right + kernel.Block + kernel.VectorBytes - 1) &^ (kernel.VectorBytes - 1)
		b.program.scratch = max(b.program.scratch, kernel.Lanes*kernel.Block*op.line)
	}
	return nil
}

func (op *input) execute(w *Worker, first, groups int) {
	t := w.p.tensors[op.tensor]
	for g := first; g < first+groups; g++ {
		lanes := min(kernel.Lanes, w.count-g*kernel.Lanes)
		if op.line > 0 {
			op.packLines(w, t, g, lanes)
			continue
		}
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

// packLines packs a group line by line: each channel of the line goes through
// its table to the scratch buffer, and from there 4 channels to elements. Four
// taps of one channel are like four channels, each one pixel further on.
func (op *input) packLines(w *Worker, t *tensor, g, lanes int) {
	s := &w.source
	lane := kernel.Block * op.line
	filling := byte(0) // of channels that there are not
	if t.taps {
		filling = 0x80
	}
	for c := 0; c < t.c; c += kernel.Block {
		for i := range w.scratch[:kernel.Lanes*lane] {
			w.scratch[i] = filling
		}
		for y := range t.h {
			for k := 0; k < kernel.Block && c+k < t.c; k++ {
				at := g*kernel.Lanes*s.picture + ((c+k)*t.h+y)*t.w
				w.lookup = kernel.Lookup{In: unsafe.Pointer(&s.pixels[at]), InStep: int64(s.picture), N: int64(t.w), Rows: int64(lanes),
					Out: unsafe.Pointer(&w.scratch[k*op.line+t.packedBefore()]), OutStep: int64(lane), Table: unsafe.Pointer(&s.stored[c+k])}
				w.p.kernels.Lookup(&w.lookup)
			}
			a := &w.interleave
			*a = kernel.Interleave{In: unsafe.Pointer(&w.scratch[0]), LaneStep: int64(lane), ChannelStep: int64(op.line), N: int64(t.w),
				Out: w.pointer(t, g, t.at(c/kernel.Block, y, -t.packedBefore()))}
			if t.taps {
				a.ChannelStep, a.N = 1, int64(t.left+t.w+t.right)
			}
			w.p.kernels.Interleave(a)
		}
	}
}

// packedBefore is the number of pixels of the halo that are packed with a line: the
// taps of pixels in the halo reach into the picture.
func (t *tensor) packedBefore() int {
	if t.taps {
		return t.left
	}
	return 0
}

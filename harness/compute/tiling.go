package compute

import (
	"math"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// tiling cuts a picture of h x w pixels into rows x cols tiles of th x tw, one a
// lane, in row-major order. The last tiles may reach beyond the picture; what
// they hold there means nothing.
type tiling struct{ h, w, rows, cols, th, tw int }

// cut chooses the tiling with the least work: pixels of a tile, and two more for
// every kernel call. A tile's sides are multiples of step, where the picture is
// larger than one pixel.
func cut(h, w, step int) tiling {
	best, cost := tiling{}, math.MaxInt
	for rows := 1; rows <= kernel.Lanes; rows++ {
		t := tiling{h: h, w: w, rows: rows, cols: kernel.Lanes / rows}
		t.th, t.tw = side(h, t.rows, step), side(w, t.cols, step)
		calls := (t.tw + kernel.MaxTile - 1) / kernel.MaxTile
		if c := t.th * (t.tw + 2*calls); c < cost {
			best, cost = t, c
		}
	}
	return best
}

// side is the length of n equal parts of a side, a multiple of step.
func side(length, n, step int) int {
	if length == 1 {
		return 1
	}
	part := (length + n - 1) / n
	return (part + step - 1) / step * step
}

// find gives the lane of a pixel and its place in the tile; ok is false outside
// the picture.
func (t tiling) find(y, x int) (lane, ty, tx int, ok bool) {
	if y < 0 || x < 0 || y >= t.h || x >= t.w {
		return 0, 0, 0, false
	}
	return y/t.th*t.cols + x/t.tw, y % t.th, x % t.tw, true
}

// scatter is the input of a program for one picture: each pixel goes to its
// tile.
type scatter struct {
	out    *tensor
	tiling tiling
}

func (s *scatter) prepare(*Builder) error { return nil }
func (s *scatter) across() bool           { return false }

func (s *scatter) execute(w *Worker, _, _ int) {
	t := s.tiling
	i := 0
	for c := 0; c < s.out.c; c++ {
		for y := 0; y < t.h; y++ {
			for x := 0; x < t.w; x += t.tw {
				n := min(t.tw, t.w-x)
				lane, ty, _, _ := t.find(y, x)
				s.row(w, c, ty, lane, i+x, n)
			}
			i += t.w
		}
	}
}

// row packs n pixels of channel c, the first of which is element i.
func (s *scatter) row(w *Worker, c, ty, lane, i, n int) {
	src := &w.source
	if s.out.kind == Int8 {
		shift := 8 * (c % kernel.Block)
		keep := uint32(0x80808000)
		if shift > 0 {
			keep = ^(uint32(0xff) << shift)
		}
		dst := row[uint32](w, s.out, 0, c/kernel.Block, ty)[lane:]
		for x, v := range src.pixels[i : i+n] {
			dst[x*kernel.Lanes] = dst[x*kernel.Lanes]&keep | uint32(src.stored[c][v])<<shift
		}
		return
	}
	dst := row[float32](w, s.out, 0, c, ty)[lane:]
	for x := range n {
		if src.floats != nil {
			dst[x*kernel.Lanes] = src.floats[i+x]
		} else {
			dst[x*kernel.Lanes] = src.tables[c][src.pixels[i+x]]
		}
	}
}

// retile cuts a tensor's picture anew: into overlapping tiles that hold all that
// one lane's windows read.
type retile struct {
	in, out *tensor
	from    tiling
	// The element (y, x) of lane (row, col) is the pixel
	// row*stepY - padY + y, col*stepX - padX + x.
	rows, cols, stepY, stepX, padY, padX int

	fill    uint32 // outside the picture
	runs    []run  // written first
	patches []patch
	fills   []int32 // places in the output's plane
}

// run is a number of vectors that are copied: from a place in the input's plane,
// which may begin at any lane, to a place in the output's.
type run struct{ from, to, bytes int32 }

// patch is one lane's element that the runs do not bring.
type patch struct{ from, to int32 }

func (r *retile) across() bool { return false }

func (r *retile) prepare(*Builder) error {
	if r.out.taps {
		r.fill = 0x80
	}
	for y := 0; y < r.out.h; y++ {
		for x := 0; x < r.out.w; x++ {
			r.cell(y, x)
		}
	}
	return nil
}

// cell finds the 16 elements in a row that serve most lanes of a vector:
// neighbouring tiles are neighbouring lanes, so that a halo is its neighbours'
// vector moved by some lanes.
func (r *retile) cell(y, x int) {
	var places [kernel.Lanes]int32
	for l := range places {
		places[l] = r.place(l, y, x)
	}
	best, served := int32(0), 0
	for l, at := range places {
		from, n := at-int32(4*l), 0
		if at < 0 || from < 0 || int(from)+kernel.VectorBytes > r.in.planeBytes() {
			continue
		}
		for k, other := range places {
			if other == from+int32(4*k) {
				n++
			}
		}
		if n > served {
			best, served = from, n
		}
	}
	to := int32(r.out.at(0, y, x))
	if served > 0 {
		r.extend(best, to)
	}
	for l, at := range places {
		lane := to + int32(4*l)
		switch {
		case at < 0:
			r.fills = append(r.fills, lane)
		case served == 0 || at != best+int32(4*l):
			r.patches = append(r.patches, patch{at, lane})
		}
	}
}

// extend adds a vector to the last run, or begins another.
func (r *retile) extend(from, to int32) {
	if n := len(r.runs); n > 0 {
		last := &r.runs[n-1]
		if last.from+last.bytes == from && last.to+last.bytes == to {
			last.bytes += kernel.VectorBytes
			return
		}
	}
	r.runs = append(r.runs, run{from, to, kernel.VectorBytes})
}

// place is where lane l's element (y, x) lies in a plane of the input, or -1.
func (r *retile) place(l, y, x int) int32 {
	if l >= r.rows*r.cols {
		return -1
	}
	lane, ty, tx, ok := r.from.find(l/r.cols*r.stepY-r.padY+y, l%r.cols*r.stepX-r.padX+x)
	if !ok {
		return -1
	}
	return int32(r.in.at(0, ty, tx) + 4*lane)
}

func (r *retile) execute(w *Worker, _, _ int) {
	for plane := 0; plane < r.out.planes(); plane++ {
		in := w.pointer(r.in, 0, plane*r.in.planeBytes())
		out := w.pointer(r.out, 0, plane*r.out.planeBytes())
		for _, c := range r.runs {
			copy(unsafe.Slice((*byte)(unsafe.Add(out, c.to)), c.bytes), unsafe.Slice((*byte)(unsafe.Add(in, c.from)), c.bytes))
		}
		for _, p := range r.patches {
			*(*uint32)(unsafe.Add(out, p.to)) = *(*uint32)(unsafe.Add(in, p.from))
		}
		for _, to := range r.fills {
			*(*uint32)(unsafe.Add(out, to)) = r.fill
		}
	}
	if r.out.taps {
		r.packTaps(w)
	}
}

// packTaps turns elements of one value into elements of four. What lies beyond
// the line is 0.
func (r *retile) packTaps(w *Worker) {
	const next = kernel.Lanes
	for y := 0; y < r.out.h; y++ {
		line := row[uint32](w, r.out, 0, 0, y)
		inner := max(0, len(line)-3*next)
		one, two, three := line[min(next, len(line)):], line[min(2*next, len(line)):], line[min(3*next, len(line)):][:inner]
		one, two = one[:inner], two[:inner]
		for i, v := range three {
			line[i] = line[i]&0xff | one[i]&0xff<<8 | two[i]&0xff<<16 | v<<24
		}
		for i := inner; i < len(line); i++ {
			word := line[i] & 0xff
			for k := 1; k < kernel.Block; k++ {
				v := uint32(0x80)
				if at := i + k*next; at < len(line) {
					v = line[at] & 0xff
				}
				word |= v << (8 * k)
			}
			line[i] = word
		}
	}
}

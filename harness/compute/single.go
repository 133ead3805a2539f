package compute

import (
	"slices"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// singleMost is the largest number of pictures that run one by one rather than
// as a block of 16 with empty lanes.
const singleMost = 6

// single is the program for one picture, which is cut into 16 tiles, one a lane:
// the same layers over tiles, each with what its windows need of their
// neighbours. It shares the weights with the program for many pictures, and its
// results are equal bit for bit.
type single struct {
	program *Program
	kept    []delivery
}

// delivery brings a kept tensor to where the worker's caller finds it.
type delivery struct {
	from, to *tensor
	tiling   tiling
}

// splitter builds a single.
type splitter struct {
	b        *Builder
	many     *Program
	tensors  []Tensor // by tensor of the other program
	tilings  []tiling // by tensor of this one
	winograd bool     // a layer uses it
}

// split makes the program for one picture; nil if a layer has no such form.
func (p *Program) split() *single {
	s := &splitter{b: NewBuilder(), many: p, tensors: make([]Tensor, len(p.tensors)), tilings: make([]tiling, 1)}
	s.winograd = slices.ContainsFunc(p.ops, func(op operation) bool {
		c, ok := op.(*conv)
		return ok && c.winograd != nil
	})
	s.b.Kernels, s.b.Groups, s.b.tiled = p.kernels, 1, true
	for i, op := range p.ops {
		out := p.wires[i].out
		x, ok := s.operation(op, p.tensors[out], p.wires[i].in)
		if !ok || len(s.b.errs) > 0 {
			return nil
		}
		s.tensors[out] = x
	}
	one := &single{}
	for i, t := range p.tensors[1:] {
		if x := s.tensors[i+1]; t.kept {
			s.b.Keep(x)
			one.kept = append(one.kept, delivery{s.b.tensors[x], t, s.tilings[x]})
		}
	}
	var err error
	if one.program, err = s.b.Build(); err != nil {
		return nil
	}
	return one
}

// add appends an operation that writes a tensor like t, of the given tiling;
// set gets the new tensor.
func (s *splitter) add(op operation, kind Type, c int, t tiling, in ...Tensor) (Tensor, *tensor) {
	return s.place(op, kind, c, t.th, t.tw, t, in...)
}

func (s *splitter) place(op operation, kind Type, c, h, w int, t tiling, in ...Tensor) (Tensor, *tensor) {
	x := s.b.add(op, kind, c, h, w, in...)
	s.tilings = append(s.tilings, t)
	return x, s.b.tensors[x]
}

// operation adds the counterpart of an operation that writes t.
func (s *splitter) operation(op operation, t *tensor, from []Tensor) (x Tensor, ok bool) {
	in := make([]Tensor, len(from))
	tensors := make([]*tensor, len(from))
	for i, f := range from {
		in[i] = s.tensors[f]
		tensors[i] = s.b.tensors[in[i]]
	}
	tiles := s.cut(t)
	switch op := op.(type) {
	case *input:
		o := &scatter{tiling: tiles}
		x, o.out = s.add(o, t.kind, t.c, tiles)
	case *conv:
		return s.conv(op, t, in)
	case *pool:
		return s.pool(op, t, in[0])
	case *each:
		o := &each{in: tensors[0], f: op.f}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	case *eltwise:
		o := &eltwise{how: op.how, coeff: op.coeff, in: tensors}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	case *pixels:
		if !op.alone {
			return 0, false
		}
		o := &pixels{in: tensors[0], f: op.f, alone: true}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	case *lookup:
		o := &lookup{in: tensors[0], table: op.table}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	case *dequantize:
		o := &dequantize{in: tensors[0], table: op.table}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	case *quantize:
		o := &quantize{in: tensors[0], mul: op.mul}
		x, o.out = s.add(o, t.kind, t.c, tiles, in...)
	default:
		return 0, false
	}
	return x, true
}

// cut is the tiling of a tensor of the other program. Winograd's 2x2 outputs must
// be the same ones in both programs, so that their tiles are even.
func (s *splitter) cut(t *tensor) tiling {
	if s.winograd {
		return cut(t.h, t.w, 2)
	}
	return cut(t.h, t.w, 1)
}

// window adds a retile of x for windows of a layer whose output is cut into
// tiles.
func (s *splitter) window(x Tensor, tiles tiling, strideH, strideW, spanH, spanW, padH, padW int, taps bool, fill uint32) (Tensor, *tensor) {
	in := s.b.tensors[x]
	r := &retile{in: in, from: s.tilings[x], rows: tiles.rows, cols: tiles.cols, padY: padH, padX: padW,
		stepY: tiles.th * strideH, stepX: tiles.tw * strideW, fill: fill}
	y, out := s.place(r, in.kind, in.c, (tiles.th-1)*strideH+spanH, (tiles.tw-1)*strideW+spanW, tiling{}, x)
	r.out, out.taps = out, taps
	return y, out
}

// conv adds a convolution over tiles, or a layer with one pixel as dense.
func (s *splitter) conv(c *conv, t *tensor, in []Tensor) (x Tensor, ok bool) {
	o := &conv{Conv: c.Conv, twin: c, blocks: c.blocks, perPass: c.perPass}
	if c.winograd != nil {
		o.winograd = &winograd{}
	}
	tiles := s.cut(t)
	if c.across() && !c.in.taps && c.res == nil {
		o.in = s.b.tensors[in[0]]
		d := &dense{conv: o, from: s.tilings[in[0]]}
		if c.fits() && d.collect() {
			x, o.out = s.add(d, t.kind, t.c, tiles, in[0])
			return x, true
		}
	}
	spanH, spanW := (c.KernelH-1)*c.DilationH+1, (c.KernelW-1)*c.DilationW+1
	if c.in.taps {
		spanW += -spanW & (kernel.Block - 1)
	}
	wide, from := s.window(in[0], tiles, c.StrideH, c.StrideW, spanH, spanW, c.PadH, c.PadW, c.in.taps, c.in.zero())
	o.in, o.PadH, o.PadW, o.OutH, o.OutW = from, 0, 0, tiles.th, tiles.tw
	reads := []Tensor{wide}
	if c.res != nil {
		o.res = s.b.tensors[in[1]]
		reads = append(reads, in[1])
	}
	x, o.out = s.add(o, t.kind, t.c, tiles, reads...)
	return x, true
}

// pool adds a maximum over tiles, or an average over the whole picture.
func (s *splitter) pool(p *pool, t *tensor, x Tensor) (Tensor, bool) {
	if !p.Max {
		if len(p.runs) != 1 || p.runs[0].n != 1 || len(p.runs[0].offsets) != p.in.h*p.in.w {
			return 0, false
		}
		o := &total{in: s.b.tensors[x], from: s.tilings[x], divisor: p.runs[0].divisor, table: p.runs[0].table}
		y, out := s.add(o, t.kind, t.c, cut(1, 1, 1), x)
		o.out = out
		return y, true
	}
	tiles := s.cut(t)
	fill := uint32(0xff800000) // -Inf
	if p.in.kind == Int8 {
		fill = 0 // -128 in all four channels
	}
	wide, from := s.window(x, tiles, p.StrideH, p.StrideW, p.KernelH, p.KernelW, p.PadH, p.PadW, false, fill)
	o := &pool{Pool: p.Pool, in: from}
	o.PadH, o.PadW, o.OutH, o.OutW = 0, 0, tiles.th, tiles.tw
	y, out := s.add(o, t.kind, t.c, tiles, wide)
	o.out = out
	return y, true
}

// total is the average of a whole picture, in the order of its pixels.
type total struct {
	in, out *tensor
	from    tiling
	divisor int
	table   []int8
	places  []int32
}

func (o *total) across() bool { return false }

func (o *total) prepare(*Builder) error {
	for y := range o.from.h {
		for x := range o.from.w {
			lane, ty, tx, _ := o.from.find(y, x)
			o.places = append(o.places, int32(o.in.at(0, ty, tx)+4*lane))
		}
	}
	return nil
}

func (o *total) execute(w *Worker, _, _ int) {
	for plane := 0; plane < o.in.planes(); plane++ {
		in, out := w.pointer(o.in, 0, plane*o.in.planeBytes()), w.pointer(o.out, 0, o.out.at(plane, 0, 0))
		if o.in.kind == Float32 {
			var sum float32
			for _, at := range o.places {
				sum += *(*float32)(unsafe.Add(in, at))
			}
			*(*float32)(out) = sum / float32(o.divisor)
			continue
		}
		var sums [kernel.Block]int
		for _, at := range o.places {
			v := *(*uint32)(unsafe.Add(in, at))
			sums[0], sums[1] = sums[0]+int(v&0xff), sums[1]+int(v>>8&0xff)
			sums[2], sums[3] = sums[2]+int(v>>16&0xff), sums[3]+int(v>>24)
		}
		word := uint32(0)
		for i, s := range sums {
			word |= uint32(stored(o.table[s])) << (8 * i)
		}
		*(*uint32)(out) = word
	}
}

// runSingle runs the current call's pictures one by one.
func (w *Worker) runSingle() {
	if w.one == nil {
		w.one = w.p.single.program.NewWorker()
	}
	for i := range w.count {
		w.one.source = w.source.from(i)
		w.one.count = 1
		w.one.execute(1)
		for _, d := range w.p.single.kept {
			d.deliver(w, i)
		}
	}
	w.one.source = source{}
}

// from is the source of picture i alone.
func (s source) from(i int) source {
	if s.floats != nil {
		s.floats = s.floats[i*s.picture : (i+1)*s.picture]
	} else {
		s.pixels = s.pixels[i*s.picture : (i+1)*s.picture]
	}
	return s
}

// deliver copies a tensor to the lane of picture i.
func (d *delivery) deliver(w *Worker, i int) {
	for plane := 0; plane < d.to.planes(); plane++ {
		for y := range d.to.h {
			dst := row[uint32](w, d.to, i/kernel.Lanes, plane, y)
			for x := range d.to.w {
				lane, ty, tx, _ := d.tiling.find(y, x)
				dst[x*kernel.Lanes+i%kernel.Lanes] = *(*uint32)(w.one.pointer(d.from, 0, d.from.at(plane, ty, tx)+4*lane))
			}
		}
	}
}

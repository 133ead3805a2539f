package compute

import (
	"fmt"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// Pool describes a pooling; strides left 0 mean 1. A window that reaches into
// the padding is clipped to the picture.
//
// An average divides by the size of the window clipped to the padded picture,
// as Caffe does (pooling_layer.cpp: the divisor is taken before the clipping to
// the picture), so that padding counts as zeros.
type Pool struct {
	Max              bool
	KernelH, KernelW int
	StrideH, StrideW int
	PadH, PadW       int
	OutH, OutW       int // 0: rounded down
	// Average, for an Int8 average, turns the sum of a window and Caffe's divisor
	// into the result: TensorRTAverage or NVDLAAverage.
	Average func(sum, divisor int) int8
}

// TensorRTAverage is q = clamp(rne(float32(sum)/float32(divisor)*ratio)), with
// ratio = s_in/s_out.
func TensorRTAverage(ratio float32) func(sum, divisor int) int8 {
	return func(sum, divisor int) int8 {
		return kernel.RoundEven(float32(sum) / float32(divisor) * ratio)
	}
}

// NVDLAAverage is PDP's rha(rha(sum*r(width), 16)*r(height), 16), r(n) =
// floor(65536/n), with the whole kernel as divisor.
func NVDLAAverage(width, height int) func(sum, divisor int) int8 {
	return func(sum, _ int) int8 {
		v := kernel.RoundAway(int64(sum)*int64(65536/width), 16)
		return kernel.Saturate(kernel.RoundAway(v*int64(65536/height), 16))
	}
}

// pool is a compiled pooling.
type pool struct {
	Pool
	in, out *tensor
	runs    []poolRun
}

// poolRun is a run of pixels of one row whose windows have one shape.
type poolRun struct {
	y, x, n int
	from    int // position of the first window's first value in a plane
	offsets []int32
	divisor int
	table   []int8 // Int8 average: the result by sum + 128*len(offsets)
}

// Pool adds a pooling of a Float32 or Int8 tensor.
func (b *Builder) Pool(x Tensor, p Pool) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	p.StrideH, p.StrideW = max(p.StrideH, 1), max(p.StrideW, 1)
	if p.OutH == 0 {
		p.OutH = outputs(in.h, p.PadH, p.KernelH, p.StrideH)
	}
	if p.OutW == 0 {
		p.OutW = outputs(in.w, p.PadW, p.KernelW, p.StrideW)
	}
	if in.kind == Int32 || in.kind == Int8 && !p.Max && p.Average == nil {
		return b.fail("pooling: an int32 input, or an int8 average without its rule")
	}
	op := &pool{Pool: p, in: in}
	y := b.add(op, in.kind, in.c, p.OutH, p.OutW, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

// GlobalAverage adds the average of each channel; the rule is for Int8 only.
func (b *Builder) GlobalAverage(x Tensor, average func(sum, divisor int) int8) Tensor {
	_, h, w := b.Shape(x)
	return b.Pool(x, Pool{KernelH: h, KernelW: w, Average: average})
}

func (p *pool) across() bool { return false }

// window is one window along one side: the values it reads and its divisor.
type window struct{ from, to, divisor int }

func clip(i, stride, pad, kernel, size int) window {
	start := i*stride - pad
	end := min(start+kernel, size+pad)
	return window{max(start, 0), min(end, size), end - start}
}

func (p *pool) prepare(*Builder) error {
	tables := map[[3]int][]int32{}
	averages := map[[2]int][]int8{}
	for y := 0; y < p.OutH; y++ {
		wy := clip(y, p.StrideH, p.PadH, p.KernelH, p.in.h)
		for x := 0; x < p.OutW; {
			wx := clip(x, p.StrideW, p.PadW, p.KernelW, p.in.w)
			if wy.from >= wy.to || wx.from >= wx.to {
				return fmt.Errorf("pooling: window %d,%d lies in the padding", y, x)
			}
			n := p.alike(x, wx)
			r := poolRun{y: y, x: x, n: n, from: p.in.at(0, wy.from, wx.from), divisor: wy.divisor * wx.divisor}
			r.offsets = p.taps(tables, wy.to-wy.from, wx.to-wx.from)
			if p.in.kind == Int8 && !p.Max {
				r.table = p.results(averages, len(r.offsets), r.divisor)
			}
			p.runs = append(p.runs, r)
			x += n
		}
	}
	return nil
}

// alike counts the windows from x on that look like the one at x.
func (p *pool) alike(x int, first window) int {
	n := 1
	for ; x+n < p.OutW; n++ {
		w := clip(x+n, p.StrideW, p.PadW, p.KernelW, p.in.w)
		if w.from != first.from+n*p.StrideW || w.to-w.from != first.to-first.from || w.divisor != first.divisor {
			break
		}
	}
	return n
}

func (p *pool) taps(tables map[[3]int][]int32, h, w int) []int32 {
	key := [3]int{h, w}
	if tables[key] == nil {
		for y := 0; y < h; y++ {
			for x := 0; x < w; x++ {
				tables[key] = append(tables[key], int32(y*p.in.rowBytes()+x*kernel.VectorBytes))
			}
		}
	}
	return tables[key]
}

// results tabulates the average of taps values for every sum they can have.
func (p *pool) results(tables map[[2]int][]int8, taps, divisor int) []int8 {
	key := [2]int{taps, divisor}
	if tables[key] == nil {
		t := make([]int8, 255*taps+1)
		for i := range t {
			t[i] = p.Average(i-128*taps, divisor)
		}
		tables[key] = t
	}
	return tables[key]
}

func (p *pool) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for plane := 0; plane < p.in.planes(); plane++ {
			at := plane * p.in.planeBytes()
			for i := range p.runs {
				r := &p.runs[i]
				a := &w.pool
				a.In = w.pointer(p.in, g, at+r.from)
				a.Offsets, a.K, a.N = unsafe.Pointer(&r.offsets[0]), int64(len(r.offsets)), int64(r.n)
				a.InStep, a.OutStep = int64(p.StrideW*kernel.VectorBytes), kernel.VectorBytes
				a.Out = w.pointer(p.out, g, p.out.at(plane, r.y, r.x))
				p.reduce(w, r)
			}
		}
	}
}

func (p *pool) reduce(w *Worker, r *poolRun) {
	switch {
	case p.Max && p.in.kind == Float32:
		w.p.kernels.MaxF32(&w.pool)
	case p.Max:
		w.p.kernels.MaxU8(&w.pool)
	case p.in.kind == Float32:
		averageFloat32(&w.pool, r)
	default:
		averageInt8(&w.pool, r)
	}
}

func averageFloat32(a *kernel.Pool, r *poolRun) {
	divisor := float32(r.divisor)
	for p := 0; p < r.n; p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		var sum [kernel.Lanes]float32
		for _, off := range r.offsets {
			for l, v := range (*[kernel.Lanes]float32)(unsafe.Add(in, off)) {
				sum[l] += v
			}
		}
		out := (*[kernel.Lanes]float32)(unsafe.Add(a.Out, p*kernel.VectorBytes))
		for l, v := range sum {
			out[l] = v / divisor
		}
	}
}

// averageInt8 adds the stored bytes two to a 32-bit word, at most 256 at a time
// so that neither half overflows.
func averageInt8(a *kernel.Pool, r *poolRun) {
	for p := 0; p < r.n; p++ {
		in := unsafe.Add(a.In, p*int(a.InStep))
		var sums [kernel.Lanes][kernel.Block]uint32
		for list := r.offsets; len(list) > 0; {
			n := min(len(list), 256)
			var even, odd [kernel.Lanes]uint32
			for _, off := range list[:n] {
				for l, v := range (*[kernel.Lanes]uint32)(unsafe.Add(in, off)) {
					even[l] += v & 0xff00ff
					odd[l] += v >> 8 & 0xff00ff
				}
			}
			for l := range sums {
				s := &sums[l]
				s[0], s[2] = s[0]+even[l]&0xffff, s[2]+even[l]>>16
				s[1], s[3] = s[1]+odd[l]&0xffff, s[3]+odd[l]>>16
			}
			list = list[n:]
		}
		out := (*[kernel.Lanes]uint32)(unsafe.Add(a.Out, p*kernel.VectorBytes))
		for l, s := range sums {
			out[l] = uint32(stored(r.table[s[0]])) | uint32(stored(r.table[s[1]]))<<8 |
				uint32(stored(r.table[s[2]]))<<16 | uint32(stored(r.table[s[3]]))<<24
		}
	}
}

// stored is the byte that stands for q.
func stored(q int8) byte { return byte(q) ^ 0x80 }

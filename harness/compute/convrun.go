package compute

import (
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// line is one run of pixels of a convolution: a row of a picture, or the groups
// of pictures of a layer with one pixel.
type line struct {
	group   int
	y, x    int // of the first pixel
	pixels  int
	inStep  int // bytes
	outStep int
	resStep int
}

// execute goes over the picture once for every weightBudget of weights.
func (c *conv) execute(w *Worker, first, groups int) {
	if c.winograd != nil {
		c.winograd.run(c, w, first, groups)
		return
	}
	l := line{group: first, pixels: c.OutW, inStep: c.StrideW * kernel.VectorBytes,
		outStep: kernel.VectorBytes, resStep: kernel.VectorBytes}
	if c.across() {
		l.pixels, l.inStep, l.outStep = groups, c.in.stride, c.out.stride
		if c.res != nil {
			l.resStep = c.res.stride
		}
	}
	whole := l.pixels
	for b := 0; b < len(c.blocks); b += c.perPass {
		end := min(b+c.perPass, len(c.blocks))
		for l.y = 0; l.y < c.OutH; l.y++ {
			for l.x = 0; l.x < whole; l.x += c.segment {
				l.pixels = min(c.segment, whole-l.x)
				if c.fused != nil {
					c.fusedLine(w, l, b, end)
					continue
				}
				for i := b; i < end; i++ {
					c.line(w, l, i)
				}
			}
		}
	}
}

// line computes one line of 4 output channels.
func (c *conv) line(w *Worker, l line, i int) {
	blk := &c.blocks[i]
	a := &w.conv
	a.In = w.pointer(c.in, l.group, c.in.at(0, l.y*c.StrideH-c.PadH, l.x*c.StrideW-c.PadW))
	a.Offsets = unsafe.Pointer(&blk.offsets[0])
	a.Weights = unsafe.Pointer(&blk.weights[0])
	a.K = int64(len(blk.offsets))
	a.InStep = int64(l.inStep)
	a.Init = unsafe.Pointer(&blk.init)
	if c.in.kind == Float32 {
		c.lineFloat32(w, l, i)
		return
	}
	a.Out = unsafe.Pointer(&w.scratch[0])
	a.Residual = nil
	convolve(a, &w.p.kernels.ConvI8, w.p.kernels.TileI8, l.pixels, kernel.Block*kernel.VectorBytes)
	c.finish(w, l, i, unsafe.Pointer(&w.scratch[0]))
}

func (c *conv) lineFloat32(w *Worker, l line, i int) {
	a := &w.conv
	plane := i * kernel.Block
	a.Out = w.pointer(c.out, l.group, c.out.at(plane, l.y, l.x))
	a.OutChannel = int64(c.out.planeBytes())
	a.Residual = nil
	if c.res != nil {
		a.Residual = w.pointer(c.res, l.group, c.res.at(plane, l.y, l.x))
		a.ResStep, a.ResChannel = int64(l.resStep), int64(c.res.planeBytes())
	}
	a.ReLU = 0
	if c.ReLU {
		a.ReLU = 1
	}
	convolve(a, &w.p.kernels.ConvF32, w.p.kernels.TileF32, l.pixels, l.outStep)
}

// convolve splits a line into the fewest tiles, of two sizes that differ by 1.
func convolve(a *kernel.Conv, kernels *[kernel.MaxTile + 1]func(*kernel.Conv), largest, pixels, outStep int) {
	a.OutStep = int64(outStep)
	tiles := (pixels + largest - 1) / largest
	size, larger := pixels/tiles, pixels%tiles
	if larger > 0 {
		a.Tiles = int64(larger)
		kernels[size+1](a)
		done := int64(larger * (size + 1))
		a.In = unsafe.Add(a.In, done*a.InStep)
		a.Out = unsafe.Add(a.Out, done*a.OutStep)
		if a.Residual != nil {
			a.Residual = unsafe.Add(a.Residual, done*a.ResStep)
		}
	}
	a.Tiles = int64(tiles - larger)
	kernels[size](a)
}

// finish turns the sums of one line into the output's elements.
func (c *conv) finish(w *Worker, l line, i int, sums unsafe.Pointer) {
	if c.out.kind == Int32 {
		c.storeInt32(w, l, i, sums)
		return
	}
	out := w.pointer(c.out, l.group, c.out.at(i, l.y, l.x))
	var res unsafe.Pointer
	if c.res != nil {
		res = w.pointer(c.res, l.group, c.res.at(i, l.y, l.x))
	}
	r := &c.blocks[i].requant
	if c.TensorRT != nil {
		a := &w.tensorRT
		*a = r.tensorRT
		a.Acc, a.N = sums, int64(l.pixels)
		a.Mul, a.Bias = unsafe.Pointer(&r.mul), unsafe.Pointer(&r.bias)
		a.Residual, a.ResStep, a.Out, a.OutStep = res, int64(l.resStep), out, int64(l.outStep)
		w.p.kernels.TensorRT(a)
		return
	}
	a := &w.nvdla
	*a = r.nvdla
	a.Acc, a.N = sums, int64(l.pixels)
	a.Mul = unsafe.Pointer(&r.factor)
	a.Residual, a.ResStep, a.Out, a.OutStep = res, int64(l.resStep), out, int64(l.outStep)
	w.p.kernels.NVDLA(a)
}

func (c *conv) storeInt32(w *Worker, l line, i int, sums unsafe.Pointer) {
	type vector = [kernel.Lanes]int32
	acc := unsafe.Slice((*[kernel.Block]vector)(sums), l.pixels)
	for o := 0; o < kernel.Block; o++ {
		out := w.pointer(c.out, l.group, c.out.at(i*kernel.Block+o, l.y, l.x))
		for p := range acc {
			*(*vector)(unsafe.Add(out, p*l.outStep)) = acc[p][o]
		}
	}
}

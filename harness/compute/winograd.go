package compute

import (
	"fmt"
	"math"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// winogradLeast is the least number of input channels: with 8, Winograd's
// transforms cost about what its products save.
const winogradLeast = 16

// winogradBudget is the number of bytes that the transformed inputs of one chunk
// of tiles may take, and winogradPass those of the products of some output
// channels, so that both stay in the second-level cache. winogradTiles is the
// least number of tiles in a chunk all the same, because the convolution kernel is
// slow with few.
const (
	winogradBudget = 256 << 10
	winogradPass   = 128 << 10
	winogradTiles  = kernel.MaxTile
)

// winograd computes a 3x3 convolution of stride 1 in float32 from tiles of 2x2
// outputs with 16 products a channel (see kernel.WinogradIn). A tile beyond the
// last row or column is computed and not stored.
//
// The result differs from the direct sum's by rounding. With u = 2^-24, C input
// channels, and S = |A'| [ sum over channels of (|G||g||G'|) .* (|B'||d||B|) ] |A|,
// that is the same formula with absolute values, the error is to first order at
// most (C + 10) * u * (S + |bias| + |residual|): one rounding for the stored
// weight, two additions for the input, C multiply-adds, and one more each where
// they are two operations, four additions for the output, bias, residual
// (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, lemma 3.1;
// Barabasz et al., "Error analysis and improving the accuracy of Winograd
// convolution for deep neural networks", 2020).
type winograd struct {
	weights []uint32 // [16][blocks][input channels][4]
	bias    []float32
	zero    [kernel.Block]uint32
	offsets []int32 // of the channels of one product
	// The tiles of the whole picture, and of a chunk.
	rows, cols           int
	chunkRows, chunkCols int
	perPass              int // output planes whose products are kept at a time
	inProduct            int // bytes from one product of the inputs to the next
	outProduct           int
}

// suitsWinograd says whether Winograd's algorithm can compute a layer, and would pay.
func (c *conv) suitsWinograd() bool {
	return c.in.kind == Float32 && c.KernelH == 3 && c.KernelW == 3 && c.StrideH == 1 && c.StrideW == 1 &&
		c.DilationH == 1 && c.DilationW == 1 && c.Groups == 1 && c.OutH > 1 && c.OutW > 1 && c.in.c >= winogradLeast
}

// Winograd is the number of convolutions that Winograd's algorithm computes, of
// all convolutions and fully connected layers.
func (p *Program) Winograd() (n, of int) {
	for _, op := range p.ops {
		if c, ok := op.(*conv); ok {
			of++
			if c.winograd != nil {
				n++
			}
		}
	}
	return n, of
}

// even is n, or n+1 if that is even: what whole tiles cover.
func even(n int) int { return n + n%2 }

// prepareWinograd transforms the weights and cuts the picture into chunks.
func (c *conv) prepareWinograd(b *Builder) error {
	f := c.winograd
	if c.twin != nil {
		f.weights, f.bias = c.twin.winograd.weights, c.twin.winograd.bias
	} else {
		f.pack(c)
	}
	f.chunks(c)
	tiles := f.chunkRows * f.chunkCols
	f.offsets = make([]int32, c.in.c)
	for i := range f.offsets {
		f.offsets[i] = int32(i * tiles * kernel.VectorBytes)
	}
	// One vector more, so that the same place of all products is not in one set
	// of the cache.
	f.inProduct = (c.in.c*tiles + 1) * kernel.VectorBytes
	f.outProduct = (f.perPass*tiles + 1) * kernel.VectorBytes
	b.program.scratch = max(b.program.scratch, kernel.WinogradProducts*(f.inProduct+f.outProduct))
	c.Float32, c.Bias = nil, nil
	return c.checkWindows()
}

// chunks chooses how many tiles are computed in turn: whole rows of tiles, or an
// equal part of one.
func (f *winograd) chunks(c *conv) {
	f.rows, f.cols = even(c.OutH)/2, even(c.OutW)/2
	channel := kernel.WinogradProducts * kernel.VectorBytes
	most := max(winogradTiles, winogradBudget/(channel*c.in.c))
	f.chunkRows, f.chunkCols = 1, parts(f.cols, most)
	if f.cols <= most {
		f.chunkRows = parts(f.rows, most/f.cols)
	}
	blocks := max(1, winogradPass/(channel*f.chunkRows*f.chunkCols*kernel.Block))
	f.perPass = kernel.Block * parts(c.out.planes()/kernel.Block, blocks)
}

// parts is the size of the fewest equal parts of n that are at most most.
func parts(n, most int) int {
	count := (n + most - 1) / most
	return (n + count - 1) / count
}

// pack transforms the weights of every pair of channels.
func (f *winograd) pack(c *conv) {
	in, planes := c.in.c, c.out.planes()
	f.weights = make([]uint32, kernel.WinogradProducts*planes*in)
	f.bias = make([]float32, planes)
	copy(f.bias, c.Bias)
	for o := range c.Out {
		for i := range in {
			var g [3][3]float32
			for k := range 9 {
				g[k/3][k%3] = c.Float32[(o*in+i)*9+k]
			}
			for k, u := range kernel.WinogradWeights(&g) {
				block := k*planes/kernel.Block + o/kernel.Block
				f.weights[(block*in+i)*kernel.Block+o%kernel.Block] = math.Float32bits(u)
			}
		}
	}
}

// checkWindows proves that no window of a tile leaves the input's buffer.
func (c *conv) checkWindows() error {
	f := c.winograd
	first := c.in.at(0, -c.PadH, -c.PadW)
	last := c.in.at(c.in.c-1, 2*f.rows+1-c.PadH, 2*f.cols+1-c.PadW) + kernel.VectorBytes
	if first < 0 || last > c.in.size() {
		return fmt.Errorf("convolution reads %d..%d of a buffer of %d bytes", first, last, c.in.size())
	}
	return nil
}

// run computes all chunks of some groups of pictures.
func (f *winograd) run(c *conv, w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for y := 0; y < f.rows; y += f.chunkRows {
			for x := 0; x < f.cols; x += f.chunkCols {
				t := tiles{g, y, x, min(f.chunkRows, f.rows-y), min(f.chunkCols, f.cols-x)}
				f.inputs(c, w, t)
				for plane := 0; plane < c.out.planes(); plane += f.perPass {
					n := min(f.perPass, c.out.planes()-plane)
					f.products(c, w, t, plane, n)
					f.outputs(c, w, t, plane, n)
				}
			}
		}
	}
}

// tiles are a chunk: rows x cols tiles of group from tile (y, x) on.
type tiles struct{ group, y, x, rows, cols int }

func (f *winograd) inputs(c *conv, w *Worker, t tiles) {
	a := &w.winogradIn
	*a = kernel.WinogradIn{InRow: int64(c.in.rowBytes()), InChannel: int64(c.in.planeBytes()), Tiles: int64(t.cols),
		Channels: int64(c.in.c), OutProduct: int64(f.inProduct), OutChannel: int64(f.chunkRows * f.chunkCols * kernel.VectorBytes)}
	for r := range t.rows {
		a.In = w.pointer(c.in, t.group, c.in.at(0, 2*(t.y+r)-c.PadH, 2*t.x-c.PadW))
		a.Out = unsafe.Pointer(&w.scratch[r*t.cols*kernel.VectorBytes])
		w.p.kernels.WinogradIn(a)
	}
}

// products are the sums over the channels, product by product.
func (f *winograd) products(c *conv, w *Worker, t tiles, plane, n int) {
	a := &w.conv
	channel := f.chunkRows * f.chunkCols * kernel.VectorBytes
	*a = kernel.Conv{Offsets: unsafe.Pointer(&f.offsets[0]), K: int64(len(f.offsets)), InStep: kernel.VectorBytes,
		Init: unsafe.Pointer(&f.zero), OutChannel: int64(channel)}
	perBlock := len(f.offsets) * kernel.Block
	for k := range kernel.WinogradProducts {
		in := unsafe.Pointer(&w.scratch[k*f.inProduct])
		out := kernel.WinogradProducts*f.inProduct + k*f.outProduct
		next := (k*c.out.planes() + plane) / kernel.Block * perBlock
		for range n / kernel.Block {
			a.In, a.Weights, a.Out = in, unsafe.Pointer(&f.weights[next]), unsafe.Pointer(&w.scratch[out])
			convolve(a, &w.p.kernels.ConvF32, w.p.kernels.TileF32, t.rows*t.cols, kernel.VectorBytes)
			next += perBlock
			out += kernel.Block * channel
		}
	}
}

func (f *winograd) outputs(c *conv, w *Worker, t tiles, plane, n int) {
	a := &w.winogradOut
	*a = kernel.WinogradOut{InProduct: int64(f.outProduct), InChannel: int64(f.chunkRows * f.chunkCols * kernel.VectorBytes),
		Channels: int64(n), Bias: unsafe.Pointer(&f.bias[plane]), OutChannel: int64(c.out.planeBytes())}
	if c.ReLU {
		a.ReLU = 1
	}
	if c.res != nil {
		a.ResChannel = int64(c.res.planeBytes())
	}
	for r := range t.rows {
		whole := min(t.cols, c.OutW/2-t.x)
		if whole > 0 {
			f.store(c, w, t, plane, r, 0, whole)
		}
		if whole < t.cols {
			f.store(c, w, t, plane, r, whole, 1)
		}
	}
}

// store transforms n tiles of row r of a chunk from tile x on: whole ones, or
// one that reaches beyond the last column.
func (f *winograd) store(c *conv, w *Worker, t tiles, plane, r, x, n int) {
	a := &w.winogradOut
	a.In = unsafe.Pointer(&w.scratch[kernel.WinogradProducts*f.inProduct+(r*t.cols+x)*kernel.VectorBytes])
	a.Tiles = int64(n)
	py, px := 2*(t.y+r), 2*(t.x+x)
	a.Out = w.pointer(c.out, t.group, c.out.at(plane, py, px))
	a.OutRow, a.OutColumn = steps(c.out, py, px)
	if c.res != nil {
		a.Residual = w.pointer(c.res, t.group, c.res.at(plane, py, px))
		a.ResRow, a.ResColumn = steps(c.res, py, px)
	}
	w.p.kernels.WinogradOut(a)
}

// steps are the bytes to the next row and column of a tensor; 0 beyond the last.
func steps(t *tensor, y, x int) (row, column int64) {
	if y+1 < t.h {
		row = int64(t.rowBytes())
	}
	if x+1 < t.w {
		column = kernel.VectorBytes
	}
	return row, column
}

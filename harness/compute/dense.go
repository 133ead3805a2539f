package compute

import (
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// denseBudget is the most bytes of weights that a program keeps a second time,
// for one picture.
const denseBudget = 8 << 20

// dense is a fully connected layer for one picture: 16 outputs a vector. The
// kernels then take the weights for inputs, and each value of the picture for a
// weight. In int8 that swaps which of the two is stored with 128 added.
//
// A float sum begins with the bias, as it does for many pictures, by a first
// step whose value is 1: results are equal bit for bit.
type dense struct {
	*conv
	from    tiling
	values  []int32  // where each step's value lies in the input
	weights []uint32 // [block of 16 outputs][step][16]
	offsets []int32
	bias    []uint32 // int8: the sum's start, without the part for stored bytes
	in16    int      // steps, with the one for the bias
	columns int      // of the kernel: 1, or the 4 of a convolution
}

func (d *dense) across() bool { return false }

// fits says that the weights may be kept a second time.
func (c *conv) fits() bool { return c.Out*len(c.blocks[0].offsets)*4 <= denseBudget }

func (d *dense) prepare(b *Builder) error {
	steps := len(d.blocks[0].offsets)
	first := 0
	if d.in.kind == Float32 {
		first = 1
	}
	d.in16, d.columns = steps+first, kernel.Block
	if b.program.kernels.ColumnF32[1] != nil {
		d.columns = 1
	}
	d.weights = make([]uint32, d.vectors()*d.in16*kernel.Lanes)
	d.bias = make([]uint32, len(d.blocks)*kernel.Block)
	for k := range d.in16 {
		d.offsets = append(d.offsets, int32(k*kernel.VectorBytes))
	}
	for i := range d.blocks {
		for j := range kernel.Block {
			d.pack(i*kernel.Block+j, &d.blocks[i], j, first)
		}
	}
	b.program.scratch = max(b.program.scratch, d.sumBytes()+d.in16*d.columns*4+2*kernel.Block*kernel.VectorBytes)
	return nil
}

// vectors is the number of vectors of 16 outputs.
func (d *dense) vectors() int { return (d.Out + kernel.Lanes - 1) / kernel.Lanes }

// sumBytes is the room for the sums of all outputs.
func (d *dense) sumBytes() int {
	return d.vectors() * d.columns * kernel.VectorBytes
}

// pack moves one output's weights from its block to its lane.
func (d *dense) pack(o int, blk *block, j, first int) {
	at := o / kernel.Lanes * d.in16 * kernel.Lanes
	if at >= len(d.weights) {
		return
	}
	lane := d.weights[at+o%kernel.Lanes:]
	if first > 0 {
		lane[0] = blk.init[j]
		for k := range blk.offsets {
			lane[(k+1)*kernel.Lanes] = blk.weights[k*kernel.Block+j]
		}
		return
	}
	sum := uint32(0)
	for k := range blk.offsets {
		w := blk.weights[k*kernel.Block+j]
		lane[k*kernel.Lanes] = w ^ 0x80808080
		sum += signedSum(w)
	}
	d.bias[o] = blk.init[j] + 128*sum
}

// signedSum adds the four int8 of a word.
func signedSum(w uint32) uint32 {
	return uint32(int32(int8(w)) + int32(int8(w>>8)) + int32(int8(w>>16)) + int32(int8(w>>24)))
}

// collect tabulates where the values of the steps lie.
func (d *dense) collect() bool {
	if d.res != nil || d.Groups != 1 || d.OutH*d.OutW != 1 || d.DilationH*d.DilationW != 1 {
		return false
	}
	for plane := 0; plane < d.in.planes(); plane++ {
		if plane*d.perPlane() >= d.in.c {
			break
		}
		for ky := range d.KernelH {
			for kx := range d.KernelW {
				lane, ty, tx, ok := d.from.find(ky-d.PadH, kx-d.PadW)
				if !ok {
					return false
				}
				d.values = append(d.values, int32(d.in.at(plane, ty, tx)+4*lane))
			}
		}
	}
	return len(d.values) == len(d.blocks[0].offsets)
}

func (d *dense) execute(w *Worker, _, _ int) {
	values := unsafe.Slice((*uint32)(unsafe.Pointer(&w.scratch[d.sumBytes()])), d.in16*d.columns)
	clear(values)
	w.starts = [kernel.Block]uint32{d.gather(w, values)}
	a := &w.conv
	*a = kernel.Conv{In: unsafe.Pointer(&d.weights[0]), Offsets: unsafe.Pointer(&d.offsets[0]), Weights: unsafe.Pointer(&values[0]),
		K: int64(d.in16), InStep: int64(d.in16 * kernel.VectorBytes), Init: unsafe.Pointer(&w.starts),
		Out: unsafe.Pointer(&w.scratch[0]), OutChannel: kernel.VectorBytes}
	kernels, largest := d.kernels(w.p.kernels)
	convolve(a, kernels, largest, d.vectors(), d.columns*kernel.VectorBytes)
	d.spread(w)
}

// kernels are those for the input's type and their largest tile.
func (d *dense) kernels(s *kernel.Set) (kernels *[kernel.MaxTile + 1]func(*kernel.Conv), largest int) {
	switch {
	case d.columns == 1 && d.in.kind == Float32:
		return &s.ColumnF32, s.TileF32
	case d.columns == 1:
		return &s.ColumnI8, s.TileI8
	case d.in.kind == Float32:
		return &s.ConvF32, s.TileF32
	}
	return &s.ConvI8, s.TileI8
}

// gather lists the picture's values in the order of the steps, each in the first
// column, and gives the start value of all sums.
func (d *dense) gather(w *Worker, values []uint32) (init uint32) {
	in := w.pointer(d.in, 0, 0)
	if d.in.kind == Float32 {
		values[0] = 0x3f800000 // 1
		for k, at := range d.values {
			values[(k+1)*d.columns] = *(*uint32)(unsafe.Add(in, at))
		}
		return 0
	}
	for k, at := range d.values {
		v := *(*uint32)(unsafe.Add(in, at)) ^ 0x80808080
		values[k*d.columns] = v
		init -= 128 * signedSum(v)
	}
	return init
}

// spread sends the sums through the epilogue, each to lane 0.
func (d *dense) spread(w *Worker) {
	sum := func(o int) *uint32 {
		return (*uint32)(unsafe.Pointer(&w.scratch[o/kernel.Lanes*d.columns*kernel.VectorBytes+o%kernel.Lanes*4]))
	}
	if d.in.kind == Float32 {
		for o := range d.Out {
			v := *(*float32)(unsafe.Pointer(sum(o)))
			if d.ReLU {
				v = max(v, 0)
			}
			*(*float32)(w.pointer(d.out, 0, d.out.at(o, 0, 0))) = v
		}
		return
	}
	at := d.sumBytes() + d.in16*d.columns*4
	at += -at & (kernel.VectorBytes - 1)
	acc := (*[kernel.Block][kernel.Lanes]uint32)(unsafe.Pointer(&w.scratch[at]))
	l := line{pixels: 1, outStep: kernel.VectorBytes, resStep: kernel.VectorBytes}
	for i := range d.blocks {
		for j := range acc {
			if o := i*kernel.Block + j; o < d.Out {
				acc[j][0] = *sum(o) + d.bias[o]
			}
		}
		d.finish(w, l, i, unsafe.Pointer(acc))
	}
}

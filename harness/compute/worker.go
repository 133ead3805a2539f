package compute

import (
	"fmt"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// Worker runs a program on up to Batch pictures at a time.
type Worker struct {
	p       *Program
	arena   []byte
	scratch []byte
	stored  [][256]byte // see source
	count   int         // pictures of the current call
	watch   func(x Tensor, first, count int)
	one     *Worker // for few pictures; made at the first such call
	source  source
	// The arguments of the kernels, here so that no call allocates.
	conv        kernel.Conv
	fused       kernel.Fused
	lookup      kernel.Lookup
	interleave  kernel.Interleave
	tensorRT    kernel.TensorRT
	nvdla       kernel.NVDLA
	pool        kernel.Pool
	affine      kernel.Affine
	winogradIn  kernel.WinogradIn
	winogradOut kernel.WinogradOut
	starts      [kernel.Block]uint32
}

// source is what the current call's pictures are read from: bytes through a
// table, or floats. The values of RunInt8 are bytes with a table of their own.
type source struct {
	pixels  []byte
	floats  []float32
	tables  [][256]float32
	stored  [][256]byte // a stored byte for every byte, one table a channel
	picture int         // elements
}

// LUT maps a picture's bytes to the network's input, one table a channel. The
// one that fits the input's type is used.
type LUT struct {
	Float32 [][256]float32
	Int8    [][256]int8
}

// Batch is the largest number of pictures in one call.
func (w *Worker) Batch() int { return w.p.Batch() }

// Watch sets a function that is called whenever a tensor has been written, with
// the pictures that it holds: first..first+count-1. During the call the tensor
// can be read like a kept one. Nil switches it off.
func (w *Worker) Watch(see func(x Tensor, first, count int)) { w.watch = see }

// RunBytes runs len(pixels)/(C*H*W) pictures of C x H x W bytes each.
func (w *Worker) RunBytes(pixels []byte, lut *LUT) error {
	in := w.p.input
	if in.kind == Float32 && len(lut.Float32) != in.c || in.kind == Int8 && len(lut.Int8) != in.c {
		return fmt.Errorf("a look-up table for every one of %d channels is needed", in.c)
	}
	w.source = source{pixels: pixels, tables: lut.Float32, stored: w.stored}
	if in.kind == Int8 {
		for c := range lut.Int8 {
			for i, q := range &lut.Int8[c] {
				w.stored[c][i] = stored(q)
			}
		}
	}
	return w.run(len(pixels))
}

// RunFloat32 runs pictures of C x H x W values each through a Float32 input.
func (w *Worker) RunFloat32(values []float32) error {
	if w.p.input.kind != Float32 {
		return fmt.Errorf("float32 values for an int8 input")
	}
	w.source = source{floats: values}
	return w.run(len(values))
}

// RunInt8 runs pictures of C x H x W values each through an Int8 input.
func (w *Worker) RunInt8(values []int8) error {
	if w.p.input.kind != Int8 {
		return fmt.Errorf("int8 values for a float32 input")
	}
	if len(values) == 0 {
		return fmt.Errorf("no pictures")
	}
	for c := range w.stored {
		for i := range w.stored[c] {
			w.stored[c][i] = stored(int8(i))
		}
	}
	w.source = source{pixels: unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)), stored: w.stored}
	return w.run(len(values))
}

// run executes the operations: each group of pictures as far as the next
// operation that wants all groups, which keeps the data in the caches.
func (w *Worker) run(elements int) error {
	in := w.p.input
	w.source.picture = in.c * in.h * in.w
	w.count = elements / w.source.picture
	if elements != w.count*w.source.picture || w.count > w.Batch() || w.count == 0 {
		return fmt.Errorf("%d elements are not 1..%d pictures of %dx%dx%d", elements, w.Batch(), in.c, in.h, in.w)
	}
	if w.count <= singleMost && w.p.single != nil && w.watch == nil {
		w.runSingle()
	} else {
		w.execute((w.count + kernel.Lanes - 1) / kernel.Lanes)
	}
	w.source = source{}
	return nil
}

// execute runs all operations on so many groups of pictures.
func (w *Worker) execute(groups int) {
	ops := w.p.ops
	for i := 0; i < len(ops); {
		if ops[i].across() {
			w.step(i, 0, groups)
			i++
			continue
		}
		end := i
		for end < len(ops) && !ops[end].across() {
			end++
		}
		for g := 0; g < groups; g++ {
			for k := i; k < end; k++ {
				w.step(k, g, 1)
			}
		}
		i = end
	}
}

func (w *Worker) step(i, first, groups int) {
	w.p.ops[i].execute(w, first, groups)
	if w.watch != nil {
		from := first * kernel.Lanes
		w.watch(w.p.wires[i].out, from, min(groups*kernel.Lanes, w.count-from))
	}
}

// pointer is a place in the buffer of tensor t, group g.
func (w *Worker) pointer(t *tensor, g, at int) unsafe.Pointer {
	return unsafe.Pointer(&w.arena[t.offset+g*t.stride+at])
}

// Float32 copies a kept Float32 tensor of one picture to dst, C x H x W.
func (w *Worker) Float32(x Tensor, picture int, dst []float32) {
	read(w, w.p.tensors[x], picture, dst)
}

// Int32 copies a kept Int32 tensor of one picture to dst, C x H x W.
func (w *Worker) Int32(x Tensor, picture int, dst []int32) {
	read(w, w.p.tensors[x], picture, dst)
}

func read[T float32 | int32](w *Worker, t *tensor, picture int, dst []T) {
	g, lane := picture/kernel.Lanes, picture%kernel.Lanes
	i := 0
	for c := 0; c < t.c; c++ {
		for y := 0; y < t.h; y++ {
			src := row[T](w, t, g, c, y)
			for x := 0; x < t.w; x++ {
				dst[i] = src[x*kernel.Lanes+lane]
				i++
			}
		}
	}
}

// Int8 copies a kept Int8 tensor of one picture to dst, C x H x W.
func (w *Worker) Int8(x Tensor, picture int, dst []int8) {
	t := w.p.tensors[x]
	g, lane := picture/kernel.Lanes, picture%kernel.Lanes
	i := 0
	for c := 0; c < t.c; c++ {
		shift := 8 * (c % kernel.Block)
		for y := 0; y < t.h; y++ {
			src := row[uint32](w, t, g, c/kernel.Block, y)
			for x := 0; x < t.w; x++ {
				dst[i] = int8(byte(src[x*kernel.Lanes+lane]>>shift) ^ 0x80)
				i++
			}
		}
	}
}

// Visit shows all values of a Float32 tensor of the pictures first..first+count-1,
// in pieces and in no particular order of pictures; padding is left out. The
// pieces must not be changed or kept.
func (w *Worker) Visit(x Tensor, first, count int, see func(values []float32)) {
	t := w.p.tensors[x]
	for count > 0 {
		g, lane := first/kernel.Lanes, first%kernel.Lanes
		n := min(kernel.Lanes-lane, count)
		for c := 0; c < t.c; c++ {
			for y := 0; y < t.h; y++ {
				show(row[float32](w, t, g, c, y), lane, n, see)
			}
		}
		first, count = first+n, count-n
	}
}

// show hands on lanes lane..lane+n-1 of a row.
func show(values []float32, lane, n int, see func([]float32)) {
	if n == kernel.Lanes {
		see(values)
		return
	}
	for ; len(values) > 0; values = values[kernel.Lanes:] {
		see(values[lane : lane+n])
	}
}

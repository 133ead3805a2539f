package compute

import (
	"math"
	"math/bits"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// fused is what a convolution needs to requantize its sums in registers: the
// blocks' numbers one after the other, and a call that holds what all lines
// share.
type fused struct {
	call    kernel.Fused
	kernels *kernel.FusedKernels
	start   []uint32
	factors []float32 // per numbers a block
	per     int
	alike   bool // block b's offsets are those of block 0, inBlock bytes further on
}

// fuse prepares fused; it leaves nil where the kernels have no such form or
// where it could not be proved equal.
func (c *conv) fuse(set *kernel.Set) {
	f := &fused{start: make([]uint32, 0, len(c.blocks)*kernel.Block)}
	ok := false
	switch {
	case c.TensorRT != nil && set.FusedTensorRT[1] != nil:
		f.kernels, f.per = &set.FusedTensorRT, 2*kernel.Block
		ok = c.fuseTensorRT(f)
	case c.NVDLA != nil && set.FusedNVDLA[1] != nil:
		f.kernels, f.per = &set.FusedNVDLA, kernel.Block
		ok = c.fuseNVDLA(f)
	}
	if !ok {
		return
	}
	for i := range c.blocks {
		f.start = append(f.start, c.blocks[i].init[:]...)
	}
	c.layOut(f)
	c.fused = f
}

// layOut gives the blocks' weights one array and finds whether one call can do
// several blocks.
func (c *conv) layOut(f *fused) {
	first := c.blocks[0].offsets
	shift := 0
	if len(c.blocks) > 1 {
		shift = int(c.blocks[1].offsets[0] - first[0])
	}
	f.alike = true
	for i, blk := range c.blocks {
		f.alike = f.alike && len(blk.offsets) == len(first)
		for k := range first {
			f.alike = f.alike && int(blk.offsets[k]-first[k]) == i*shift
		}
	}
	f.call.InBlock = int64(shift)
}

// fuseTensorRT proves that no value is too large to become an int32 and that
// factors may be moved past ReLU and the residual's shift.
func (c *conv) fuseTensorRT(f *fused) bool {
	t := c.TensorRT
	small := func(v float32) bool { return v != 0 && math.Abs(float64(v)) < 1e-30 }
	if t.OutMul < 0 || small(t.OutMul) || small(t.ResidualMul) {
		return false
	}
	for i := range c.blocks {
		blk := &c.blocks[i]
		r := &blk.requant
		for j, s := range blk.sums {
			largest := float64(max(s.hi, -s.lo))*math.Abs(float64(r.mul[j])) + math.Abs(float64(r.bias[j])) + 128*math.Abs(float64(t.ResidualMul))
			if largest*float64(t.OutMul) > 1<<30 || largest > math.MaxFloat32/2 {
				return false
			}
		}
		f.factors = append(f.factors, r.mul[:]...)
		f.factors = append(f.factors, r.bias[:]...)
	}
	f.call.ResMul, f.call.OutMul = t.ResidualMul/(1<<24), t.OutMul
	f.call.Least = least(c.ReLU)
	return true
}

// least is the smallest stored byte of an output, four times.
func least(relu bool) uint32 {
	if relu {
		return 0x80808080
	}
	return 0
}

// fuseNVDLA proves that the integer requantization equals the one in float32:
// all integers stay below 2^24, so that they and their products with 15-bit
// factors are exact before the one rounding of a multiply-add; and the ties,
// which that rounds to even, either cannot occur or are pushed over.
func (c *conv) fuseNVDLA(f *fused) bool {
	n := c.NVDLA
	if n.Offset != 0 || n.Scale < 0 || n.ReLU && c.Residual != 0 {
		return false
	}
	// Beyond limit a stage's value is cut to -128 or 127 in the end.
	limit := int64(129)<<n.Shift/max(int64(n.Scale), 1) + 1
	if c.Residual != 0 {
		limit += 128 << n.ResidualShift
	}
	all := span{}
	for i := range c.blocks {
		blk := &c.blocks[i]
		for j, s := range blk.sums {
			if n.Mul != nil {
				m := int64(blk.requant.factor[j])
				factor, ok := nudge(m, n.MulShift, s.size(), limit)
				if !ok || s.size() > 1<<24 || s.times(m).rounded(n.MulShift).size() >= 1<<22 {
					return false
				}
				f.factors = append(f.factors, factor)
				s = s.times(m).rounded(n.MulShift)
			}
			all = span{min(all.lo, s.lo), max(all.hi, s.hi)}
		}
	}
	if c.Residual != 0 {
		all = span{all.lo - 128<<n.ResidualShift, all.hi + 127<<n.ResidualShift}
	}
	factor, ok := nudge(int64(n.Scale), n.Shift, all.size(), 129)
	f.call.OutMul, f.call.ResMul = factor, float32(math.Ldexp(1, n.ResidualShift-24))
	f.call.Least = least(c.ReLU || n.ReLU)
	return ok && all.size() <= 1<<24 && all.times(int64(n.Scale)).rounded(n.Shift).size() < 1<<22
}

// nudge is m/2^shift as a factor whose products with integers up to reach, once
// rounded half to even, are those of m/2^shift rounded half away from zero. Above
// limit they need only stay there. A tie can only be met if the least integer that
// makes one is in reach; then the factor is the next larger float32, which moves
// ties over and must not move the product before a tie, one grid step of
// 2^-fraction away.
func nudge(m int64, shift int, reach, limit int64) (factor float32, ok bool) {
	factor = float32(math.Ldexp(float64(m), -shift))
	if m == 0 {
		return 0, true
	}
	reach = int64(min(float64(reach), float64(limit)/math.Abs(float64(factor))+1))
	fraction := shift - bits.TrailingZeros64(uint64(m))
	if fraction <= 0 || fraction > 62 || reach < 1<<(fraction-1) {
		return factor, true
	}
	largest := float64(reach)*math.Abs(float64(factor)) + 1
	ok = math.Ldexp(largest, -23) < math.Ldexp(1, -fraction)
	return math.Nextafter32(factor, float32(math.Inf(int(m)))), ok
}

// fusedLine computes one line of blocks from..to-1.
func (c *conv) fusedLine(w *Worker, l line, from, to int) {
	f := c.fused
	if f.alike {
		f.run(c, w, l, from, to)
		return
	}
	for i := from; i < to; i++ {
		f.run(c, w, l, i, i+1)
	}
}

// run is one line of blocks that one call can do.
func (f *fused) run(c *conv, w *Worker, l line, from, to int) {
	a := &w.fused
	*a = f.call
	a.In = w.pointer(c.in, l.group, c.in.at(0, l.y*c.StrideH-c.PadH, l.x*c.StrideW-c.PadW))
	blk := &c.blocks[from]
	a.Offsets, a.K = unsafe.Pointer(&blk.offsets[0]), int64(len(blk.offsets))
	a.Weights, a.Start = unsafe.Pointer(&blk.weights[0]), unsafe.Pointer(&f.start[from*kernel.Block])
	if f.factors != nil {
		a.Factors = unsafe.Pointer(&f.factors[from*f.per])
	}
	a.InStep, a.OutStep, a.Blocks = int64(l.inStep), int64(l.outStep), int64(to-from)
	a.Out, a.OutBlock = w.pointer(c.out, l.group, c.out.at(from, l.y, l.x)), int64(c.out.planeBytes())
	if c.res != nil {
		a.Residual = w.pointer(c.res, l.group, c.res.at(from, l.y, l.x))
		a.ResStep, a.ResBlock = int64(l.resStep), int64(c.res.planeBytes())
	}
	f.tiles(a, w.p.kernels.TileI8, l.pixels)
}

// tiles splits a line like convolve.
func (f *fused) tiles(a *kernel.Fused, largest, pixels int) {
	tiles := (pixels + largest - 1) / largest
	size, larger := pixels/tiles, pixels%tiles
	if larger > 0 {
		a.Tiles = int64(larger)
		f.kernels[size+1](a)
		done := int64(larger * (size + 1))
		a.In, a.Out = unsafe.Add(a.In, done*a.InStep), unsafe.Add(a.Out, done*a.OutStep)
		if a.Residual != nil {
			a.Residual = unsafe.Add(a.Residual, done*a.ResStep)
		}
	}
	a.Tiles = int64(tiles - larger)
	f.kernels[size](a)
}

// joinWeights moves the blocks' weights into one array, in order.
func (c *conv) joinWeights() {
	if c.twin != nil {
		return
	}
	var all []uint32
	for _, blk := range c.blocks {
		all = append(all, blk.weights...)
	}
	for i := range c.blocks {
		n := len(c.blocks[i].weights)
		c.blocks[i].weights, all = all[:n:n], all[n:]
	}
}

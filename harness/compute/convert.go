package compute

import (
	"quantbench/harness/compute/kernel"
)

// lookup maps every value of an Int8 tensor through a table of stored bytes.
type lookup struct {
	in, out *tensor
	table   [256]byte
}

// Lookup adds y = f(q) for every element of an Int8 tensor; f is tabulated.
func (b *Builder) Lookup(x Tensor, f func(q int8) int8) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	if in.kind != Int8 {
		return b.fail("lookup: needs an int8 tensor")
	}
	op := &lookup{in: in}
	for i := range op.table {
		op.table[i] = stored(f(int8(i - 128)))
	}
	y := b.add(op, Int8, in.c, in.h, in.w, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (op *lookup) prepare(*Builder) error { return nil }
func (op *lookup) across() bool           { return false }

func (op *lookup) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for plane := 0; plane < op.in.planes(); plane++ {
			for y := 0; y < op.in.h; y++ {
				dst := row[uint32](w, op.out, g, plane, y)
				t := &op.table
				for i, v := range row[uint32](w, op.in, g, plane, y) {
					dst[i] = uint32(t[byte(v)]) | uint32(t[byte(v>>8)])<<8 |
						uint32(t[byte(v>>16)])<<16 | uint32(t[v>>24])<<24
				}
			}
		}
	}
}

// dequantize turns Int8 into Float32.
type dequantize struct {
	in, out *tensor
	table   [256]float32
}

// Dequantize adds the Float32 tensor float32(q)*scale.
func (b *Builder) Dequantize(x Tensor, scale float32) Tensor {
	in := b.get(x)
	if in == nil {
		return 0
	}
	if in.kind != Int8 {
		return b.fail("dequantize: needs an int8 tensor")
	}
	op := &dequantize{in: in}
	for i := range op.table {
		op.table[i] = float32(i-128) * scale
	}
	y := b.add(op, Float32, in.c, in.h, in.w, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (op *dequantize) prepare(*Builder) error { return nil }
func (op *dequantize) across() bool           { return false }

func (op *dequantize) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for c := 0; c < op.in.c; c++ {
			shift := 8 * (c % kernel.Block)
			for y := 0; y < op.in.h; y++ {
				dst := row[float32](w, op.out, g, c, y)
				for i, v := range row[uint32](w, op.in, g, c/kernel.Block, y) {
					dst[i] = op.table[byte(v>>shift)]
				}
			}
		}
	}
}

// quantize turns Float32 into Int8.
type quantize struct {
	in, out *tensor
	mul     float32
}

// Quantize adds the Int8 tensor clamp(rne(x*mul), -128, 127).
func (b *Builder) Quantize(x Tensor, mul float32) Tensor {
	in := b.float(x)
	if in == nil {
		return 0
	}
	op := &quantize{in: in, mul: mul}
	y := b.add(op, Int8, in.c, in.h, in.w, x)
	if y != 0 {
		op.out = b.tensors[y]
	}
	return y
}

func (op *quantize) prepare(*Builder) error { return nil }
func (op *quantize) across() bool           { return false }

func (op *quantize) execute(w *Worker, first, groups int) {
	for g := first; g < first+groups; g++ {
		for c := 0; c < op.in.c; c++ {
			shift := 8 * (c % kernel.Block)
			for y := 0; y < op.in.h; y++ {
				dst := row[uint32](w, op.out, g, c/kernel.Block, y)
				for i, v := range row[float32](w, op.in, g, c, y) {
					q := uint32(stored(kernel.RoundEven(v * op.mul)))
					dst[i] = dst[i]&^(0xff<<shift) | q<<shift
				}
			}
		}
	}
}

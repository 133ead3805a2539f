package loadable

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// bind finds the input and the output of the program.
func (f *File) bind(p *hardware.Program) error {
	p.Input.Cube, p.Output.Cube = none, none
	if err := f.bindOne(FlagInput, "input", &p.Input); err != nil {
		return err
	}
	return f.bindOne(FlagOutput, "output", &p.Output)
}

// bindOne finds the one memory with a flag and its tensor; a program may lack it.
func (f *File) bindOne(flag uint16, what string, t *hardware.Tensor) error {
	for i, m := range f.Memory {
		if m.Flags&flag == 0 {
			continue
		}
		if t.Cube.Region >= 0 {
			return fmt.Errorf("%s: more than one %s, which is not supported", f.Name, what)
		}
		d := f.tensorOf(m)
		if d == nil {
			return fmt.Errorf("%s: %s memory %d has no tensor description", f.Name, what, m.ID)
		}
		q, err := f.tensorCube(i, d)
		if err != nil {
			return fmt.Errorf("%s: %s %q: %w", f.Name, what, d.Name, err)
		}
		*t = hardware.Tensor{Name: d.Name, Cube: q}
	}
	return nil
}

// tensorOf is the tensor description of a bound memory.
func (f *File) tensorOf(m Memory) *Tensor {
	for i := range f.Tensors {
		if d := &f.Tensors[i]; d.MemoryID == m.ID && d.ID == m.TensorDesc {
			return d
		}
	}
	for i := range f.Tensors {
		if f.Tensors[i].MemoryID == m.ID {
			return &f.Tensors[i]
		}
	}
	return nil
}

// tensorCube is the cube of a tensor; it must lie in its memory.
func (f *File) tensorCube(region int, d *Tensor) (hardware.Cube, error) {
	q := hardware.Cube{
		Region: region, Offset: d.Offset, Size: d.Size, W: d.W, H: d.H, C: d.C,
		LineStride: int(d.Stride[1]), SurfStride: int(d.Stride[2]),
	}
	const most = 1 << 16
	if d.N != 1 || min(d.C, d.H, d.W) < 1 || max(d.C, d.H, d.W) > most {
		return q, fmt.Errorf("shape %d x %d x %d x %d is not supported", d.N, d.C, d.H, d.W)
	}
	lines := (d.H-1)*q.LineStride + d.W*f.elementStep(d)
	surfaces := 0
	if step := f.elementsPerAtom(d); step > 0 {
		surfaces = (d.C - 1) / step * q.SurfStride
	}
	if size := f.Memory[region].Size; q.Offset+lines+surfaces > size {
		return q, fmt.Errorf("%d x %d x %d with strides %d and %d does not fit memory of %d bytes", d.C, d.H, d.W, q.LineStride, q.SurfStride, size)
	}
	return q, nil
}

// elementStep is the distance of neighbours in a line, bytes.
func (f *File) elementStep(d *Tensor) int {
	if n := hardware.PixelBytes(d.PixelFormat); n > 0 {
		return n
	}
	if e := f.elementsPerAtom(d); d.DataType == typeInt8 {
		return e
	}
	return 32
}

// Data types of a tensor (DataType).
const (
	typeHalf  = 2
	typeInt16 = 3
	typeInt8  = 4
)

// elementsPerAtom is how many channels of a feature tensor lie side by side; 0
// for pictures. Regression files of nv_small say plain FEATURE: there the line
// stride tells.
func (f *File) elementsPerAtom(d *Tensor) int {
	switch {
	case hardware.PixelBytes(d.PixelFormat) > 0:
		return 0
	case d.DataType != typeInt8:
		return 16
	case d.PixelFormat == hardware.FormatFeatureX8, int(d.Stride[1]) == 8*d.W:
		return 8
	}
	return 32
}

// target works out which configuration a program was made for. Eight-byte atoms
// are nv_small's alone. Between nv_large and nv_full decide the engines that
// only nv_full has, then the buffer entries a convolution's line takes; where
// neither does, it is nv_full, which can run everything.
func (f *File) target(p *hardware.Program) hardware.Target {
	for i := range f.Tensors {
		if f.elementsPerAtom(&f.Tensors[i]) == 8 {
			return hardware.Small
		}
	}
	for i := range p.Operations {
		op := &p.Operations[i]
		if op.Kind != hardware.Conv || op.Conv.InPrecision != hardware.Int8 {
			continue
		}
		full, large := entries(op, hardware.Full), entries(op, hardware.Large)
		if full != large && op.Conv.EntryPerSlice == large {
			return hardware.Large
		}
	}
	return hardware.Full
}

// TellsTarget reports whether the file decides which target it was made for. If
// not, it runs on nv_large and on nv_full with the same results.
func (f *File) TellsTarget(p *hardware.Program) bool {
	if f.target(p) != hardware.Full {
		return true
	}
	for i := range p.Operations {
		op := &p.Operations[i]
		switch {
		case op.Kind == hardware.BDMA || op.Kind == hardware.Rubik:
			return true
		case op.Kind == hardware.Conv && (op.Conv.InPrecision != hardware.Int8 || entries(op, hardware.Full) != entries(op, hardware.Large)):
			return true
		}
	}
	return false
}

// entries is how many CBUF entries one line of a convolution's int8 input takes,
// as the compiler works it out (calculateEPS in ConvCoreNode.cpp).
func entries(op *hardware.Operation, t hardware.Target) int {
	q, d := op.Src, op.Conv
	if px := hardware.PixelBytes(d.DataFormat); px > 0 {
		return ((q.W+d.PadLeft+d.PadRight)*px + t.EntryBytes - 1) / t.EntryBytes
	}
	per := t.EntryBytes / t.Atom
	atoms := (q.C + t.Atom - 1) / t.Atom
	whole, rest := atoms/per, atoms%per
	if rest == 3 { // three atoms of a pixel fill an entry of four
		rest = 4
	}
	return whole*q.W + (rest*q.W+per-1)/per
}

package simulate

import (
	"errors"
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// bdma is a list of copies.
type bdma struct{ list []hardware.BDMATransfer }

func (m *Machine) prepareBDMA(d *hardware.BDMADesc) (step, error) {
	for i, t := range d.Transfers {
		if min(t.LineSize, t.LineRepeat, t.SurfaceRepeat) < 1 {
			return nil, fmt.Errorf("transfer %d copies nothing", i)
		}
		last := func(line, surf int) int { return (t.SurfaceRepeat-1)*surf + (t.LineRepeat-1)*line + t.LineSize }
		if err := inRegion(m.prog, t.SrcRegion, t.SrcOffset, last(t.SrcLine, t.SrcSurface)); err != nil {
			return nil, fmt.Errorf("transfer %d, source: %w", i, err)
		}
		if err := inRegion(m.prog, t.DstRegion, t.DstOffset, last(t.DstLine, t.DstSurface)); err != nil {
			return nil, fmt.Errorf("transfer %d, destination: %w", i, err)
		}
		if t.LineRepeat > maxWork/t.SurfaceRepeat || t.LineSize > maxWork/(t.LineRepeat*t.SurfaceRepeat) {
			return nil, fmt.Errorf("transfer %d is too large", i)
		}
	}
	return bdma{d.Transfers}, nil
}

func (b bdma) run(m *Machine) {
	for _, t := range b.list {
		src, dst := m.mem[t.SrcRegion][t.SrcOffset:], m.mem[t.DstRegion][t.DstOffset:]
		for s := range t.SurfaceRepeat {
			for l := range t.LineRepeat {
				from := src[s*t.SrcSurface+l*t.SrcLine:]
				copy(dst[s*t.DstSurface+l*t.DstLine:][:t.LineSize], from[:t.LineSize])
			}
		}
	}
}

// rubik moves elements between layouts: contract, split or merge.
type rubik struct {
	desc     *hardware.RubikDesc
	src, dst cube // of the feature side or sides
	plane    int  // distance of planes on the planar side
}

// The modes of RUBIK.
const (
	rubikContract = 0
	rubikSplit    = 1
	rubikMerge    = 2
)

func (m *Machine) prepareRubik(op *hardware.Operation) (step, error) {
	d := op.Rubik
	r := &rubik{desc: d}
	src := op.Src
	if d.Mode > rubikMerge {
		return nil, fmt.Errorf("mode %d is unknown", d.Mode)
	}
	if d.Mode == rubikContract {
		if min(d.StrideX, d.StrideY) < 1 {
			return nil, errors.New("stride is 0")
		}
		per := m.prog.Target.ElementsPerAtom(d.Precision)
		src.C = d.StrideX * d.StrideY * ((op.Dst.C + per - 1) / per) * per
		if op.Dst.W > src.W*d.StrideX || op.Dst.H > src.H*d.StrideY {
			return nil, fmt.Errorf("destination of %d x %d is larger than %d x %d times the stride", op.Dst.H, op.Dst.W, src.H, src.W)
		}
	} else if err := sameShape(op.Src, op.Dst); err != nil {
		return nil, err
	}
	if d.Mode == rubikMerge {
		r.plane = op.Src.PlaneStride
	} else if d.Mode == rubikSplit {
		r.plane = op.Dst.PlaneStride
	}
	var err error
	if r.src, err = r.side(m.prog, src, d.Mode == rubikMerge); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if r.dst, err = r.side(m.prog, op.Dst, d.Mode == rubikSplit); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	return r, nil
}

// side checks one cube: planes of lines, or the feature layout.
func (r *rubik) side(p *hardware.Program, q hardware.Cube, planar bool) (cube, error) {
	if !planar {
		return newCube(p, q, r.desc.Precision)
	}
	size := r.desc.Precision.Bytes()
	c := cube{region: q.Region, base: q.Offset, line: q.LineStride, surf: q.PlaneStride, atom: size, per: 1, w: q.W, h: q.H, c: q.C, p: r.desc.Precision}
	if min(q.W, q.H, q.C) < 1 {
		return c, fmt.Errorf("cube of %d x %d x %d is empty", q.C, q.H, q.W)
	}
	return c, inRegion(p, q.Region, q.Offset, (q.C-1)*q.PlaneStride+(q.H-1)*q.LineStride+q.W*size, q.W*size, q.H, q.C)
}

func (r *rubik) run(m *Machine) {
	src, dst := m.mem[r.src.region], m.mem[r.dst.region]
	v := make([]int32, r.src.c)
	for y := range r.dst.h {
		for x := range r.dst.w {
			if r.desc.Mode != rubikContract {
				r.src.read(src, y, x, v)
				r.dst.write(dst, y, x, v)
				continue
			}
			sx, sy := r.desc.StrideX, r.desc.StrideY
			r.src.read(src, y/sy, x/sx, v)
			block := r.src.c / (sx * sy)
			k := y%sy*sx + x%sx
			r.dst.write(dst, y, x, v[k*block:][:r.dst.c])
		}
	}
}

// cpu is a task of the emulator.
type cpu struct {
	op       *hardware.Operation
	src, dst cube
}

func (m *Machine) prepareCPU(op *hardware.Operation) (step, error) {
	c := &cpu{op: op}
	var err error
	if c.src, err = newCube(m.prog, op.Src, hardware.Int8); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if c.dst, err = newCube(m.prog, op.Dst, hardware.Int8); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	if op.Kind == hardware.CPUPower {
		return c, sameShape(op.Src, op.Dst)
	}
	// Softmax takes its channels as consecutive bytes, whatever the layout says.
	if err = inRegion(m.prog, op.Src.Region, op.Src.Offset, op.Src.C); err == nil {
		err = inRegion(m.prog, op.Dst.Region, op.Dst.Offset, op.Src.C)
	}
	return c, err
}

func (c *cpu) run(m *Machine) {
	src, dst := m.mem[c.src.region], m.mem[c.dst.region]
	if c.op.Kind == hardware.CPUSoftmax {
		c.softmax(src[c.src.base:], dst[c.dst.base:])
		return
	}
	v := make([]int32, c.src.c)
	for y := range c.src.h {
		for x := range c.src.w {
			c.src.read(src, y, x, v)
			for i := range v {
				at := c.dst.base + i/c.dst.per*c.dst.surf + y*c.dst.line + x*c.dst.atom + i%c.dst.per
				dst[at] = byte(c.op.Power.Apply(int8(v[i])))
			}
		}
	}
}

func (c *cpu) softmax(src, dst []byte) {
	in, out := make([]int8, c.src.c), make([]int8, c.src.c)
	for i := range in {
		in[i] = int8(src[i])
	}
	c.op.Softmax.Softmax(in, out)
	for i, v := range out {
		dst[i] = byte(v)
	}
}

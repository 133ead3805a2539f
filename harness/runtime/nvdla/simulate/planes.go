package simulate

import (
	"fmt"
	"math"

	"quantbench/harness/runtime/nvdla/hardware"
)

// pdp is a pooling operation made ready. It works on whole atoms, so what lies
// in the unused channels of the last atom is pooled too, as in the hardware.
type pdp struct {
	desc     *hardware.PDPDesc
	src, dst cube
}

func (m *Machine) preparePDP(op *hardware.Operation) (step, error) {
	p := &pdp{desc: op.PDP}
	var err error
	if p.src, err = newCube(m.prog, op.Src, op.PDP.Precision); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if p.dst, err = newCube(m.prog, op.Dst, op.PDP.Precision); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	if p.src.c != p.dst.c {
		return nil, fmt.Errorf("source has %d channels, destination %d", p.src.c, p.dst.c)
	}
	whole := (p.src.c + p.src.per - 1) / p.src.per * p.src.per
	p.src.c, p.dst.c = whole, whole
	return p, nil
}

func (p *pdp) run(m *Machine) {
	src, dst := m.mem[p.src.region], m.mem[p.dst.region]
	v, sum := make([]int32, p.src.c), make([]int32, p.src.c)
	for y := range p.dst.h {
		for x := range p.dst.w {
			p.window(src, y, x, v, sum)
			p.dst.write(dst, y, x, sum)
		}
	}
}

// window pools the window of output (y, x) into r.
func (p *pdp) window(src []byte, y, x int, v, r []int32) {
	d := p.desc
	first := neutral(d.Mode)
	for i := range r {
		r[i] = first
	}
	padded := int32(0)
	for ky := range d.Height {
		for kx := range d.Width {
			sy, sx := y*d.StrideY-d.PadTop+ky, x*d.StrideX-d.PadLeft+kx
			if sy < 0 || sy >= p.src.h || sx < 0 || sx >= p.src.w {
				padded++
				continue
			}
			p.src.read(src, sy, sx, v)
			accumulate(d.Mode, r, v)
		}
	}
	for i := range r {
		if d.Mode == hardware.PoolAverage {
			r[i] = hardware.PoolMean(int64(r[i]+padded*d.PadValue[0]), d.Width, d.Height)
		}
		r[i] = int32(hardware.Saturate(int64(r[i]), d.Precision.Bits()))
	}
}

// neutral is what a window begins with.
func neutral(mode uint8) int32 {
	switch mode {
	case hardware.PoolMax:
		return math.MinInt32
	case hardware.PoolMin:
		return math.MaxInt32
	}
	return 0
}

func accumulate(mode uint8, r, v []int32) {
	for i, e := range v {
		switch mode {
		case hardware.PoolMax:
			r[i] = max(r[i], e)
		case hardware.PoolMin:
			r[i] = min(r[i], e)
		default:
			r[i] += e
		}
	}
}

// cdp is a normalization across channels made ready.
type cdp struct {
	desc     *hardware.CDPDesc
	src, dst cube
}

func (m *Machine) prepareCDP(op *hardware.Operation) (step, error) {
	p := &cdp{desc: op.CDP}
	var err error
	if p.src, err = newCube(m.prog, op.Src, op.CDP.InPrecision); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if p.dst, err = newCube(m.prog, op.Dst, op.CDP.OutPrecision); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	return p, sameShape(op.Src, op.Dst)
}

func (p *cdp) run(m *Machine) {
	n := p.src.c
	v, r, tmp := make([]int32, n), make([]int32, n), make([]int32, n)
	for y := range p.dst.h {
		for x := range p.dst.w {
			p.src.read(m.mem[p.src.region], y, x, v)
			p.desc.Normalize(v, r, tmp)
			p.dst.write(m.mem[p.dst.region], y, x, r)
		}
	}
}

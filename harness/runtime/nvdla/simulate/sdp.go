package simulate

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// sdp is an SDP operation made ready, with the convolution that feeds it.
type sdp struct {
	desc   *hardware.SDPDesc
	conv   *conv // nil if the source is memory
	src    cube
	dst    cube
	x1, x2 *stage
	y      *stage
}

// stage is one of X1, X2 and Y with its operands.
type stage struct {
	desc   *hardware.SDPStage
	at     operands
	narrow bool // X1 and X2: the operand registers have 16 bits
}

// operands says where a stage's operands lie; region is -1 where they are the
// registers' values.
type operands struct {
	region, base, line, surf int
	per, size                int // elements of an atom; bytes of an element's operands
	point                    bool
}

// prepareSDP makes the SDP operation at position i ready.
func (m *Machine) prepareSDP(i int) (step, error) {
	op := &m.prog.Operations[i]
	s := &sdp{desc: op.SDP}
	var err error
	if s.dst, err = newCube(m.prog, op.Dst, op.SDP.DstPrecision); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	if op.Src.Kind == hardware.CubeOnTheFly {
		j := m.parent(i)
		if j < 0 {
			return nil, fmt.Errorf("no convolution before it, fused parent %d", op.FusedParent)
		}
		parent := &m.prog.Operations[j]
		if err := sameShape(parent.Dst, op.Dst); err != nil {
			return nil, err
		}
		if s.conv, err = m.prepareConv(parent); err != nil {
			return nil, fmt.Errorf("convolution at %d: %w", j, err)
		}
	} else if s.src, err = newCube(m.prog, op.Src, op.SDP.SrcPrecision); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	} else if err = sameShape(op.Src, op.Dst); err != nil {
		return nil, err
	}
	return s, s.stages(m.prog, op)
}

// stages prepares those that are enabled.
func (s *sdp) stages(p *hardware.Program, op *hardware.Operation) (err error) {
	if s.x1, err = newStage(p, op, &op.SDP.X1, op.X1); err != nil {
		return fmt.Errorf("stage X1: %w", err)
	}
	if s.x2, err = newStage(p, op, &op.SDP.X2, op.X2); err != nil {
		return fmt.Errorf("stage X2: %w", err)
	}
	if s.y, err = newStage(p, op, &op.SDP.Y, op.Y); err != nil {
		return fmt.Errorf("stage Y: %w", err)
	}
	for _, x := range []*stage{s.x1, s.x2} {
		if x != nil {
			x.narrow = true
		}
	}
	return nil
}

// needsMemory tells whether a stage reads operands from memory.
func needsMemory(d *hardware.SDPStage) bool {
	return d.Enable && d.Type != hardware.SDPNone && d.Mode != hardware.PerLayer
}

// newStage checks a stage's operands; nil if the stage is disabled. A vector
// has one element a channel; a per-point cube has the feature layout with the
// atoms of the pipeline's precision. BOTH means pairs of ALU and MUL operands.
func newStage(p *hardware.Program, op *hardware.Operation, d *hardware.SDPStage, q hardware.Cube) (*stage, error) {
	if !d.Enable {
		return nil, nil
	}
	s := &stage{desc: d, at: operands{region: -1}}
	if !needsMemory(d) {
		return s, nil
	}
	size := d.Precision.Bytes()
	if d.Type == hardware.SDPBoth {
		size *= 2
	}
	per := p.Target.ElementsPerAtom(op.SDP.SrcPrecision)
	s.at = operands{region: q.Region, base: q.Offset, line: q.LineStride, surf: q.SurfStride, per: per, size: size}
	s.at.point = d.Mode == hardware.PerPoint
	need := op.Dst.C * size
	if s.at.point {
		need = (op.Dst.C-1)/per*q.SurfStride + (op.Dst.H-1)*q.LineStride + op.Dst.W*per*size
	}
	return s, inRegion(p, q.Region, q.Offset, need)
}

// run executes the operation.
func (s *sdp) run(m *Machine) {
	var acc []int32
	if s.conv != nil {
		acc = s.conv.run(m)
	}
	c := s.dst.c
	v, a1, a2, ay := make([]int32, c), newPair(c), newPair(c), newPair(c)
	s.x1.load(m, a1)
	s.x2.load(m, a2)
	s.y.load(m, ay)
	for y := range s.dst.h {
		for x := range s.dst.w {
			if s.conv != nil {
				copy(v, acc[(y*s.dst.w+x)*c:])
			} else {
				s.src.read(m.mem[s.src.region], y, x, v)
			}
			s.x1.point(m, y, x, a1)
			s.x2.point(m, y, x, a2)
			s.y.point(m, y, x, ay)
			s.pixel(v, a1, a2, ay)
			s.dst.write(m.mem[s.dst.region], y, x, v)
		}
	}
}

// pixel takes the channels at one position through the stages.
func (s *sdp) pixel(v []int32, a1, a2, ay pair) {
	if s.x1 != nil {
		for i := range v {
			v[i] = s.x1.desc.X(v[i], a1.alu[i], a1.mul[i])
		}
	}
	if s.x2 != nil {
		for i := range v {
			v[i] = s.x2.desc.X(v[i], a2.alu[i], a2.mul[i])
		}
	}
	if s.y != nil {
		for i := range v {
			v[i] = s.y.desc.Y(v[i], ay.alu[i], ay.mul[i], s.desc.LUT)
		}
	}
	for i := range v {
		v[i] = s.desc.OutCvt.Output(v[i], s.desc.DstPrecision)
	}
}

// pair holds a stage's operands for the channels of one position.
type pair struct{ alu, mul []int32 }

func newPair(n int) pair { return pair{make([]int32, n), make([]int32, n)} }

// load fills in the operands that are the same everywhere.
func (s *stage) load(m *Machine, a pair) {
	switch {
	case s == nil || s.at.point:
	case s.at.region < 0:
		alu, mul := s.desc.ALUOperand, s.desc.MulOperand
		if s.narrow {
			alu, mul = int32(int16(alu)), int32(int16(mul))
		}
		for i := range a.alu {
			a.alu[i], a.mul[i] = alu, mul
		}
	default:
		mem := m.mem[s.at.region][s.at.base:]
		for i := range a.alu {
			s.set(mem, i*s.at.size, a, i)
		}
	}
}

// point fills in the operands of one position.
func (s *stage) point(m *Machine, y, x int, a pair) {
	if s == nil || !s.at.point {
		return
	}
	mem := m.mem[s.at.region][s.at.base:]
	for c := range a.alu {
		off := c/s.at.per*s.at.surf + y*s.at.line + (x*s.at.per+c%s.at.per)*s.at.size
		s.set(mem, off, a, c)
	}
}

// set reads the operands of channel i. Only the Y stage has converters; on X
// they are disabled and change nothing.
func (s *stage) set(mem []byte, off int, a pair, i int) {
	p := s.desc.Precision
	a.alu[i] = element(mem, off, p)
	a.mul[i] = a.alu[i]
	if s.desc.Type == hardware.SDPBoth {
		a.mul[i] = element(mem, off+p.Bytes(), p)
	}
	a.alu[i] = s.desc.ALUCvt.Operand(a.alu[i])
	a.mul[i] = s.desc.MulCvt.Operand(a.mul[i])
}

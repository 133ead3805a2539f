package simulate

import (
	"bytes"

	"quantbench/harness/runtime/nvdla/hardware"
)

// runObserved executes the program and shows every operation.
func (m *Machine) runObserved() {
	var waiting []Dump // shown when their time has come, in order
	var due []int
	for i, s := range m.steps {
		waiting = append(waiting, m.inputs(i))
		due = append(due, m.completion(i))
		s.run(m)
		for len(waiting) > 0 && due[0] <= i {
			d := waiting[0]
			if d.Op.Kind != hardware.Conv {
				d.Dst = m.bytes(d.Op.Dst)
			}
			m.Observe(d)
			waiting, due = waiting[1:], due[1:]
		}
	}
}

// inputs copies what an operation is given.
func (m *Machine) inputs(i int) Dump {
	op := &m.prog.Operations[i]
	d := Dump{Position: i, Op: op}
	if op.Kind == hardware.BDMA {
		return d
	}
	d.Src = bytes.Clone(m.bytes(op.Src))
	if s := op.SDP; s != nil {
		d.X1, d.X2, d.Y = m.operand(&s.X1, op.X1), m.operand(&s.X2, op.X2), m.operand(&s.Y, op.Y)
	}
	return d
}

func (m *Machine) operand(s *hardware.SDPStage, q hardware.Cube) []byte {
	if !s.Enable {
		return nil
	}
	return bytes.Clone(m.bytes(q))
}

// bytes is a cube's stretch of memory.
func (m *Machine) bytes(q hardware.Cube) []byte {
	if q.Kind == hardware.CubeOnTheFly || q.Region < 0 || q.Region >= len(m.mem) {
		return nil
	}
	mem := m.mem[q.Region]
	end := max(0, min(q.Offset+q.Size, len(mem)))
	return mem[min(q.Offset, end):end]
}

// completion is the position after which the driver sees operation i complete:
// that of the engine's next operation if nothing up to it reads what i writes,
// for an engine takes a second operation while the first one runs.
func (m *Machine) completion(i int) int {
	ops := m.prog.Operations
	if k := ops[i].Kind; k != hardware.SDP && k != hardware.PDP && k != hardware.CDP {
		return i
	}
	for j := i + 1; j < len(ops); j++ {
		if readsFrom(m.prog.Target, &ops[j], ops[i].Dst) {
			return i
		}
		if ops[j].Kind == ops[i].Kind {
			return j
		}
	}
	return i
}

// readsFrom tells whether an operation may read bytes of a cube.
func readsFrom(t hardware.Target, op *hardware.Operation, q hardware.Cube) bool {
	if op.Kind == hardware.BDMA {
		for _, c := range op.BDMA.Transfers {
			if c.SrcRegion == q.Region {
				return true
			}
		}
		return false
	}
	for _, r := range []hardware.Cube{op.Src, op.X1, op.X2, op.Y} {
		if r.Kind != hardware.CubeOnTheFly && r.Region == q.Region && r.W > 0 && r.Offset < q.Offset+span(t, q) && q.Offset < r.Offset+span(t, r) {
			return true
		}
	}
	return false
}

// span is how many bytes a cube stretches over.
func span(t hardware.Target, q hardware.Cube) int {
	atoms := (q.C + t.Atom - 1) / t.Atom
	return max(q.Size, (atoms-1)*q.SurfStride+q.H*q.LineStride)
}

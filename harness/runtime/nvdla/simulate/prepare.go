package simulate

import (
	"errors"
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// prepare turns operation i into a step.
func (m *Machine) prepare(i int) (step, error) {
	op := &m.prog.Operations[i]
	switch op.Kind {
	case hardware.BDMA:
		return m.prepareBDMA(op.BDMA)
	case hardware.Conv:
		if m.reader(i) < 0 {
			return nil, errors.New("no SDP operation takes the convolution's result")
		}
		return nothing{}, nil
	case hardware.SDP:
		return m.prepareSDP(i)
	case hardware.PDP:
		return m.preparePDP(op)
	case hardware.CDP:
		return m.prepareCDP(op)
	case hardware.Rubik:
		return m.prepareRubik(op)
	case hardware.CPUPower, hardware.CPUSoftmax:
		return m.prepareCPU(op)
	}
	return nil, fmt.Errorf("unknown engine %d", op.Kind)
}

// nothing is the step of a convolution: it runs when SDP asks for its result.
type nothing struct{}

func (nothing) run(*Machine) {}

// parent finds the convolution whose result streams into the SDP operation at
// position i: the nearest one before it that FusedParent names, or, without a
// name, the nearest one before it.
func (m *Machine) parent(i int) int {
	want := m.prog.Operations[i].FusedParent
	for j := i - 1; j >= 0; j-- {
		op := &m.prog.Operations[j]
		if op.Kind == hardware.Conv && (want < 0 || op.Index == want) {
			return j
		}
	}
	return -1
}

// reader is the position of the SDP operation that takes the result of the
// convolution at position i, or -1.
func (m *Machine) reader(i int) int {
	for j := i + 1; j < len(m.prog.Operations); j++ {
		op := &m.prog.Operations[j]
		if op.Kind == hardware.SDP && op.Src.Kind == hardware.CubeOnTheFly && m.parent(j) == i {
			return j
		}
	}
	return -1
}

// sameShape checks that source and destination have the same extents.
func sameShape(a, b hardware.Cube) error {
	if a.W != b.W || a.H != b.H || a.C != b.C {
		return fmt.Errorf("source is %d x %d x %d, destination is %d x %d x %d", a.C, a.H, a.W, b.C, b.H, b.W)
	}
	return nil
}

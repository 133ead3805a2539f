package nvdla

import (
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// simulator runs pictures one by one on the plain machine.
type simulator struct {
	p       *program
	machine *simulate.Machine
	in      []int8
}

var _ runtime.Tracer = (*simulator)(nil)

// Score runs pictures and gives the output's real values.
func (s *simulator) Score(pixels []byte, scores []float32) error {
	n, err := s.p.check(pixels, scores)
	if err != nil {
		return err
	}
	size, classes := s.p.model.Network.Input().Out.Len(), s.p.classes()
	for i := range n {
		s.in = s.p.input.integers(s.in[:0], pixels[i*size:(i+1)*size])
		q, err := s.machine.Run(s.in)
		if err != nil {
			return err
		}
		s.p.real(q, scores[i*classes:(i+1)*classes])
	}
	return nil
}

// Trace runs one picture and shows what every operation wrote for a layer.
func (s *simulator) Trace(pixels []byte, see func(l *models.Layer, values []float32, clipped int)) error {
	s.machine.Observe = func(d simulate.Dump) {
		if d.Op.Kind == hardware.Conv {
			return
		}
		q := unpack(s.p.hardware, d.Op.Dst, d.Dst)
		s.p.show(d.Position, q, make([]float32, len(q)), see)
	}
	defer func() { s.machine.Observe = nil }()
	s.in = s.p.input.integers(s.in[:0], pixels)
	return s.machine.Execute(s.in)
}

// unpack reads a feature cube's bytes into C x H x W order.
func unpack(p *hardware.Program, c hardware.Cube, data []byte) []int8 {
	out := make([]int8, 0, c.C*c.H*c.W)
	for ch := range c.C {
		for y := range c.H {
			for x := range c.W {
				out = append(out, int8(data[c.FeatureOffset(p.Target, hardware.Int8, ch, y, x)]))
			}
		}
	}
	return out
}

package cycles

import "quantbench/harness/runtime/nvdla/hardware"

// stripeFloor is the least number of cycles that one load of weights serves: the
// next weights take as long to come in (doc/hw/v1/ias/unit_description.rst).
const stripeFloor = 16

// Shape is a convolution as the sequencer sees it: a kernel of R x S x C after
// channel pre-extension, K kernels, and the output's size. Lines is how many
// kernel lines post-extension handles together, 1 without.
type Shape struct{ C, K, R, S, OutH, OutW, Lines int }

// AtomicOperations is the number of atomic operations without any stall.
func (s Shape) AtomicOperations(t hardware.Target) int64 {
	return s.stripes(t) * int64(s.OutW) * int64(s.OutH)
}

// Cycles is AtomicOperations with the stripe floor: an output of fewer than 16
// positions costs as much as one of 16.
func (s Shape) Cycles(t hardware.Target) int64 {
	return s.stripes(t) * max(stripeFloor, int64(s.OutW)*int64(s.OutH))
}

// stripes is how many different loads of weights there are.
func (s Shape) stripes(t hardware.Target) int64 {
	return up(s.C, t.AtomicC) * up(s.K, t.AtomicK) * up(s.R, max(s.Lines, 1)) * int64(s.S)
}

// MACs is the number of multiplications that the result needs.
func (s Shape) MACs() int64 {
	return int64(s.C) * int64(s.K) * int64(s.R) * int64(s.S) * int64(s.OutW) * int64(s.OutH)
}

func up(a, b int) int64 { return (int64(a) + int64(b) - 1) / int64(b) }

// sdp models an SDP operation with the convolution that feeds it.
func sdp(e *Operation, p *hardware.Program, i int) {
	op := &p.Operations[i]
	d := op.SDP
	r := throughput(p.Target)
	rate := r.x
	if d.Y.Enable {
		rate = min(rate, r.y)
	}
	e.ElementCycles = float64(elements(op.Dst)) / rate
	e.Bytes = bytes(op.Dst, d.DstPrecision)
	for _, s := range []*hardware.SDPStage{&d.X1, &d.X2, &d.Y} {
		e.Bytes += operands(s, op.Dst)
	}
	if op.Src.Kind != hardware.CubeOnTheFly {
		e.Bytes += bytes(op.Src, d.SrcPrecision)
		return
	}
	if j := parent(p, i); j >= 0 {
		e.Kind = hardware.Conv
		convolution(e, p.Target, &p.Operations[j])
	}
}

// operands is the size of a stage's operands in memory.
func operands(s *hardware.SDPStage, dst hardware.Cube) int64 {
	if !s.Enable || s.Type == hardware.SDPNone || s.Mode == hardware.PerLayer {
		return 0
	}
	n := int64(s.Precision.Bytes())
	if s.Type == hardware.SDPBoth {
		n *= 2
	}
	if s.Mode == hardware.PerPoint {
		return n * elements(dst)
	}
	return n * int64(dst.C)
}

// parent is the position of the convolution that feeds the SDP operation at i.
func parent(p *hardware.Program, i int) int {
	want := p.Operations[i].FusedParent
	for j := i - 1; j >= 0; j-- {
		if op := &p.Operations[j]; op.Kind == hardware.Conv && (want < 0 || op.Index == want) {
			return j
		}
	}
	return -1
}

// convolution adds a convolution's multipliers and streams.
func convolution(e *Operation, t hardware.Target, op *hardware.Operation) {
	d := op.Conv
	s := Shape{C: d.KernelC, K: op.Dst.C, R: d.KernelH, S: d.KernelW, OutH: op.Dst.H, OutW: op.Dst.W, Lines: hardware.PostExtensionLines(d.PostExtension)}
	e.MACs = s.MACs()
	size := d.InPrecision.Bytes()
	e.MACCycles = float64(s.Cycles(t) * int64(size)) // 16-bit kernels come half as many a group
	weights := up(s.C*s.K*s.R*s.S*size, t.EntryBytes) * int64(t.EntryBytes)
	input := elements(op.Src) * int64(size)
	e.Passes = passes(t, d, weights, input)
	e.Bytes += max(weights, input) + e.Passes*min(weights, input)
}

// passes is how often the smaller stream must be read: more than once only if
// neither weights nor input fit in their share of the convolution buffer.
func passes(t hardware.Target, d *hardware.ConvDesc, weights, input int64) int64 {
	bank := int64(t.Entries) * int64(t.EntryBytes)
	forData, forWeights := int64(d.DataBank)*bank, int64(d.WeightBank)*bank
	if forData == 0 || forWeights == 0 {
		forData = int64(t.Banks) * bank / 2
		forWeights = forData
	}
	if weights <= forWeights || input <= forData {
		return 1
	}
	if weights > input {
		return (weights + forWeights - 1) / forWeights
	}
	return (input + forData - 1) / forData
}

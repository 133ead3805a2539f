// Package cycles models how long NVDLA takes for a program. There is no public
// cycle-accurate reference: every figure is a model's, made of the manual's
// statements on the convolution pipeline (one atomic operation a cycle, stripes
// of at least 16) and on the throughput of the other engines, and of a given
// memory bandwidth. What it does not know it does not hide: the fixed overhead of
// an operation is a parameter that is 0 unless set, CPU tasks are not counted,
// and a Report carries its assumptions.
package cycles

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Config is what the model needs besides the program. Zero values stand for the
// defaults: 1 GHz, the bandwidth of DefaultBandwidth, no overhead.
type Config struct {
	ClockHz   float64 // cycles a second
	Bandwidth float64 // of the DRAM, bytes a second
	Overhead  float64 // cycles for each hardware operation: registers, interrupt, latency
	// Serial adds an operation's memory traffic to its computation instead of
	// taking the longer of the two: the upper end of what NVDLA may need, with
	// no prefetching at all; without it, the lower end.
	Serial bool
}

// DefaultClockHz is the clock of NVIDIA's published figures.
const DefaultClockHz = 1e9

// DefaultBandwidth is the DRAM bandwidth, bytes a second, that NVIDIA's primer
// (doc/primer.rst) pairs with a configuration of as many multipliers.
func DefaultBandwidth(t hardware.Target) float64 {
	switch macs := t.AtomicC * t.AtomicK; {
	case macs >= 2048:
		return 20e9
	case macs >= 1024:
		return 15e9
	case macs >= 512:
		return 10e9
	case macs >= 256:
		return 5e9
	case macs >= 128:
		return 2e9
	}
	return 1e9
}

// Bound is what limits an operation.
type Bound string

// The limits. NotModelled is a task of the CPU.
const (
	Multipliers Bound = "multipliers"
	Elements    Bound = "elements"
	Memory      Bound = "memory"
	NotModelled Bound = "cpu, not modelled"
)

// Operation is the estimate for one hardware operation; a convolution and the
// SDP operation that it feeds are one.
type Operation struct {
	Position int // in Program.Operations: of the SDP operation of a fused pair
	Kind     hardware.Kind
	Layer    string
	MACs     int64 // multiplications that the result needs
	// Cycles of each resource by itself.
	MACCycles, ElementCycles, MemoryCycles float64
	Bytes                                  int64 // to and from DRAM
	Passes                                 int64 // how often the smaller stream is read
	Cycles                                 float64
	Bound                                  Bound
}

// Report is the estimate for a program.
type Report struct {
	Target      hardware.Target
	Config      Config // with defaults filled in
	Operations  []Operation
	MACs        int64
	Bytes       int64
	Cycles      float64
	Assumptions []string
}

// Seconds is the time of one input.
func (r Report) Seconds() float64 { return r.Cycles / r.Config.ClockHz }

// Utilization is the share of the multipliers' cycles that do needed work.
func (r Report) Utilization() float64 {
	if r.Cycles == 0 {
		return 0
	}
	return float64(r.MACs) / (r.Cycles * float64(r.Target.AtomicC*r.Target.AtomicK))
}

// Estimate models a program. Operations run one after the other.
func Estimate(p *hardware.Program, c Config) Report {
	c = c.filled(p.Target)
	r := Report{Target: p.Target, Config: c, Assumptions: assumptions(p.Target, c)}
	for i := range p.Operations {
		op := &p.Operations[i]
		if op.Kind == hardware.Conv {
			continue // counted with the SDP operation that it feeds
		}
		e := estimate(p, i, c)
		r.Operations = append(r.Operations, e)
		r.MACs += e.MACs
		r.Bytes += e.Bytes
		r.Cycles += e.Cycles
	}
	return r
}

func (c Config) filled(t hardware.Target) Config {
	if c.ClockHz == 0 {
		c.ClockHz = DefaultClockHz
	}
	if c.Bandwidth == 0 {
		c.Bandwidth = DefaultBandwidth(t)
	}
	return c
}

func assumptions(t hardware.Target, c Config) []string {
	return []string{
		"modelled, not measured: no cycle-accurate reference of NVDLA is public",
		fmt.Sprintf("%s: %d x %d multipliers at %.0f MHz, DRAM %.3g GB/s", t.Name, t.AtomicC, t.AtomicK, c.ClockHz/1e6, c.Bandwidth/1e9),
		fmt.Sprintf("%.0f cycles of fixed overhead for each hardware operation (unknown; 0 is a lower limit)", c.Overhead),
		"operations run one after the other, " + overlap(c.Serial),
		"CPU tasks (softmax, power) are not counted",
	}
}

func overlap(serial bool) string {
	if serial {
		return "each as long as its computation and its memory traffic together (no overlap)"
	}
	return "each as long as its slowest resource (loading and computing overlap fully)"
}

// estimate models the operation at position i.
func estimate(p *hardware.Program, i int, c Config) Operation {
	op := &p.Operations[i]
	e := Operation{Position: i, Kind: op.Kind, Layer: op.Layer, Passes: 1}
	switch op.Kind {
	case hardware.CPUPower, hardware.CPUSoftmax:
		e.Bound = NotModelled
		return e
	case hardware.SDP:
		sdp(&e, p, i)
	case hardware.PDP:
		e.ElementCycles = float64(elements(op.Src)) / throughput(p.Target).pdp
		e.Bytes = bytes(op.Src, op.PDP.Precision) + bytes(op.Dst, op.PDP.Precision)
	case hardware.CDP:
		e.ElementCycles = float64(elements(op.Dst)) / throughput(p.Target).cdp
		e.Bytes = bytes(op.Src, op.CDP.InPrecision) + bytes(op.Dst, op.CDP.OutPrecision)
	case hardware.Rubik:
		e.Bytes = bytes(op.Src, op.Rubik.Precision) + bytes(op.Dst, op.Rubik.Precision)
	case hardware.BDMA:
		for _, t := range op.BDMA.Transfers {
			e.Bytes += 2 * int64(t.LineSize) * int64(t.LineRepeat) * int64(t.SurfaceRepeat)
		}
	}
	e.MemoryCycles = float64(e.Bytes) / (c.Bandwidth / c.ClockHz)
	e.limit()
	if c.Serial {
		e.Cycles = max(e.MACCycles, e.ElementCycles) + e.MemoryCycles
	}
	e.Cycles += c.Overhead
	return e
}

// limit takes the slowest resource.
func (e *Operation) limit() {
	e.Cycles, e.Bound = e.MACCycles, Multipliers
	if e.ElementCycles > e.Cycles || e.MACs == 0 {
		e.Cycles, e.Bound = e.ElementCycles, Elements
	}
	if e.MemoryCycles > e.Cycles {
		e.Cycles, e.Bound = e.MemoryCycles, Memory
	}
}

// rates are elements a cycle (hw/spec/defs, doc/hw/v1/hwarch.rst).
type rates struct{ x, y, pdp, cdp float64 }

func throughput(t hardware.Target) rates {
	if t.AtomicC*t.AtomicK >= 2048 {
		return rates{x: 16, y: 4, pdp: 8, cdp: 8}
	}
	return rates{x: 1, y: 1, pdp: 1, cdp: 1}
}

// elements is how many elements a cube has.
func elements(q hardware.Cube) int64 { return int64(q.W) * int64(q.H) * int64(q.C) }

func bytes(q hardware.Cube, p hardware.Precision) int64 { return elements(q) * int64(p.Bytes()) }

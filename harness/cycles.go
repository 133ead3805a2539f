package harness

import (
	"fmt"
	"strings"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/cycles"
)

// device is a program of hardware operations, whose cycles a model estimates.
type device interface {
	Cycles() cycles.Report
	HardwareOperations() int
	Fingerprint() string
}

// fillDevice adds what is known of the hardware that a cell stands for.
func fillDevice(cell *record.Cell, program runtime.Program) {
	d, ok := program.(device)
	if !ok {
		return
	}
	cell.Program = d.Fingerprint()
	cell.Cycles = CyclesRecord(d.Cycles(), d.HardwareOperations())
}

// CyclesRecord is a model's report as results keep it; operations is the number
// of operations that the hardware is given.
func CyclesRecord(r cycles.Report, operations int) *record.Cycles {
	c := &record.Cycles{ClockHz: r.Config.ClockHz, Bandwidth: r.Config.Bandwidth, Multipliers: r.Target.AtomicC * r.Target.AtomicK,
		Hardware: operations, Total: r.Cycles, Assumptions: r.Assumptions}
	for _, o := range r.Operations {
		c.Operations = append(c.Operations, record.OperationCycles{Layer: o.Layer, Kind: o.Kind.String(), MACs: o.MACs, Bytes: o.Bytes, Cycles: o.Cycles, Bound: string(o.Bound)})
	}
	return c
}

// modelledLatency is the model's time of one picture, with what it assumes.
func modelledLatency(r cycles.Report) *record.Latency {
	return &record.Latency{Kind: record.Modelled, Seconds: r.Seconds(), Note: fmt.Sprintf("%s; %s", r.Target.Name, strings.Join(r.Assumptions, "; "))}
}

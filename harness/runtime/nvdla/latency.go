package nvdla

import (
	"quantbench/harness/runtime/nvdla/cycles"
	"quantbench/harness/runtime/nvdla/lower"
)

// Cycles is the cycle model's estimate of one picture at 1 GHz and the bandwidth
// that NVIDIA's primer pairs with the target. Nothing of it was measured.
func (p *program) Cycles() cycles.Report { return cycles.Estimate(p.hardware, cycles.Config{}) }

// Fingerprint tells programs apart that make the hardware do different things.
func (p *program) Fingerprint() string { return lower.Fingerprint(p.hardware) }

// HardwareOperations is the number of operations that the hardware is given.
func (p *program) HardwareOperations() int { return p.hardware.Engines() }

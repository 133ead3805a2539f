package nvdla

import (
	"fmt"
	"strings"

	"quantbench/harness/runtime/nvdla/cycles"
)

// ModelledLatency is the cycle model's time of one picture at 1 GHz and the
// bandwidth that NVIDIA's primer pairs with the target, and what the model
// assumes. Nothing of it was measured.
func (p *program) ModelledLatency() (seconds float64, assumptions string) {
	r := cycles.Estimate(p.hardware, cycles.Config{})
	return r.Seconds(), fmt.Sprintf("%s; %s", r.Target.Name, strings.Join(r.Assumptions, "; "))
}

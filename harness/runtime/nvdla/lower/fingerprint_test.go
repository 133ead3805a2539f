package lower_test

import (
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
)

// twoTensors is a program with weights, operands and two tensors of one shape.
func twoTensors(t *testing.T) *hardware.Program {
	b := newTower(t, 1, 4, 4, 0.1)
	b.conv("one", 1, 1, 0.2, []float32{1}, []float32{0.5}, "data").conv("two", 1, 1, 0.2, []float32{2}, []float32{0.25}, "one")
	b.sum("sum", 0.3, "one", "two").relu("relu", 0.3, "sum")
	p, _ := b.lower(lower.Options{Mode: lower.PerKernel})
	return p
}

// TestFingerprint changes one thing at a time: what the hardware does changes
// the fingerprint, where its tensors lie does not.
func TestFingerprint(t *testing.T) {
	want := lower.Fingerprint(twoTensors(t))
	ops := func(p *hardware.Program, k hardware.Kind) *hardware.Operation {
		for i := range p.Operations {
			if p.Operations[i].Kind == k {
				return &p.Operations[i]
			}
		}
		t.Fatalf("the program has no %s", k)
		return nil
	}
	for _, c := range []struct {
		what   string
		same   bool
		change func(p *hardware.Program)
	}{
		{"nothing", true, func(*hardware.Program) {}},
		{"the order of the regions", true, func(p *hardware.Program) {
			last := len(p.Regions)
			p.Regions = append(p.Regions, p.Regions[0])
			for i := range p.Operations {
				op := &p.Operations[i]
				for _, c := range []*hardware.Cube{&op.Src, &op.Dst, &op.Weights, &op.X1, &op.X2, &op.Y} {
					if c.Region == 0 {
						c.Region = last
					}
				}
			}
		}},
		{"a field that schedules", true, func(p *hardware.Program) { ops(p, hardware.Conv).Conv.FetchGrain += 3 }},
		{"the target", false, func(p *hardware.Program) { p.Target = hardware.Large }},
		{"a weight", false, func(p *hardware.Program) {
			w := ops(p, hardware.Conv).Weights
			p.Regions[w.Region].Init[w.Offset]++
		}},
		{"a shift", false, func(p *hardware.Program) { ops(p, hardware.SDP).SDP.OutCvt.Truncate++ }},
		{"a table", false, func(p *hardware.Program) { ops(p, hardware.SDP).SDP.LUT = &hardware.LUT{} }},
		{"the operand of the sum", false, func(p *hardware.Program) {
			for i := range p.Operations {
				if op := &p.Operations[i]; op.Kind == hardware.SDP && op.SDP.X1.Mode == hardware.PerPoint {
					op.X1 = p.Input.Cube
					return
				}
				if op := &p.Operations[i]; op.Kind == hardware.SDP && op.SDP.X2.Mode == hardware.PerPoint {
					op.X2 = p.Input.Cube
					return
				}
			}
			t.Fatal("no operation adds two tensors")
		}},
		{"the output", false, func(p *hardware.Program) { p.Output.Cube = p.Input.Cube }},
	} {
		p := twoTensors(t)
		c.change(p)
		if got := lower.Fingerprint(p); (got == want) != c.same {
			t.Errorf("%s: same fingerprint %v, want %v", c.what, got == want, c.same)
		}
	}
}

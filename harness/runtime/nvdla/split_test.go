package nvdla

import (
	"slices"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// TestSplitEqualsWhole: strips of lines give the bytes of the whole convolution.
func TestSplitEqualsWhole(t *testing.T) {
	g := newGenerator(11)
	g.net.Layers, g.blobs = nil, nil
	x := g.layer("Input", models.Input{Shape: models.Shape{C: 40, H: 70, W: 90}}, nil)
	w := models.Window{KernelH: 3, KernelW: 2, StrideH: 2, StrideW: 1, PadH: 1, PadW: 1, DilationH: 2, DilationW: 1}
	a := g.conv(x, w, 24, true)
	g.scale[a] = 2
	b := g.conv(x, w, 24, true)
	g.scale[g.layer("Eltwise", models.Eltwise{Operation: models.EltwiseSum}, nil, a, b)] = 4
	for _, mode := range []lower.Mode{lower.PerKernel, lower.PerFilter} {
		var outputs [2][]int8
		for i, whole := range []bool{false, true} {
			p, _, err := lower.Lower(g.net, g.scales(), lower.Options{Target: hardware.Small, Mode: mode, Whole: whole})
			if err != nil {
				t.Fatal(err)
			}
			m, err := simulate.New(p)
			if err != nil {
				t.Fatal(err)
			}
			in := make([]int8, 40*70*90)
			for j := range in {
				in[j] = int8(j*j%251 - 125)
			}
			if outputs[i], err = m.Run(in); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, whole %v: %d operations", mode, whole, len(p.Operations))
		}
		if !slices.Equal(outputs[0], outputs[1]) {
			t.Errorf("%s: the strips differ from the whole", mode)
		}
	}
}

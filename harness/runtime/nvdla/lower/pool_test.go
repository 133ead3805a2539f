package lower_test

import (
	"slices"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// TestPoolingStripes: a result wider than the line buffer is cut. With 3x3 windows
// 2 apart, two lines of 32 channels go into it 64 columns wide.
func TestPoolingStripes(t *testing.T) {
	for _, tt := range []struct {
		width, kernel, stride, pad, count int
		in, out                           [3]int
	}{
		{129, 3, 2, 0, 1, [3]int{}, [3]int{}},                      // 64 columns: whole
		{225, 3, 2, 0, 2, [3]int{129, 0, 96}, [3]int{64, 0, 48}},   // 112
		{401, 3, 2, 0, 4, [3]int{129, 128, 16}, [3]int{64, 64, 8}}, // 200
		{131, 3, 2, 1, 2, [3]int{128, 0, 3}, [3]int{64, 0, 2}},     // 66
		{129, 3, 2, 1, 2, [3]int{128, 0, 1}, [3]int{64, 0, 1}},     // 65, the last window over the border
	} {
		win := models.Window{KernelH: tt.kernel, KernelW: tt.kernel, StrideH: tt.stride, StrideW: tt.stride, PadH: tt.pad, PadW: tt.pad, DilationH: 1, DilationW: 1}
		b := newTower(t, 1, 5, tt.width, 0.5).add("p", "Pooling", models.Pooling{Window: win}, 0.5, nil, "data")
		p, _ := b.lower(lower.Options{Target: hardware.Full})
		d := p.Operations[0].PDP
		if d.Split != tt.count || d.PartialIn != tt.in || d.PartialOut != tt.out {
			t.Errorf("%d columns: %d stripes of %v to %v, want %d of %v to %v", tt.width, d.Split, d.PartialIn, d.PartialOut, tt.count, tt.in, tt.out)
		}
		if tt.count > 1 {
			middle := max(tt.count-2, 0)
			if in := d.PartialIn[0] + middle*d.PartialIn[1] + d.PartialIn[2]; in != tt.width {
				t.Errorf("%d columns: the stripes read %d", tt.width, in)
			}
		}
	}
}

// TestLRN: the compiler's table is empty, and equal layers share one.
func TestLRN(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5).conv("c", 8, 1, 0.5, ramp(64), ramp(8), "data")
	b.add("n1", "LRN", models.LRN{Size: 5, Alpha: 1}, 0.25, nil, "c").add("n2", "LRN", models.LRN{Size: 3, Alpha: 1}, 0.25, nil, "n1").add("n3", "LRN", models.LRN{Size: 5, Alpha: 1}, 0.25, nil, "n2")
	b.conv("last", 2, 1, 0.5, ramp(16), []float32{5, -5}, "n3")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.EmptyTable, lower.EmptyTable, lower.EmptyTable)
	op := p.Operations[2]
	if op.Kind != hardware.CDP || op.CDP.LocalSize != 5 || !op.CDP.LUT.Empty() || op.CDP.InCvt.Scale != 1 || op.Src.C != 8 {
		t.Errorf("%+v %+v", op, op.CDP)
	}
	if a, b, c := op.CDP.LUTIndex, p.Operations[3].CDP.LUTIndex, p.Operations[4].CDP.LUTIndex; a != 0 || b != 1 || c != 0 {
		t.Errorf("tables %d, %d, %d", a, b, c)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	// Only the last layer's biases are left: 5/0.5 and -5/0.5.
	if got, err := m.Run(make([]int8, 32)); err != nil || !slices.Equal(got, []int8{10, 10, 10, 10, -10, -10, -10, -10}) {
		t.Errorf("%v, %v", got, err)
	}
}

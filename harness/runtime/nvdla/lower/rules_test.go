package lower_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

var (
	perFilter = lower.Options{Mode: lower.PerFilter}
	perKernel = lower.Options{Mode: lower.PerKernel}
)

// two is a 1x1 convolution from two channels to two: weight scale 1.27/127 in
// all, 0.635/127 in kernel 1.
func two(t *testing.T) *tower {
	return newTower(t, 2, 1, 1, 0.5).conv("c", 2, 1, 0.25, []float32{1.27, -0.015, 0.635, 0}, []float32{1, -2}, "data")
}

func TestWeightsRoundHalfUp(t *testing.T) {
	p, _ := two(t).lower(perKernel)
	// 1.27 -> 127; -0.015/0.01 = -1.5 -> -1; 0.635/0.01 = 63.5 -> 64 (single precision decides ties).
	got := bytesOf(p, p.Operations[0].Weights)
	if want := []int8{127, -1, 64, 0, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("per-kernel weights %v, want %v", got, want)
	}
	p, _ = two(t).lower(perFilter)
	got = bytesOf(p, p.Operations[0].Weights)
	if want := []int8{127, -1, 127, 0, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("per-filter weights %v, want %v", got, want)
	}
}

func TestBiasAndConverter(t *testing.T) {
	p, _ := two(t).lower(perKernel)
	op := p.Operations[1]
	// 1/(0.5*0.01) = 200; factor 0.5/0.25*0.01 = 0.02 = 20971/2^20.
	if got := words(p, op.X1); !slices.Equal(got, []int16{200, -400}) {
		t.Errorf("biases %v", got)
	}
	if want := (hardware.Converter{Scale: 20971, Truncate: 20, Enable: true}); op.SDP.OutCvt != want {
		t.Errorf("converter %+v, want %+v", op.SDP.OutCvt, want)
	}
	if s := op.SDP.X1; s.Type != hardware.SDPAdd || s.Mode != hardware.PerChannel || s.Shift != 0 || s.Truncate != 0 {
		t.Errorf("X1 %+v", s)
	}
	p, _ = two(t).lower(perFilter)
	op = p.Operations[1]
	// Kernel 1 has half the weight scale: -2/(0.5*0.005) = -800, factor 0.01.
	if got := words(p, op.X1); !slices.Equal(got, []int16{200, 20971, -800, 10485}) {
		t.Errorf("pairs %v", got)
	}
	if s := op.SDP.X1; s.Type != hardware.SDPBoth || s.Truncate != 20 {
		t.Errorf("X1 %+v", s)
	}
}

func TestLargeBiasIsShifted(t *testing.T) {
	b := newTower(t, 1, 1, 1, 0.5).conv("c", 2, 1, 0.25, []float32{1.27, 0.3}, []float32{1000, -0.005}, "data")
	p, _ := b.lower(perKernel)
	op := p.Operations[1]
	// 1000/0.005 = 200000 needs 19 bits with sign: shift 3. -1 >> 3 is -1.
	if got := words(p, op.X1); op.SDP.X1.Shift != 3 || !slices.Equal(got, []int16{25000, -1}) {
		t.Errorf("shift %d, biases %v", op.SDP.X1.Shift, got)
	}
}

func TestZeroKernel(t *testing.T) {
	b := newTower(t, 1, 1, 1, 0.5).conv("c", 2, 1, 0.25, []float32{1.27, 0}, []float32{1, 1}, "data")
	p, _ := b.lower(perFilter)
	if got := bytesOf(p, p.Operations[0].Weights)[:2]; got[1] != -128 {
		t.Errorf("weights %v, want -128 in the kernel of zeros", got)
	}
	if got := words(p, p.Operations[1].X1); got[3] != 0 {
		t.Errorf("operands %v, want multiplier 0 for the kernel of zeros", got)
	}
}

func TestNormFoldsIntoWeights(t *testing.T) {
	b := newTower(t, 1, 1, 1, 0.5).conv("c", 1, 1, 9, []float32{2}, nil, "data")
	b.add("bn", "BatchNorm", models.BatchNorm{}, 9, [][]float32{{6}, {8}, {2}}, "c")
	b.add("sc", "Scale", models.Scale{Bias: true}, 9, [][]float32{{3}, {1}}, "bn").relu("r", 0.25, "sc")
	p, _ := b.lower(perKernel)
	if n := len(p.Operations); n != 2 {
		t.Fatalf("%d operations, want the convolution and its bias", n)
	}
	// mean 3, 1/sigma 0.5: w = 3, b = -3*0.5*3 + 1 = -3.5; scale of w 3/127.
	op := p.Operations[1]
	if op.SDP.X1.ALUOperand != -296 || op.SDP.X1.Mode != hardware.PerLayer || op.SDP.X1.Act != hardware.ActReLU {
		t.Errorf("X1 %+v, want -3.5/(0.5*3/127) = -296.3 a layer with ReLU", op.SDP.X1)
	}
	if op.Layer != "r" || op.DstScale == 0 {
		t.Errorf("writes layer %q with scale %v", op.Layer, op.DstScale)
	}
}

func TestProfiles(t *testing.T) {
	b := newTower(t, 8, 4, 4, 0.5).conv("c", 8, 3, 0.25, ramp(8*8*9), ramp(8), "data").relu("r", 0.125, "c")
	for profile, want := range map[lower.Profile]int{lower.Basic: 4, lower.Default: 3, lower.Performance: 3, lower.FastMath: 2} {
		p, _ := b.lower(lower.Options{Profile: profile})
		if len(p.Operations) != want {
			t.Errorf("%s: %d operations, want %d", profile, len(p.Operations), want)
		}
	}
}

func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i%17) - 8
	}
	return out
}

// residual is a trunk with scale 0.5 and a branch with scale 0.25.
func residual(t *testing.T, reversed bool) *tower {
	b := newTower(t, 8, 4, 4, 0.5).conv("trunk", 8, 1, 0.5, ramp(64), ramp(8), "data")
	b.conv("x", 8, 3, 0.5, ramp(576), ramp(8), "trunk").relu("xr", 0.5, "x")
	b.conv("branch", 8, 3, 0.25, ramp(576), ramp(8), "xr")
	if reversed {
		return b.sum("sum", 1, "branch", "trunk")
	}
	return b.sum("sum", 1, "trunk", "branch")
}

func TestEltwiseOverride(t *testing.T) {
	for _, reversed := range []bool{false, true} {
		p, warnings := residual(t, reversed).lower(perKernel)
		warned(t, warnings, lower.EltwiseOverride)
		if got := p.Operations[1].DstScale; got != 0.25 {
			t.Errorf("reversed %v: the trunk has scale %v, want the branch's 0.25", reversed, got)
		}
		last := p.Operations[len(p.Operations)-1].SDP
		if last.OutCvt != (hardware.Converter{Scale: 16384, Truncate: 16, Enable: true}) {
			t.Errorf("converter %+v, want 0.25/1", last.OutCvt)
		}
	}
	p, warnings := residual(t, false).lower(lower.Options{Fixes: []lower.Fix{lower.FixEltwiseScale}})
	warned(t, warnings)
	if a, b := p.Operations[1].DstScale, p.Operations[5].DstScale; a != 0.5 || b != 0.5 {
		t.Errorf("with the fix the operands have scales %v and %v, want 0.5", a, b)
	}
}

func TestInputOperandKeepsTheCallersScale(t *testing.T) {
	b := newTower(t, 8, 4, 4, 0.5).conv("c", 8, 3, 0.25, ramp(576), ramp(8), "data").sum("s", 1, "c", "data")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.EltwiseOverride)
	if p.Input.Scale != 0.5 {
		t.Errorf("input scale %v, want the table's", p.Input.Scale)
	}
	p, _ = b.lower(lower.Options{Fixes: []lower.Fix{lower.FixEltwiseScale}})
	if p.Input.Scale != 0.5 || p.Operations[1].DstScale != 0.5 {
		t.Errorf("fixed: input %v, convolution %v", p.Input.Scale, p.Operations[1].DstScale)
	}
}

func TestFusion(t *testing.T) {
	p, _ := residual(t, false).lower(perFilter)
	last := p.Operations[len(p.Operations)-1]
	if len(p.Operations) != 6 || !last.SDP.X2.Enable || last.SDP.X2.Mode != hardware.PerPoint || last.SDP.X1.Type != hardware.SDPBoth {
		t.Errorf("%d operations, last %+v; want the sum in X2 of the branch", len(p.Operations), last.SDP)
	}
	if last.X2 != p.Operations[1].Dst {
		t.Errorf("X2 reads %+v, want the trunk %+v", last.X2, p.Operations[1].Dst)
	}
}

func TestConstantMultiplier(t *testing.T) {
	b := newTower(t, 8, 4, 4, 0.5).conv("a", 8, 3, 0.25, ramp(576), ramp(8), "data")
	b.conv("p", 8, 1, 0.25, ramp(64), nil, "data").sum("s", 1, "a", "p")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.ConstantMultiplier)
	x1 := p.Operations[3].SDP.X1
	if x1.Mode != hardware.PerLayer || x1.MulOperand != 1 {
		t.Errorf("X1 %+v, want the constant 1", x1)
	}
	p, warnings = b.lower(lower.Options{Fixes: []lower.Fix{lower.FixConstantMultiplier}})
	warned(t, warnings)
	if x1 := p.Operations[3].SDP.X1; x1.MulOperand < 16384 {
		t.Errorf("fixed X1 %+v", x1)
	}
}

func TestConcatPlaces(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5).conv("a", 12, 1, 0.25, ramp(96), ramp(12), "data").conv("b", 4, 1, 0.25, ramp(32), ramp(4), "data")
	b.add("cat", "Concat", models.Concat{}, 0.25, nil, "a", "b").conv("c", 2, 1, 0.25, ramp(32), ramp(2), "cat")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.Unaligned)
	a, second, read := p.Operations[1].Dst, p.Operations[3].Dst, p.Operations[4].Src
	// 12 channels take two surfaces of 8 on nv_small.
	if a.Region != second.Region || a.Region != read.Region || second.Offset != a.Size || a.Size != 2*32 || read.C != 16 {
		t.Errorf("a %+v, b %+v, read as %+v", a, second, read)
	}
}

func TestPooling(t *testing.T) {
	b := newTower(t, 1, 7, 7, 0.5).conv("c", 8, 1, 0.5, ramp(8), ramp(8), "data")
	b.add("p", "Pooling", models.Pooling{Window: models.Window{KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1}, Method: models.PoolAverage}, 0.25, nil, "c")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.BorderAverage, lower.NoRescale)
	d := p.Operations[2].PDP
	if d.Mode != hardware.PoolAverage || d.Width != 3 || d.PadLeft != 1 || d.PadRight != 1 {
		t.Errorf("%+v", d)
	}
}

// TestPoolingCrops: windows of 2 every 4 with padding 1 leave the last of 6
// columns out.
func TestPoolingCrops(t *testing.T) {
	b := newTower(t, 8, 6, 6, 0.5)
	b.add("p", "Pooling", models.Pooling{Window: models.Window{KernelH: 2, KernelW: 2, StrideH: 4, StrideW: 4, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1}}, 0.5, nil, "data")
	p, _ := b.lower(perKernel)
	if op := p.Operations[0]; op.Src.W != 5 || op.Src.H != 5 || op.PDP.PadRight != 0 || op.Dst.W != 2 {
		t.Errorf("%+v %+v", op.Src, op.PDP)
	}
}

func TestLargeDeviationIsSplit(t *testing.T) {
	b := newTower(t, 2, 1, 1, 0.5).add("bn", "BatchNorm", models.BatchNorm{}, 0.5, [][]float32{{0, 0}, {1.0 / 40000, 1}, {1}}, "data")
	p, _ := b.lower(lower.Options{Profile: lower.Basic})
	// 1/sigma = 200 > 127 becomes sqrt(200) twice; the other channel 1 and 1.
	if len(p.Operations) != 2 || p.Operations[0].SDP.X1.Type != hardware.SDPBoth || p.Operations[1].SDP.X1.Type != hardware.SDPMul {
		t.Fatalf("%d operations", len(p.Operations))
	}
	if got := words(p, p.Operations[1].X1); got[0] != 28963 || got[1] != 2048 {
		t.Errorf("second factor %v / 2^%d, want sqrt(200) and 1", got, p.Operations[1].SDP.X1.Truncate)
	}
}

// TestGroups: of the expanded 1 0 / 0 1 only the first two are quantized.
func TestGroups(t *testing.T) {
	b := newTower(t, 2, 1, 1, 0.5).add("g", "Convolution", models.Convolution{Window: window(1), Out: 2, Groups: 2}, 0.5, [][]float32{{1, 1}}, "data")
	p, warnings := b.lower(perKernel)
	warned(t, warnings, lower.Groups)
	if got := bytesOf(p, p.Operations[0].Weights)[:4]; !slices.Equal(got, []int8{127, 0, 0, 0}) {
		t.Errorf("weights %v", got)
	}
}

func TestImageInput(t *testing.T) {
	w := make([]float32, 25)
	for i := range w {
		w[i] = float32(i / 5) // the kernel's line
	}
	b := newTower(t, 1, 8, 8, 0.5)
	win := window(5)
	win.PadH, win.PadW = 0, 0
	b.add("c", "Convolution", models.Convolution{Window: win, Out: 1, Groups: 1, Bias: true}, 0.5, [][]float32{w, {0}}, "data")
	opt := lower.Options{Target: hardware.Full, InputFormat: lower.NHWC}
	p, warnings := b.lower(opt)
	warned(t, warnings, lower.LostKernelRow)
	lines := func(p *hardware.Program) (got []int8) {
		data := bytesOf(p, p.Operations[0].Weights)
		for y := range 5 {
			got = append(got, data[20*y])
		}
		return got
	}
	if got := lines(p); !slices.Equal(got, []int8{0, 32, 95, 127, 127}) {
		t.Errorf("lines %v, want 0 1 3 4 4 of the kernel", got)
	}
	if d := p.Operations[0].Conv; d.PostExtension != 1 || d.KernelW != 1 || d.KernelC != 20 || d.DataFormat != hardware.FormatA8B8G8R8 {
		t.Errorf("%+v", d)
	}
	opt.Fixes = []lower.Fix{lower.FixLostKernelRow}
	p, warnings = b.lower(opt)
	warned(t, warnings)
	if got := lines(p); !slices.Equal(got, []int8{0, 32, 64, 95, 127}) {
		t.Errorf("fixed lines %v", got)
	}
	opt = lower.Options{InputFormat: lower.NHWC}
	if p, _ := b.lower(opt); p.Operations[0].Conv.PostExtension != 0 {
		t.Error("nv_small extends")
	}
}

func TestSplit(t *testing.T) {
	b := newTower(t, 64, 64, 64, 0.5).conv("c", 32, 3, 0.5, ramp(32*64*9), ramp(32), "data")
	p, _ := b.lower(perKernel)
	if len(p.Operations) != 6 {
		t.Fatalf("%d operations, want 3 strips", len(p.Operations))
	}
	height := 0
	for _, op := range p.Operations {
		if op.Kind == hardware.SDP {
			if op.Dst.Offset != height*op.Dst.LineStride {
				t.Errorf("strip at %d, want line %d", op.Dst.Offset, height)
			}
			height += op.Dst.H
		}
	}
	if height != 64 {
		t.Errorf("strips of %d lines in all, want 64", height)
	}
	if p, _ := b.lower(lower.Options{Whole: true}); len(p.Operations) != 2 {
		t.Errorf("whole: %d operations", len(p.Operations))
	}
	var out bytes.Buffer
	if err := lower.WriteJSON(&out, p); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Operations []struct{ Order, Index int }
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 2, 1, 4, 3, 5} {
		if got := list.Operations[i]; got.Order != i || got.Index != want {
			t.Errorf("object %d: %+v, want index %d", i, got, want)
		}
	}
}

func TestCPUOperations(t *testing.T) {
	b := newTower(t, 1, 2, 2, 0.5).add("pow", "Power", models.Power{Power: 1, Scale: 2}, 0.25, nil, "data")
	b.add("ip", "InnerProduct", models.InnerProduct{Out: 3, Bias: true}, 0.5, [][]float32{ramp(12), ramp(3)}, "pow")
	b.add("prob", "Softmax", models.Softmax{}, 0.0078, nil, "ip")
	p, _ := b.lower(perKernel)
	if op := p.Operations[0]; op.Kind != hardware.CPUPower || op.Power.Scale != 2 || op.Power.InScale != 0.5 {
		t.Errorf("%+v", op)
	}
	if op := p.Operations[3]; op.Kind != hardware.CPUSoftmax || op.Softmax.InScale != 0.5 {
		t.Errorf("%+v", op)
	}
	var out bytes.Buffer
	if err := lower.WriteJSON(&out, p); err != nil || !json.Valid(out.Bytes()) || !strings.Contains(out.String(), `"op":"softmax"`) {
		t.Errorf("%v, %s", err, out.String())
	}
}

// TestDeepResidualNetwork: 60 blocks lower in no time.
func TestDeepResidualNetwork(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5)
	trunk := "data"
	for i := range 60 {
		x, y, s := fmt.Sprint("x", i), fmt.Sprint("y", i), fmt.Sprint("s", i)
		b.conv(x, 8, 1, 0.5, ramp(64), ramp(8), trunk).conv(y, 8, 1, 0.5, ramp(64), ramp(8), x).sum(s, 0.5, y, trunk)
		trunk = s
	}
	if p, _ := b.lower(perFilter); len(p.Operations) != 241 {
		t.Errorf("%d operations, want 4 a block, and the first sum, whose operand is the input, on its own", len(p.Operations))
	}
}

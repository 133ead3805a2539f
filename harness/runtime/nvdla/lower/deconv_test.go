package lower_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// deconvolved is the exact result of the deconvolution in integers: Caffe's
// definition with quantized weights, then the output converter's half away from
// zero. Weights and biases are such that one scale serves all kernels.
func deconvolved(op models.Deconvolution, in, out models.Shape, x []int8, w []int, bias []int64, c hardware.Converter) []int8 {
	sums := make([]int64, out.Len())
	size := op.KernelH * op.KernelW
	for i, v := range x {
		ch, row, column := i/(in.H*in.W), i/in.W%in.H*op.StrideH-op.PadH, i%in.W*op.StrideW-op.PadW
		for k := range op.Out * size {
			o, r, q := k/size, row+k%size/op.KernelW, column+k%op.KernelW
			if r >= 0 && r < out.H && q >= 0 && q < out.W {
				sums[(o*out.H+r)*out.W+q] += int64(v) * int64(w[ch*op.Out*size+k])
			}
		}
	}
	y := make([]int8, len(sums))
	for i, s := range sums {
		s += bias[i/(out.H*out.W)]
		f := math.Round(float64(s*int64(c.Scale)) / math.Exp2(float64(c.Truncate))) // exact: below 2^53
		y[i] = int8(max(-128, min(127, f)))
	}
	return y
}

func TestDeconvolution(t *testing.T) {
	for _, tt := range []struct{ out, kh, kw, sh, sw, ph, pw int }{
		{3, 2, 2, 2, 2, 0, 0}, {33, 2, 2, 2, 2, 0, 0}, {2, 3, 3, 3, 3, 0, 0}, {4, 4, 4, 2, 2, 2, 2},
		{2, 2, 3, 2, 3, 0, 0}, {1, 1, 1, 1, 1, 0, 0}, {5, 2, 2, 1, 1, 1, 1}, {2, 6, 2, 3, 2, 3, 0}, {3, 3, 5, 1, 1, 2, 4},
	} {
		t.Run(fmt.Sprintf("%dx%d stride %dx%d to %d", tt.kh, tt.kw, tt.sh, tt.sw, tt.out), func(t *testing.T) {
			op := models.Deconvolution{Out: tt.out, Groups: 1, Bias: true, Window: models.Window{KernelH: tt.kh, KernelW: tt.kw,
				StrideH: tt.sh, StrideW: tt.sw, PadH: tt.ph, PadW: tt.pw, DilationH: 1, DilationW: 1}}
			compareDeconvolution(t, op)
		})
	}
}

func compareDeconvolution(t *testing.T, op models.Deconvolution) {
	in := models.Shape{C: 5, H: 6, W: 7}
	n := in.C * op.Out * op.KernelH * op.KernelW
	w, q, bias, b := make([]float32, n), make([]int, n), make([]int64, op.Out), make([]float32, op.Out)
	for i := range w {
		q[i] = i*37%255 - 127
		w[i] = float32(q[i])
	}
	w[0], q[0] = 127, 127 // the scale of the weights is 1
	for i := range b {
		bias[i] = int64(i*400 - 300)
		b[i] = float32(bias[i]) / 2 // the input's scale is 0.5
	}
	net := newTower(t, in.C, in.H, in.W, 0.5).add("d", "Deconvolution", op, 60, [][]float32{w, b}, "data")
	p, warnings := net.lower(lower.Options{Target: hardware.Full})
	warned(t, warnings)
	if want := 2*op.StrideH*op.StrideW + 1; len(p.Operations) != want || p.Operations[want-1].Kind != hardware.Rubik {
		t.Fatalf("%d operations, want %d, Rubik the last", len(p.Operations), want)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int8, in.Len())
	for i := range x {
		x[i] = int8(i*91%256 - 128)
	}
	got, err := m.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	out := net.net.Output().Out
	if want := deconvolved(op, in, out, x, q, bias, p.Operations[1].SDP.OutCvt); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A deconvolution is emitted as the driver is to see it: no padding, no input
// converter, the parts' channels up to whole atoms, and programmed one ahead.
func TestDeconvolutionDescriptors(t *testing.T) {
	op := models.Deconvolution{Out: 3, Groups: 1, Window: models.Window{KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1}}
	net := newTower(t, 8, 3, 4, 0.5).add("d", "Deconvolution", op, 0.25, [][]float32{ramp(8 * 3 * 4)}, "data").relu("r", 0.125, "d")
	p, _ := net.lower(lower.Options{Target: hardware.Full})
	conv, sdp, rubik := p.Operations[2], p.Operations[3], p.Operations[8]
	if d := conv.Conv; d.InCvt.Enable || d.PixelOverride != 0 || d.KernelW != 1 || conv.Src != p.Input.Cube {
		t.Errorf("%+v", d)
	}
	if sdp.Dst.C != 3 || sdp.Dst.Offset != 3*4*32 || sdp.SDP.X1.Type != hardware.SDPMul {
		t.Errorf("%+v %+v", sdp.Dst, sdp.SDP.X1)
	}
	if rubik.Src.C != 4*32 || rubik.Src.H != 3 || rubik.Dst.C != 32 || rubik.Dst.H != 6 || *rubik.Rubik != (hardware.RubikDesc{StrideX: 2, StrideY: 2}) {
		t.Errorf("%+v %+v %+v", rubik.Src, rubik.Dst, rubik.Rubik)
	}
	if act := p.Operations[9]; len(p.Operations) != 10 || act.SDP.X1.Act != hardware.ActReLU || act.Src.C != 3 || act.FusedParent != -1 {
		t.Errorf("the ReLU behind: %+v", act)
	}
	if got, want := lower.ExecutionOrder(p.Operations), []int{0, 2, 1, 4, 3, 6, 5, 7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	p, warnings := net.lower(lower.Options{Target: hardware.Small})
	warned(t, warnings, lower.DriverLimit)
	if _, err := simulate.New(p); err == nil {
		t.Error("nv_small runs Rubik")
	}
}

// The sums that change scales come after the copies that a deconvolution makes
// of its input's scale.
func TestDeconvolutionKeepsItsInputsScale(t *testing.T) {
	op := models.Deconvolution{Out: 8, Groups: 1, Window: models.Window{KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}}
	net := newTower(t, 8, 2, 2, 0.5).conv("a", 8, 1, 0.5, ramp(64), ramp(8), "data")
	net.add("d", "Deconvolution", op, 0.25, [][]float32{ramp(64)}, "a").conv("b", 8, 1, 0.125, ramp(64), ramp(8), "data").sum("s", 1, "a", "b").sum("t", 1, "s", "d")
	p, warnings := net.lower(lower.Options{Target: hardware.Full})
	warned(t, warnings, lower.EltwiseOverride, lower.EltwiseOverride, lower.NoRescale)
	// The factor is 8/127 (weights) * 0.5 / 0.25, with the scale 0.5 of the table.
	x1 := p.Operations[indexOfLayer(p, "d")].SDP.X1
	if got := float64(x1.MulOperand) / math.Exp2(float64(x1.Truncate)); math.Abs(got-8.0/127*2) > 1e-4 {
		t.Errorf("factor %v, want %v", got, 8.0/127*2)
	}
}

func indexOfLayer(p *hardware.Program, layer string) int {
	return slices.IndexFunc(p.Operations, func(op hardware.Operation) bool { return op.Layer == layer })
}

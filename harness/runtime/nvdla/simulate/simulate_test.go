package simulate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
)

// feature is a packed feature cube at the start of a region.
func feature(t hardware.Target, p hardware.Precision, region, c, h, w int) hardware.Cube {
	e := t.ElementsPerAtom(p)
	q := hardware.Cube{Region: region, C: c, H: h, W: w, LineStride: w * t.Atom, SurfStride: h * w * t.Atom}
	q.Size = (c + e - 1) / e * q.SurfStride
	return q
}

func fly(c, h, w int) hardware.Cube {
	return hardware.Cube{Kind: hardware.CubeOnTheFly, Region: -1, C: c, H: h, W: w}
}

var identity = hardware.Converter{Scale: 1, Enable: true}

// program is input in region 0, output in region 1, constants in region 2.
func program(t hardware.Target, in, out hardware.Cube, constants []byte, ops ...hardware.Operation) *hardware.Program {
	return &hardware.Program{
		Target:     t,
		Regions:    []hardware.Region{{Name: "in", Size: max(in.Size, 64)}, {Name: "out", Size: max(out.Size, 64)}, {Name: "constants", Size: len(constants), Init: constants}},
		Operations: ops,
		Input:      hardware.Tensor{Name: "in", Cube: in}, Output: hardware.Tensor{Name: "out", Cube: out},
	}
}

func bytesOf(v ...int8) []byte {
	b := make([]byte, len(v))
	for i, e := range v {
		b[i] = byte(e)
	}
	return b
}

func run(t *testing.T, p *hardware.Program, in []int8) []int8 {
	t.Helper()
	m, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.Fork().Run(in)
	if err != nil || !slices.Equal(out, again) {
		t.Fatalf("a fork gives %v, %v, want %v", again, err, out)
	}
	return out
}

func check(t *testing.T, got, want []int8) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// convProgram is a convolution into an SDP operation that changes nothing.
func convProgram(t hardware.Target, in hardware.Cube, k, h, w int, d hardware.ConvDesc, weights []int8) *hardware.Program {
	out := feature(t, hardware.Int8, 1, k, h, w)
	d.OutCvt = identity
	d.Batch = 1
	conv := hardware.Operation{Kind: hardware.Conv, Index: 4, FusedParent: -1, Src: in, Dst: fly(k, h, w), Weights: hardware.Cube{Region: 2, Size: len(weights)}, Conv: &d}
	sdp := hardware.Operation{Kind: hardware.SDP, Index: 5, FusedParent: 4, Src: fly(k, h, w), Dst: out, SDP: &hardware.SDPDesc{OutCvt: identity}}
	return program(t, in, out, bytesOf(weights...), conv, sdp)
}

// featureConv is a 2x2 kernel over one channel of 3x3: 1 2 3 / 4 5 6 / 7 8 9.
func featureConv() hardware.ConvDesc {
	return hardware.ConvDesc{DataFormat: hardware.FormatFeature, KernelW: 2, KernelH: 2, KernelC: 1, StrideX: 1, StrideY: 1, DilationX: 1, DilationY: 1}
}

var nine = []int8{1, 2, 3, 4, 5, 6, 7, 8, 9}

func TestConvolution(t *testing.T) {
	for _, target := range hardware.Targets {
		in := feature(target, hardware.Int8, 0, 1, 3, 3)
		w := []int8{1, -1, 2, 3}
		// 1*1-1*2+2*4+3*5 = 22, then one more of each: +5.
		check(t, run(t, convProgram(target, in, 1, 2, 2, featureConv(), w), nine), []int8{22, 27, 37, 42})
		d := featureConv()
		d.PadLeft, d.PadTop, d.PadValue, d.StrideX, d.StrideY = 1, 1, 10, 2, 2
		// top left: 10-10+20+3*1 = 23; right: 10-10+2*2+3*3 = 13;
		// below: 10-4+20+21 = 47; 5-6+16+27 = 42.
		check(t, run(t, convProgram(target, in, 1, 2, 2, d, w), nine), []int8{23, 13, 47, 42})
		d = featureConv()
		d.DilationX, d.DilationY = 2, 2
		check(t, run(t, convProgram(target, in, 1, 1, 1, d, w), nine), []int8{1 - 3 + 14 + 27})
	}
}

func TestConvolutionKernelGroups(t *testing.T) {
	// 10 kernels of 9 channels on nv_small: two groups, two channel blocks. Kernel
	// k has weight k at channel 0 and 1 at channel 8; channels hold 2 and 3.
	shape := hardware.KernelShape{K: 10, C: 9, R: 1, S: 1}
	w := make([]int8, 90)
	want := make([]int8, 10)
	for k := range 10 {
		w[shape.WeightIndex(hardware.Small, hardware.Int8, k, 0, 0, 0)] = int8(k)
		w[shape.WeightIndex(hardware.Small, hardware.Int8, k, 8, 0, 0)] = 1
		want[k] = int8(2*k + 3)
	}
	d := featureConv()
	d.KernelW, d.KernelH, d.KernelC = 1, 1, 9
	p := convProgram(hardware.Small, feature(hardware.Small, hardware.Int8, 0, 9, 1, 1), 10, 1, 1, d, w)
	check(t, run(t, p, []int8{2, 0, 0, 0, 0, 0, 0, 0, 3}), want)
}

func TestConvolutionInputConverter(t *testing.T) {
	d := featureConv()
	d.KernelW, d.KernelH = 1, 1
	d.InCvt = hardware.Converter{Enable: true, Scale: 3, Offset: 1, Truncate: 1}
	in := feature(hardware.Full, hardware.Int8, 0, 1, 1, 2)
	// (2-1)*3/2 = 1.5 -> 2; (-3-1)*3/2 = -6.
	check(t, run(t, convProgram(hardware.Full, in, 1, 1, 2, d, []int8{1}), []int8{2, -3}), []int8{2, -6})
}

func TestPictureConvolution(t *testing.T) {
	in := hardware.Cube{Region: 0, C: 4, H: 3, W: 3, LineStride: 16, Size: 48}
	d := hardware.ConvDesc{DataFormat: hardware.FormatA8B8G8R8, PixelOverride: 1, KernelW: 1, KernelH: 2, KernelC: 8, StrideX: 1, StrideY: 1}
	// Two columns of four channels: only channel 0 has weights, 1 2 / 3 4.
	w := make([]int8, 16)
	w[0], w[4], w[8], w[12] = 1, 2, 3, 4
	pixels := append(slices.Clone(nine), make([]int8, 18)...) // channels 1 and 2 are 0
	// 1+4+12+20 = 37, every step to the right adds 10.
	check(t, run(t, convProgram(hardware.Full, in, 1, 2, 2, d, w), pixels), []int8{37, 47, 67, 77})

	// R8 with post-extension by two lines: three lines are stored as (0, 1), (2).
	in = hardware.Cube{Region: 0, C: 1, H: 3, W: 3, LineStride: 8, Size: 24}
	d = hardware.ConvDesc{DataFormat: hardware.FormatR8, PixelOverride: 1, KernelW: 1, KernelH: 3, KernelC: 1, StrideX: 1, StrideY: 1, PostExtension: 1}
	w = []int8{1, 2, 10, 20, 5, 50} // two kernels: lines 1 2 5 and 10 20 50 of which 6 are stored
	p := convProgram(hardware.Full, in, 2, 1, 1, d, w)
	// kernel 0: 1*1+2*4+5*7 = 44; kernel 1 is ten times that: saturated.
	check(t, run(t, p, nine), []int8{44, 127})
	// Unsigned pixels: -1 is 255; 255*1 saturates at 127.
	d.PixelOverride = 0
	check(t, run(t, convProgram(hardware.Full, in, 1, 1, 1, d, []int8{1, 0, 0}), []int8{-1, 0, 0, 0, 0, 0, 0, 0, 0}), []int8{127})
}

// sdpProgram feeds one element a channel from memory into an SDP operation.
func sdpProgram(t hardware.Target, channels int, d hardware.SDPDesc, constants []byte) *hardware.Program {
	in := feature(t, hardware.Int8, 0, channels, 1, 1)
	out := feature(t, hardware.Int8, 1, channels, 1, 1)
	q := hardware.Cube{Region: 2, C: channels, H: 1, W: 1, Size: len(constants)}
	op := hardware.Operation{Kind: hardware.SDP, FusedParent: -1, Src: in, Dst: out, X1: q, X2: q, Y: q, SDP: &d}
	return program(t, in, out, constants, op)
}

func TestSDPStages(t *testing.T) {
	stage := func(f func(*hardware.SDPStage)) hardware.SDPStage {
		s := hardware.SDPStage{Enable: true, ALU: hardware.ALUSum, Mode: hardware.PerLayer}
		f(&s)
		return s
	}
	x := []int8{-100, -2, 3, 100}
	for _, c := range []struct {
		name      string
		x1, x2, y hardware.SDPStage
		constants []byte
		out       hardware.Converter
		want      []int8
	}{
		{"add per layer", stage(func(s *hardware.SDPStage) { s.Type, s.ALUOperand, s.Shift = hardware.SDPAdd, 5, 2 }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{-80, 18, 23, 120}},
		{"register of 16 bits", stage(func(s *hardware.SDPStage) { s.Type, s.ALUOperand = hardware.SDPAdd, 0x10001 }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{-99, -1, 4, 101}},
		{"mul per layer", stage(func(s *hardware.SDPStage) { s.Type, s.MulOperand, s.Truncate = hardware.SDPMul, 3, 1 }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{-128, -3, 5, 127}},
		{"max", stage(func(s *hardware.SDPStage) { s.Type, s.ALU, s.ALUOperand = hardware.SDPAdd, hardware.ALUMax, 2 }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{2, 2, 3, 100}},
		{"min", stage(func(s *hardware.SDPStage) { s.Type, s.ALU, s.ALUOperand = hardware.SDPAdd, hardware.ALUMin, 2 }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{-100, -2, 2, 2}},
		{"relu", stage(func(s *hardware.SDPStage) { s.Act = hardware.ActReLU }), hardware.SDPStage{}, hardware.SDPStage{}, nil, identity, []int8{0, 0, 3, 100}},
		{"both per channel", stage(func(s *hardware.SDPStage) {
			s.Type, s.Mode, s.Precision = hardware.SDPBoth, hardware.PerChannel, hardware.Int16
		}), hardware.SDPStage{}, hardware.SDPStage{}, []byte{100, 0, 2, 0, 1, 0, 3, 0, 0, 0, 1, 0, 0xff, 0xff, 1, 0}, identity, []int8{0, -3, 3, 99}},
		{"prelu in X2", hardware.SDPStage{}, stage(func(s *hardware.SDPStage) {
			s.Type, s.Act, s.MulOperand, s.Truncate = hardware.SDPMul, hardware.ActPReLU, 8192, 15
		}), hardware.SDPStage{}, nil, identity, []int8{-25, -1, 3, 100}},
		{"add per point", stage(func(s *hardware.SDPStage) { s.Type, s.Mode = hardware.SDPAdd, hardware.PerPoint }), hardware.SDPStage{}, hardware.SDPStage{}, append(bytesOf(1, 2, 3, 100), make([]byte, 60)...), identity, []int8{-99, 0, 6, 127}},
		{"output converter", hardware.SDPStage{}, hardware.SDPStage{}, hardware.SDPStage{}, nil, hardware.Converter{Scale: 3, Truncate: 1, Offset: 1}, []int8{-128, -5, 3, 127}},
		{"Y multiplies before it adds", hardware.SDPStage{}, hardware.SDPStage{}, stage(func(s *hardware.SDPStage) {
			s.Type, s.MulOperand, s.ALUOperand = hardware.SDPBoth, 2, 1
		}), nil, identity, []int8{-128, -3, 7, 127}},
		{"Y tells what differs", hardware.SDPStage{}, hardware.SDPStage{}, stage(func(s *hardware.SDPStage) {
			s.Type, s.ALU, s.ALUOperand = hardware.SDPAdd, hardware.ALUEqual, 3
		}), nil, identity, []int8{1, 1, 0, 1}},
		{"Y converts operands", hardware.SDPStage{}, hardware.SDPStage{}, stage(func(s *hardware.SDPStage) {
			s.Type, s.Mode, s.ALUCvt = hardware.SDPAdd, hardware.PerChannel, hardware.Converter{Enable: true, Scale: 4, Truncate: 1, Offset: 1}
		}), bytesOf(1, 2, 3, 4), identity, []int8{-100, 0, 7, 106}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := sdpProgram(hardware.Full, 4, hardware.SDPDesc{X1: c.x1, X2: c.x2, Y: c.y, OutCvt: c.out}, c.constants)
			check(t, run(t, p, x), c.want)
		})
	}
}

func TestSDPLookUp(t *testing.T) {
	l := &hardware.LUT{Method: 1, LEOffset: 1, LOOffset: 1, LEStart: -4, LEEnd: 124, LOStart: -4, LOEnd: 508}
	for i := range l.LE {
		l.LE[i] = int16(i)
	}
	l.LEUnderflow = hardware.Slope{Scale: 1, Shift: 1}
	s := hardware.SDPStage{Enable: true, Act: hardware.ActLUT}
	p := sdpProgram(hardware.Full, 4, hardware.SDPDesc{Y: s, LUT: l, OutCvt: identity}, nil)
	// Entries are 2 apart from -4: 0 -> 2, 1 -> 2.5 -> 3; below it half the distance.
	check(t, run(t, p, []int8{0, 1, -4, -10}), []int8{2, 3, 0, -3})
}

func TestPooling(t *testing.T) {
	for _, c := range []struct {
		mode uint8
		want []int8
	}{
		// windows of 2x2, stride 2, one line and column of padding at the left and top
		{hardware.PoolMax, []int8{1, 3, 7, 9}},
		{hardware.PoolMin, []int8{1, 2, 4, 5}},
		// sums 1+3p, 2+3+2p, 4+7+2p, 5+6+8+9 with p = 2, in two roundings of halves
		{hardware.PoolAverage, []int8{2, 3, 4, 7}},
	} {
		in, out := feature(hardware.Small, hardware.Int8, 0, 1, 3, 3), feature(hardware.Small, hardware.Int8, 1, 1, 2, 2)
		d := &hardware.PDPDesc{Mode: c.mode, Width: 2, Height: 2, StrideX: 2, StrideY: 2, PadLeft: 1, PadTop: 1, PadValue: [7]int32{2}}
		op := hardware.Operation{Kind: hardware.PDP, FusedParent: -1, Src: in, Dst: out, PDP: d}
		check(t, run(t, program(hardware.Small, in, out, nil, op), nine), c.want)
	}
}

func TestNormalization(t *testing.T) {
	l := &hardware.LUT{Method: 1, LOOffset: 0, LEStart: 1000, LEEnd: 2000, LOEnd: 256}
	for i := range l.LO {
		l.LO[i] = int16(i)
	}
	d := &hardware.CDPDesc{InCvt: identity, OutCvt: identity, LocalSize: 3, LUT: l}
	in, out := feature(hardware.Small, hardware.Int8, 0, 3, 1, 1), feature(hardware.Small, hardware.Int8, 1, 3, 1, 1)
	op := hardware.Operation{Kind: hardware.CDP, FusedParent: -1, Src: in, Dst: out, CDP: d}
	// sums of squares 5, 14, 13, each times its value
	check(t, run(t, program(hardware.Small, in, out, nil, op), []int8{1, 2, 3}), []int8{5, 28, 39})
	d.BypassSquareSum, d.BypassMultiply = true, true
	check(t, run(t, program(hardware.Small, in, out, nil, op), []int8{1, 2, 3}), []int8{1, 2, 3})
}

func TestRubik(t *testing.T) {
	f := hardware.Full
	in, out := feature(f, hardware.Int8, 0, 128, 1, 1), feature(f, hardware.Int8, 1, 1, 2, 2)
	d := &hardware.RubikDesc{StrideX: 2, StrideY: 2}
	op := hardware.Operation{Kind: hardware.Rubik, FusedParent: -1, Src: in, Dst: out, Rubik: d}
	v := make([]int8, 128)
	v[0], v[32], v[64], v[96] = 1, 2, 3, 4
	check(t, run(t, program(f, in, out, nil, op), v), []int8{1, 2, 3, 4})
	// Split writes planes; merge of the planes is the first cube again.
	in, out = feature(f, hardware.Int8, 0, 2, 1, 3), feature(f, hardware.Int8, 1, 2, 1, 3)
	planes := hardware.Cube{Region: 2, C: 2, H: 1, W: 3, LineStride: 32, PlaneStride: 64}
	split := hardware.Operation{Kind: hardware.Rubik, FusedParent: -1, Src: in, Dst: planes, Rubik: &hardware.RubikDesc{Mode: 1}}
	merge := hardware.Operation{Kind: hardware.Rubik, FusedParent: -1, Src: planes, Dst: out, Rubik: &hardware.RubikDesc{Mode: 2}}
	check(t, run(t, program(f, in, out, make([]byte, 256), split, merge), []int8{1, 2, 3, 4, 5, 6}), []int8{1, 2, 3, 4, 5, 6})
}

func TestBDMA(t *testing.T) {
	f := hardware.Full
	in, out := feature(f, hardware.Int8, 0, 1, 2, 2), feature(f, hardware.Int8, 1, 1, 2, 2)
	copies := &hardware.BDMADesc{Transfers: []hardware.BDMATransfer{{DstRegion: 1, LineSize: 64, LineRepeat: 2, SrcLine: 64, DstLine: 64, SurfaceRepeat: 1}}}
	op := hardware.Operation{Kind: hardware.BDMA, BDMA: copies}
	check(t, run(t, program(f, in, out, nil, op), []int8{1, 2, 3, 4}), []int8{1, 2, 3, 4})
}

func TestCPUTasks(t *testing.T) {
	s := hardware.Small
	in, out := feature(s, hardware.Int8, 0, 3, 1, 1), feature(s, hardware.Int8, 1, 3, 1, 1)
	soft := hardware.Operation{Kind: hardware.CPUSoftmax, Src: in, Dst: out, Softmax: &hardware.SoftmaxDesc{InScale: 1, OutScale: 1.0 / 128}}
	// 1/(1+2/e) = 0.576, e^-1 of it is 0.2119, in half precision times 128, cut
	check(t, run(t, program(s, in, out, nil, soft), []int8{1, 0, 0}), []int8{73, 27, 27})
	pow := hardware.Operation{Kind: hardware.CPUPower, Src: in, Dst: out, Power: &hardware.PowerDesc{InScale: 0.5, OutScale: 0.25, Power: 2, Scale: 2, Shift: 1}}
	// (1+2*0.5q)^2/0.25
	check(t, run(t, program(s, in, out, nil, pow), []int8{1, -1, 9}), []int8{16, 0, 127})
}

func TestInt16(t *testing.T) {
	f := hardware.Full
	in, out := feature(f, hardware.Int16, 0, 2, 1, 1), feature(f, hardware.Int16, 1, 2, 1, 1)
	d := &hardware.PDPDesc{Mode: hardware.PoolMax, Width: 1, Height: 1, StrideX: 1, StrideY: 1, Precision: hardware.Int16}
	p := program(f, in, out, nil, hardware.Operation{Kind: hardware.PDP, FusedParent: -1, Src: in, Dst: out, PDP: d})
	p.Input.Cube.Region = -1
	p.Regions[0].Init = []byte{0x39, 0x30, 0xc7, 0xcf} // 12345, -12345
	m, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Execute(nil); err != nil || !slices.Equal(m.Output(), []int16{12345, -12345}) {
		t.Errorf("%v, %v", m.Output(), err)
	}
	if _, err := m.Run(nil); err == nil {
		t.Error("int16 output came out as int8")
	}
	if err := m.Execute([]int8{1}); err == nil {
		t.Error("input for a program without one")
	}
}

func TestObserver(t *testing.T) {
	p := convProgram(hardware.Small, feature(hardware.Small, hardware.Int8, 0, 1, 3, 3), 1, 2, 2, featureConv(), []int8{1, -1, 2, 3})
	m, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	m.Observe = func(d Dump) {
		seen = append(seen, d.Op.Kind.String())
		if d.Op.Kind == hardware.Conv && (len(d.Src) != 72 || d.Src[8] != 2 || d.Dst != nil) {
			t.Errorf("convolution: %d bytes, %d", len(d.Src), len(d.Dst))
		}
		if d.Op.Kind == hardware.SDP && (len(d.Dst) != 32 || d.Dst[0] != 22 || d.Dst[1] != 0 || d.Src != nil) {
			t.Errorf("sdp: %v", d.Dst)
		}
	}
	if _, err := m.Run(nine); err != nil || strings.Join(seen, " ") != "conv sdp" {
		t.Errorf("%v, %v", seen, err)
	}
	if m.Memory(1)[0] != 22 || m.Program() != p {
		t.Error("memory or program is not that of the run")
	}
}

func TestRefusals(t *testing.T) {
	small, full := hardware.Small, hardware.Full
	cube := feature(full, hardware.Int8, 0, 1, 1, 1)
	pool := func(f func(*hardware.PDPDesc)) hardware.Operation {
		d := hardware.PDPDesc{Width: 1, Height: 1, StrideX: 1, StrideY: 1}
		f(&d)
		return hardware.Operation{Kind: hardware.PDP, Src: cube, Dst: cube, PDP: &d}
	}
	conv := func(f func(*hardware.ConvDesc)) hardware.Operation {
		d := featureConv()
		f(&d)
		return hardware.Operation{Kind: hardware.Conv, Src: cube, Dst: fly(1, 1, 1), Conv: &d}
	}
	sdp := func(f func(*hardware.SDPDesc)) hardware.Operation {
		d := hardware.SDPDesc{}
		f(&d)
		return hardware.Operation{Kind: hardware.SDP, Src: cube, Dst: cube, SDP: &d}
	}
	lut := &hardware.LUT{}
	for _, c := range []struct {
		target hardware.Target
		op     hardware.Operation
		want   string
		driver bool
	}{
		{small, hardware.Operation{Kind: hardware.Rubik, Rubik: &hardware.RubikDesc{}}, "RUBIK is not supported", true},
		{hardware.Large, hardware.Operation{Kind: hardware.Rubik, Rubik: &hardware.RubikDesc{}}, "RUBIK is not supported", true},
		{small, hardware.Operation{Kind: hardware.BDMA, BDMA: &hardware.BDMADesc{}}, "BDMA is not supported", true},
		{full, hardware.Operation{Kind: hardware.BDMA, BDMA: &hardware.BDMADesc{}}, "number of transfers", true},
		{full, pool(func(d *hardware.PDPDesc) { d.Width = 14 }), "Invalid pool_width: 13", true},
		{full, pool(func(d *hardware.PDPDesc) { d.Height = 9 }), "Invalid pool_height: 8", true},
		{full, pool(func(d *hardware.PDPDesc) { d.StrideX = 9 }), "Invalid Stride", true},
		{full, pool(func(d *hardware.PDPDesc) { d.Mode = 3 }), "Invalid pool_mode", true},
		{full, pool(func(d *hardware.PDPDesc) { d.Split = 65 }), "split_num", true},
		{full, pool(func(d *hardware.PDPDesc) { d.Precision = hardware.FP16 }), "fp16", false},
		{full, pool(func(d *hardware.PDPDesc) { d.Precision = 7 }), "Invalid precision", true},
		{small, pool(func(d *hardware.PDPDesc) { d.Precision = hardware.Int16 }), "int16", false},
		{full, hardware.Operation{Kind: hardware.PDP, Src: cube, Dst: fly(1, 1, 1), PDP: &hardware.PDPDesc{}}, "MC or CV", true},
		{full, hardware.Operation{Kind: hardware.PDP, Src: fly(1, 1, 1), Dst: cube, PDP: &hardware.PDPDesc{Width: 1, Height: 1, StrideX: 1, StrideY: 1}}, "on the fly", false},
		{full, hardware.Operation{Kind: hardware.PDP, Src: fly(9000, 1, 1), Dst: cube, PDP: &hardware.PDPDesc{}}, "source cube", true},
		{full, hardware.Operation{Kind: hardware.PDP, Src: cube, Dst: hardware.Cube{W: 9000}, PDP: &hardware.PDPDesc{}}, "destination cube", true},
		{full, conv(func(d *hardware.ConvDesc) { d.Mode = 1 }), "Winograd", false},
		{full, conv(func(d *hardware.ConvDesc) { d.WeightFormat = 1 }), "compressed", false},
		{full, conv(func(d *hardware.ConvDesc) { d.Batch = 2 }), "multi-batch", false},
		{full, conv(func(d *hardware.ConvDesc) { d.MeanFormat = 1 }), "mean", false},
		{full, conv(func(d *hardware.ConvDesc) { d.DataFormat = 20 }), "pixel format 20", false},
		{full, conv(func(d *hardware.ConvDesc) { d.DataFormat, d.InPrecision = 12, hardware.Int16 }), "pictures of other", false},
		{full, conv(func(d *hardware.ConvDesc) { d.InPrecision = hardware.FP16 }), "fp16", false},
		{full, hardware.Operation{Kind: hardware.Conv, Src: cube, Dst: cube, Conv: &hardware.ConvDesc{DataFormat: 36}}, "stream into SDP", false},
		{small, sdp(func(d *hardware.SDPDesc) { d.Y.Enable = true }), "no SDP Y", false},
		{full, sdp(func(d *hardware.SDPDesc) {
			d.X1 = hardware.SDPStage{Enable: true, Type: hardware.SDPAdd, ALU: hardware.ALUEqual}
		}), "equality", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.X2 = hardware.SDPStage{Enable: true, Act: hardware.ActLUT} }), "look-up", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.Y = hardware.SDPStage{Enable: true, Act: hardware.ActLUT} }), "there is none", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.X1 = hardware.SDPStage{Enable: true, Precision: 2} }), "operands", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.X1 = hardware.SDPStage{Enable: true, Mode: 3} }), "Invalid SDP", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.Batch = 2 }), "multi-batch", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.ConvMode = 1 }), "Winograd", false},
		{full, sdp(func(d *hardware.SDPDesc) { d.DstPrecision = hardware.FP16 }), "fp16", false},
		{full, hardware.Operation{Kind: hardware.SDP, Src: cube, Dst: fly(1, 1, 1), SDP: &hardware.SDPDesc{}}, "streams into PDP", false},
		{full, hardware.Operation{Kind: hardware.CDP, Src: cube, Dst: cube, CDP: &hardware.CDPDesc{LUT: lut, OutPrecision: 1}}, "precision conversion", true},
		{full, hardware.Operation{Kind: hardware.CDP, Src: fly(1, 1, 1), CDP: &hardware.CDPDesc{LUT: lut}}, "source memory", true},
		{full, hardware.Operation{Kind: hardware.CDP, Dst: fly(1, 1, 1), CDP: &hardware.CDPDesc{LUT: lut}}, "destination memory", true},
		{full, hardware.Operation{Kind: hardware.CPUPower, Power: &hardware.PowerDesc{Precision: hardware.FP16}}, "CPU task in fp16", false},
		{full, hardware.Operation{Kind: hardware.CPUSoftmax, Softmax: &hardware.SoftmaxDesc{Precision: hardware.FP16}}, "CPU task in fp16", false},
	} {
		err := Check(&hardware.Program{Target: c.target, Operations: []hardware.Operation{c.op}})
		var r *RefusedError
		if !errors.As(err, &r) || !strings.Contains(err.Error(), c.want) || r.Driver != c.driver {
			t.Errorf("%s on %s: %v, want %q, driver %v", c.op.Kind, c.target.Name, err, c.want, c.driver)
		}
	}
	for k := range hardware.Kind(9) {
		if err := Check(&hardware.Program{Operations: []hardware.Operation{{Kind: k}}}); err == nil {
			t.Errorf("%s without descriptor passes", k)
		}
	}
}

func TestDamagedPrograms(t *testing.T) {
	f := hardware.Full
	good := func() *hardware.Program {
		return convProgram(f, feature(f, hardware.Int8, 0, 1, 3, 3), 1, 2, 2, featureConv(), []int8{1, 1, 1, 1})
	}
	pool := func(src, dst hardware.Cube) func(*hardware.Program) {
		return func(p *hardware.Program) {
			d := &hardware.PDPDesc{Width: 1, Height: 1, StrideX: 1, StrideY: 1}
			p.Operations = []hardware.Operation{{Kind: hardware.PDP, Src: src, Dst: dst, PDP: d}}
		}
	}
	one, far := feature(f, hardware.Int8, 0, 1, 1, 1), feature(f, hardware.Int8, 9, 1, 1, 1)
	late := one
	late.Offset = 1 << 22
	for name, damage := range map[string]func(*hardware.Program){
		"no such region":       pool(far, one),
		"outside of region":    pool(one, late),
		"empty":                pool(hardware.Cube{}, one),
		"channels differ":      pool(feature(f, hardware.Int8, 0, 2, 1, 1), one),
		"nobody reads":         func(p *hardware.Program) { p.Operations = p.Operations[:1] },
		"no parent":            func(p *hardware.Program) { p.Operations = p.Operations[1:] },
		"shapes differ":        func(p *hardware.Program) { p.Operations[0].Dst.W = 7 },
		"weights outside":      func(p *hardware.Program) { p.Operations[0].Weights.Offset = 1 << 20 },
		"weights are computed": func(p *hardware.Program) { p.Operations[0].Weights.Region = 1 },
		"empty kernel":         func(p *hardware.Program) { p.Operations[0].Conv.KernelC = 0 },
		"huge kernel":          func(p *hardware.Program) { p.Operations[0].Conv.KernelC, p.Operations[0].Conv.KernelH = 65535, 65535 },
		"odd picture kernel": func(p *hardware.Program) {
			p.Operations[0].Conv.DataFormat = hardware.FormatA8B8G8R8
		},
		"empty picture": func(p *hardware.Program) {
			c := p.Operations[0].Conv
			c.DataFormat, c.KernelW, p.Operations[0].Src.W = hardware.FormatR8, 1, 0
		},
		"operands outside": func(p *hardware.Program) {
			p.Operations[1].SDP.X1 = hardware.SDPStage{Enable: true, Type: hardware.SDPAdd, Mode: hardware.PerChannel}
			p.Operations[1].X1.Region = -1
		},
		"copies nothing": func(p *hardware.Program) {
			p.Operations = []hardware.Operation{{Kind: hardware.BDMA, BDMA: &hardware.BDMADesc{Transfers: make([]hardware.BDMATransfer, 1)}}}
		},
		"rubik without stride": func(p *hardware.Program) {
			p.Operations = []hardware.Operation{{Kind: hardware.Rubik, Src: one, Dst: one, Rubik: &hardware.RubikDesc{}}}
		},
		"rubik of unknown mode": func(p *hardware.Program) {
			p.Operations = []hardware.Operation{{Kind: hardware.Rubik, Src: one, Dst: one, Rubik: &hardware.RubikDesc{Mode: 3}}}
		},
		"softmax outside": func(p *hardware.Program) {
			p.Operations = []hardware.Operation{{Kind: hardware.CPUSoftmax, Src: one, Dst: late, Softmax: &hardware.SoftmaxDesc{}}}
		},
	} {
		p := good()
		damage(p)
		if m, err := New(p); err == nil {
			t.Errorf("%s: accepted, %v", name, m)
		}
	}
	m, err := New(good())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(make([]int8, 8)); err == nil {
		t.Error("short input accepted")
	}
}

// A cube may reach a little beyond its memory: it runs, with a warning.
func TestBeyondMemory(t *testing.T) {
	f := hardware.Full
	in, out := feature(f, hardware.Int8, 0, 1, 1, 1), feature(f, hardware.Int8, 1, 1, 1, 1)
	behind := out
	behind.Offset = 4096
	d := &hardware.PDPDesc{Mode: hardware.PoolMax, Width: 1, Height: 1, StrideX: 1, StrideY: 1}
	p := program(f, in, out, nil,
		hardware.Operation{Kind: hardware.PDP, FusedParent: -1, Src: in, Dst: out, PDP: d},
		hardware.Operation{Kind: hardware.PDP, FusedParent: -1, Src: out, Dst: behind, PDP: d})
	check(t, run(t, p, []int8{7}), []int8{7})
	m, err := New(p)
	if err != nil || len(m.Warnings()) != 1 || !strings.Contains(m.Warnings()[0].Error(), "32 bytes beyond") {
		t.Errorf("%v, %v", err, m.Warnings())
	}
}

package hardware

import (
	"math"
	"slices"
	"testing"
	"testing/quick"
)

func TestRoundHalfAway(t *testing.T) {
	for _, c := range []struct {
		v     int64
		shift uint
		want  int64
	}{
		{5, 0, 5}, {5, 1, 3}, {-5, 1, -3}, {4, 1, 2}, {6, 2, 2}, {-6, 2, -2}, {-7, 3, -1}, {3, 3, 0}, {4, 3, 1}, {-4, 3, -1},
		{1 << 62, 63, 1}, {1<<62 - 1, 63, 0}, {-1 << 62, 63, -1}, {1 << 62, 64, 0}, {math.MinInt64, 64, -1}, {math.MaxInt64, 200, 0},
	} {
		if got := RoundHalfAway(c.v, c.shift); got != c.want {
			t.Errorf("%d >> %d: %d, want %d", c.v, c.shift, got, c.want)
		}
	}
	// Against the definition in floating point, where that is exact.
	same := func(v int32, s uint8) bool {
		n := uint(s % 40)
		return float64(RoundHalfAway(int64(v), n)) == math.Round(float64(v)/math.Ldexp(1, int(n)))
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestSaturate(t *testing.T) {
	for _, c := range []struct {
		v    int64
		bits uint
		want int64
	}{
		{127, 8, 127}, {128, 8, 127}, {-128, 8, -128}, {-129, 8, -128}, {1 << 40, 32, math.MaxInt32}, {-1 << 40, 32, math.MinInt32}, {70000, 17, 65535},
	} {
		if got := Saturate(c.v, c.bits); got != c.want {
			t.Errorf("%d to %d bits: %d, want %d", c.v, c.bits, got, c.want)
		}
	}
	if CACCOutput(-7, 1) != -4 || CACCOutput(1<<40, 3) != math.MaxInt32 {
		t.Error("accumulator output")
	}
	if shiftLeft32(3, 40) != math.MaxInt32 || shiftLeft32(-1, 63) != math.MinInt32 || shiftLeft32(0, 50) != 0 || shiftLeft32(-3, 4) != -48 {
		t.Error("left shift does not saturate")
	}
	if shiftSigned(3, -2) != 12 || shiftSigned(-3, 1) != -2 {
		t.Error("signed shift")
	}
}

func TestNames(t *testing.T) {
	var got []string
	for k := range Kind(9) {
		got = append(got, k.String())
	}
	want := []string{"bdma", "conv", "sdp", "pdp", "cdp", "rubik", "power", "softmax", "unknown engine"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if Int8.String() != "int8" || Int16.String() != "int16" || FP16.String() != "fp16" || Precision(3).String() != "unknown precision" {
		t.Error("names of precisions")
	}
	if small, ok := TargetNamed("nv_small"); !ok || small.Atom != 8 {
		t.Error("nv_small is not found")
	}
	if _, ok := TargetNamed("opendla-small"); ok {
		t.Error("a target of that name does not exist")
	}
}

func TestSDP(t *testing.T) {
	x := SDPStage{Enable: true, Type: SDPBoth, ALU: ALUSum, Shift: 1, Truncate: 2}
	// (10 + 3*2) * 5 / 4 = 20; (-10 + 6) * 5 / 4 = -5
	if x.X(10, 3, 5) != 20 || x.X(-10, 3, 5) != -5 {
		t.Error("X: add, multiply, truncate")
	}
	x.Act = ActPReLU
	if x.X(10, 3, 5) != 16 || x.X(-10, 3, 5) != -5 {
		t.Error("X: PReLU passes what is not negative")
	}
	if got := (&SDPStage{Type: SDPMul}).X(math.MaxInt32, 0, 2); got != math.MaxInt32 {
		t.Errorf("X saturates: %d", got)
	}
	y := SDPStage{Enable: true, Type: SDPBoth, ALU: ALUMin, Truncate: 1}
	if y.Y(7, 100, 3, nil) != 11 || y.Y(7, 5, 3, nil) != 5 {
		t.Error("Y: multiply, truncate, then ALU")
	}
	y.Act = ActPReLU
	if y.Y(7, 100, 3, nil) != 7 {
		t.Error("Y: PReLU")
	}
	c := Converter{Enable: true, Scale: 3, Truncate: 1, Offset: 1}
	if c.Operand(2) != 2 || (Converter{}).Operand(9) != 9 {
		t.Error("operand converter")
	}
	// 100000 saturates at 17 bits first, which 16 bits then cut again.
	wide := Converter{Scale: 1}
	if wide.Output(100000, Int16) != 32767 || wide.Output(-200, Int8) != -128 || c.Output(2, Int8) != 2 {
		t.Error("output converter")
	}
}

// line is a pair of tables: LE counts 0..64 over steps of 4 from 0, LO counts
// 0..2560 by tens over steps of 1 from 100.
func line() *LUT {
	l := &LUT{Method: 1, LEOffset: 2, LEEnd: 256, LOStart: 100, LOEnd: 356}
	for i := range l.LE {
		l.LE[i] = int16(i)
	}
	for i := range l.LO {
		l.LO[i] = int16(10 * i)
	}
	l.LEUnderflow, l.LEOverflow = Slope{Scale: 2}, Slope{Scale: 3, Shift: 1}
	l.LOUnderflow, l.LOOverflow = Slope{Scale: 5, Shift: -1}, Slope{Scale: 7}
	return l
}

func TestLookUpLinear(t *testing.T) {
	for _, c := range []struct {
		q    int64
		f    func(*LUT)
		want int64
	}{
		{40, nil, 10},  // in LE only, on an entry
		{41, nil, 10},  // a quarter further
		{42, nil, 11},  // halfway: away from zero
		{104, nil, 26}, // in both: hybrid priority says LE
		{104, func(l *LUT) { l.HybridPriority = 1 }, 40}, // ... or LO
		{300, nil, 2000}, // in LO only
		{-3, nil, -6},    // below both: LE
		{-3, func(l *LUT) { l.UnderflowPriority = 1 }, -1030}, // ... or LO, 103 below, times 5*2
		{400, nil, 64 + 216}, // above both: LE, 144 above, 3/2
		{400, func(l *LUT) { l.OverflowPriority = 1 }, 2560 + 308}, // ... or LO, 44 above, times 7
		{1 << 40, nil, math.MaxInt16},
	} {
		l := line()
		if c.f != nil {
			c.f(l)
		}
		for _, bits := range []uint{16, 35} {
			if got := l.Lookup(c.q, bits, 16); got != c.want {
				t.Errorf("%d with %d bits: %d, want %d", c.q, bits, got, c.want)
			}
		}
	}
	l := line()
	l.LEOffset, l.LEEnd = -1, 32 // two entries a step
	if got := l.Lookup(5, 16, 16); got != 10 {
		t.Errorf("negative index bits: %d", got)
	}
	l.LEOffset, l.LEEnd, l.LE[1] = 20, 64<<20, 100 // more index bits than fraction bits
	if got := l.Lookup(1<<19, 16, 16); got != 50 {
		t.Errorf("20 index bits: %d", got)
	}
}

func TestLookUpExponential(t *testing.T) {
	l := &LUT{LEOffset: 2, LEEnd: 1000, LOStart: 1 << 40, LOEnd: 1 << 41}
	for i := range l.LE {
		l.LE[i] = int16(100 * i)
	}
	l.LEUnderflow = Slope{Scale: 10}
	for _, c := range []struct{ q, want int64 }{
		{4, 0}, {6, 50}, {8, 100}, {20, 225}, // 2^2 is entry 0; between entries in proportion
		{1, -30}, {0, -40}, // below: distance from 2^2, times 10
	} {
		if got := l.Lookup(c.q, 16, 16); got != c.want {
			t.Errorf("%d: %d, want %d", c.q, got, c.want)
		}
	}
	l.LEOffset, l.LOStart = -60, 1<<50
	if got := l.Lookup(1<<10, 16, 16); got != 6400 {
		t.Errorf("overflow: %d", got)
	}
}

func TestPoolMean(t *testing.T) {
	for _, c := range []struct {
		sum        int64
		w, h, want int32
	}{{1, 2, 2, 1}, {-1, 2, 2, -1}, {4, 3, 3, 0}, {5, 3, 3, 1}, {127 * 64, 8, 8, 127}, {-128 * 49, 7, 7, -128}} {
		if got := PoolMean(c.sum, int(c.w), int(c.h)); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	// Odd windows are exact for every sum that int8 can give.
	for _, n := range []int{1, 3, 5, 7} {
		for sum := -128 * n * n; sum <= 127*n*n; sum++ {
			want := math.Round(float64(sum) / float64(n*n))
			if got := PoolMean(int64(sum), n, n); float64(got) != want {
				t.Fatalf("%d over %d x %d: %d, want %v", sum, n, n, got, want)
			}
		}
	}
}

func TestLayouts(t *testing.T) {
	q := Cube{LineStride: 256, SurfStride: 2048}
	if got := q.FeatureOffset(Full, Int16, 17, 1, 1); got != 2048+256+32+2 {
		t.Errorf("int16 feature: %d", got)
	}
	if got := q.PixelOffset(FormatA8B8G8R8, 2, 1, 3); got != 256+12+2 {
		t.Errorf("picture: %d", got)
	}
	if !IsFeature(FormatFeature) || !IsFeature(FormatFeatureX8) || IsFeature(FormatR8) || PixelBytes(FormatFeature) != 0 || PixelBytes(FormatR8) != 1 {
		t.Error("data formats")
	}
	// Every layout is a permutation of the weights.
	for _, tg := range Targets {
		for _, s := range []KernelShape{{K: 10, C: 9, R: 2, S: 3}, {K: 33, C: 70, R: 1, S: 2}} {
			seen := make([]bool, s.K*s.C*s.R*s.S)
			for i := range seen {
				k, c, r, x := i/(s.C*s.R*s.S), i/(s.R*s.S)%s.C, i/s.S%s.R, i%s.S
				seen[s.WeightIndex(tg, Int8, k, c, r, x)] = true
			}
			if slices.Contains(seen, false) {
				t.Errorf("%s %+v: weights overlap", tg.Name, s)
			}
		}
		s := KernelShape{K: 35, C: 12, R: 5, S: 1}
		seen := make([]bool, s.K*s.C*s.R)
		for i := range seen {
			seen[s.ExtendedIndex(tg, Int8, PostExtensionLines(1), i/(s.C*s.R), i/s.R%s.C, i%s.R)] = true
		}
		if slices.Contains(seen, false) {
			t.Errorf("%s: post-extended weights overlap", tg.Name)
		}
	}
	if PostExtensionLines(0) != 1 || PostExtensionLines(2) != 4 {
		t.Error("lines of post-extension")
	}
}

func TestHalf(t *testing.T) {
	for _, c := range []struct{ v, want float32 }{
		{0, 0}, {1, 1}, {1.0 / 3, 0.333251953125}, {2049, 2050}, {2050.5, 2050}, {-2049, -2050}, // ties away
		{65519, 65504}, {65520, float32(math.Inf(1))}, {1 << 20, float32(math.Inf(1))},
		{5.9604645e-8, 5.9604645e-8}, {2.9802322e-8, 5.9604645e-8}, {2.9e-8, 0}, {float32(math.Inf(-1)), float32(math.Inf(-1))},
	} {
		if got := Half(c.v); got != c.want {
			t.Errorf("%v: %v, want %v", c.v, got, c.want)
		}
	}
}

func TestCPU(t *testing.T) {
	got := make([]int8, 3)
	SoftmaxDesc{InScale: 1, OutScale: 1.0 / 128}.Softmax([]int8{1, 0, 0}, got)
	if !slices.Equal(got, []int8{73, 27, 27}) {
		t.Errorf("softmax: %v", got)
	}
	p := PowerDesc{InScale: 0.5, OutScale: 0.25, Power: 2, Scale: 2, Shift: 1}
	if p.Apply(1) != 16 || p.Apply(-1) != 0 || p.Apply(100) != 127 {
		t.Error("power")
	}
	root := PowerDesc{InScale: 1, OutScale: 1, Power: 0.5, Scale: 1}
	if root.Apply(-1) != 0 || root.Apply(9) != 3 {
		t.Error("power of a negative number is no number, which becomes 0")
	}
	for p, want := range map[uint8]int8{0: 0, 1: 0, 2: 1, 128: 64, 254: 127, 255: 127} {
		if InputPixel(p) != want {
			t.Errorf("pixel %d: %d", p, InputPixel(p))
		}
	}
}

func TestScaleAndShift(t *testing.T) {
	for _, c := range []struct {
		x     float32
		scale int16
		shift int
		fails bool
	}{
		{0, 0, 1, false}, {1, 16384, 14, false}, {1.5, 24576, 14, false}, {0.0078125, 16384, 21, false}, {-0.5, -16384, 15, false},
		{32767.4, 32767, 0, false}, {40000, 0, 0, true}, {1e-16, 0, 0, true}, {float32(math.Inf(1)), 0, 0, true}, {float32(math.NaN()), 0, 0, true},
	} {
		s, sh, err := ScaleAndShift(c.x)
		if (err != nil) != c.fails || !c.fails && (s != c.scale || sh != c.shift) {
			t.Errorf("%v: %d >> %d, %v", c.x, s, sh, err)
		}
	}
	if s, err := ScaleWithShift(0.3, 15); s != 9830 || err != nil {
		t.Errorf("common shift: %d, %v", s, err)
	}
	if _, err := ScaleWithShift(1, 15); err == nil {
		t.Error("32768 does not fit")
	}
}

func TestQuantization(t *testing.T) {
	s := WeightScale(0.2)
	for w, want := range map[float32]int8{0.1: 64, -0.2: -127, 0.05: 32, 1: 127, -1: -128} {
		if got := QuantizeWeight(w, s); got != want {
			t.Errorf("%v: %d, want %d", w, got, want)
		}
	}
	if QuantizeWeight(0.5, 1) != 1 || QuantizeWeight(-0.5, 1) != 0 || QuantizeWeight(0, 0) != -128 {
		t.Error("halves go up, the zero kernel is -128")
	}
	b := QuantizeBias([]float32{40, -12.5, 0.001}, func(int) float64 { return 0.01 * 0.0004 })
	if b.Shift != 9 || !slices.Equal(b.Operand, []int16{19531, -6104, 0}) || !slices.Equal(b.Wide, []int32{10000000, -3125000, 250}) {
		t.Errorf("%+v", b)
	}
	if b := QuantizeBias([]float32{0}, func(int) float64 { return 1 }); b.Shift != 16 {
		t.Errorf("zero bias: %+v", b)
	}
}

func TestNormalizePlain(t *testing.T) {
	l := &LUT{Method: 1, LEStart: 1000, LEEnd: 2000, LOEnd: 256}
	for i := range l.LO {
		l.LO[i] = int16(i)
	}
	d := &CDPDesc{InCvt: Converter{Scale: 2, Offset: 1}, OutCvt: Converter{Scale: 1, Truncate: 1}, LocalSize: 3, LUT: l}
	in, out := []int32{1, 2, 3}, make([]int32, 3)
	d.Normalize(in, out, make([]int32, 3)) // values 0 2 4; sums 4 20 20
	if !slices.Equal(out, []int32{0, 20, 40}) {
		t.Errorf("%v", out)
	}
}

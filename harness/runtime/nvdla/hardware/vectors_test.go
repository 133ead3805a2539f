package hardware

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// vectors reads one list of the shared reference vectors, or skips.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the reference vectors lie beside it in spec/reference")
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "spec", "reference", "vectors.json"))
	if err != nil {
		t.Skipf("no reference vectors: %v", err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var list []T
	if err := json.Unmarshal(all[name], &list); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(list) == 0 {
		t.Fatalf("no vectors named %s", name)
	}
	return list
}

func f32s(v []float64) []float32 {
	r := make([]float32, len(v))
	for i := range v {
		r[i] = float32(v[i])
	}
	return r
}

func TestVectorsScaleAndShift(t *testing.T) {
	type v struct {
		X      float64
		Shift  int
		Result [2]any
	}
	for _, c := range vectors[v](t, "scale_and_shift") {
		s, sh, err := ScaleAndShift(float32(c.X))
		if c.Result[0] == "error" {
			if err == nil {
				t.Errorf("%g: no error", c.X)
			}
		} else if float64(s) != c.Result[0] || float64(sh) != c.Result[1] || err != nil {
			t.Errorf("%g: %d >> %d, %v; want %v", c.X, s, sh, err, c.Result)
		}
	}
	for _, c := range vectors[v](t, "scale_and_shift_common") {
		s, err := ScaleWithShift(float32(c.X), c.Shift)
		if c.Result[0] == "error" {
			if err == nil {
				t.Errorf("%g, %d: no error", c.X, c.Shift)
			}
		} else if float64(s) != c.Result[0] || err != nil {
			t.Errorf("%g, %d: %d, %v; want %v", c.X, c.Shift, s, err, c.Result)
		}
	}
}

func TestVectorsWeights(t *testing.T) {
	type v struct {
		W     []float64
		Scale float64
		Q     []int8
	}
	for _, c := range vectors[v](t, "weight_quant") {
		w, m := f32s(c.W), float32(0)
		for _, x := range w {
			m = max(m, float32(math.Abs(float64(x))))
		}
		s := WeightScale(m)
		if float64(s) != c.Scale {
			t.Errorf("%v: scale %v, want %v", c.W, s, c.Scale)
		}
		for i, x := range w {
			if q := QuantizeWeight(x, s); q != c.Q[i] {
				t.Errorf("%v[%d]: %d, want %d", c.W, i, q, c.Q[i])
			}
		}
	}
}

func TestVectorsBias(t *testing.T) {
	type v struct {
		B       []float64
		SIn     float64 `json:"s_in"`
		SW      float64 `json:"s_w"`
		Int32   []int32
		Shift   int
		Int16   []int16
		Operand []int32 `json:"hw_operand"`
	}
	for _, c := range vectors[v](t, "bias_quant") {
		q := QuantizeBias(f32s(c.B), func(int) float64 { return c.SIn * c.SW })
		if q.Shift != c.Shift {
			t.Errorf("%v: shift %d, want %d", c.B, q.Shift, c.Shift)
		}
		for k := range c.B {
			if q.Wide[k] != c.Int32[k] || q.Operand[k] != c.Int16[k] || int32(q.Operand[k])<<q.Shift != c.Operand[k] {
				t.Errorf("%v[%d]: %d, %d, want %d, %d", c.B, k, q.Wide[k], q.Operand[k], c.Int32[k], c.Int16[k])
			}
		}
	}
}

func TestVectorsIntegers(t *testing.T) {
	type v struct {
		V, Offset, Scale, Shift, Truncate, Acc, Out int64
		ClipTruncate                                uint8 `json:"clip_truncate"`
		Pixel                                       uint8
		Int8                                        int8
		Sum                                         int64 `json:"window_sum"`
		KW, KH                                      int
	}
	check := func(name string, got func(v) int64, want func(v) int64) {
		for _, c := range vectors[v](t, name) {
			if g := got(c); g != want(c) {
				t.Errorf("%s %+v: %d", name, c, g)
			}
		}
	}
	out := func(c v) int64 { return c.Out }
	check("round_half_away", func(c v) int64 { return RoundHalfAway(c.V, uint(c.Shift)) }, out)
	check("cacc_out", func(c v) int64 { return int64(CACCOutput(c.Acc, c.ClipTruncate)) }, out)
	check("pdp_avg", func(c v) int64 { return int64(PoolMean(c.Sum, c.KW, c.KH)) }, out)
	check("input_pixel", func(c v) int64 { return int64(InputPixel(c.Pixel)) }, func(c v) int64 { return int64(c.Int8) })
	check("out_cvt_int8", func(c v) int64 {
		cv := Converter{Enable: true, Offset: int32(c.Offset), Scale: int16(c.Scale), Truncate: uint8(c.Truncate)}
		return int64(cv.Output(int32(c.V), Int8))
	}, out)
}

func TestVectorsSDP(t *testing.T) {
	type v struct {
		V  int32
		Kw struct {
			Alu, Mul     *int32
			Shift, Trunc uint8
			Relu, Prelu  bool
		}
		Out int32
	}
	for _, c := range vectors[v](t, "sdp_x") {
		s := SDPStage{Enable: true, ALU: ALUSum, Shift: c.Kw.Shift, Truncate: c.Kw.Trunc}
		var alu, mul int32
		if c.Kw.Alu != nil {
			alu, s.Type = *c.Kw.Alu, SDPAdd
		}
		if c.Kw.Mul != nil {
			mul = *c.Kw.Mul
			s.Type = map[uint8]uint8{SDPNone: SDPMul, SDPAdd: SDPBoth}[s.Type]
		}
		if c.Kw.Relu {
			s.Act = ActReLU
		}
		if c.Kw.Prelu {
			s.Act = ActPReLU
		}
		if got := s.X(c.V, alu, mul); got != c.Out {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestVectorsEndToEnd(t *testing.T) {
	type conv struct {
		X       []int64
		W       []float64
		Bias    float64
		SIn     float64 `json:"s_in"`
		SOut    float64 `json:"s_out"`
		BiasInt int16   `json:"bias_int16"`
		Acc     int64
		Cvt     [2]int `json:"out_cvt"`
		Out     int32
	}
	for _, c := range vectors[conv](t, "conv_bias_relu_end_to_end") {
		sw := WeightScale(0.2)
		var acc int64
		for i, w := range c.W {
			acc += c.X[i] * int64(QuantizeWeight(float32(w), sw))
		}
		bias := QuantizeBias([]float32{float32(c.Bias)}, func(int) float64 { return c.SIn * float64(sw) })
		scale, shift, err := ScaleAndShift(float32(float32(c.SIn)/float32(c.SOut)) * sw)
		x := SDPStage{Enable: true, Type: SDPAdd, ALU: ALUSum, Act: ActReLU, Shift: uint8(bias.Shift)}
		y := Converter{Scale: scale, Truncate: uint8(shift)}.Output(x.X(CACCOutput(acc, 0), int32(bias.Operand[0]), 0), Int8)
		if acc != c.Acc || bias.Operand[0] != c.BiasInt || int(scale) != c.Cvt[0] || shift != c.Cvt[1] || y != c.Out || err != nil {
			t.Errorf("%+v: acc %d bias %d cvt %d>>%d out %d", c, acc, bias.Operand[0], scale, shift, y)
		}
	}
	type sum struct {
		A, B     int32
		Operands float64 `json:"s_operands"`
		SOut     float64 `json:"s_out"`
		Out      int32
	}
	for _, c := range vectors[sum](t, "eltwise_sum_relu") {
		scale, shift, _ := ScaleAndShift(float32(c.Operands) / float32(c.SOut))
		x := SDPStage{Enable: true, Type: SDPAdd, ALU: ALUSum, Act: ActReLU}
		if y := (Converter{Scale: scale, Truncate: uint8(shift)}).Output(x.X(c.A, c.B, 0), Int8); y != c.Out {
			t.Errorf("%+v: %d", c, y)
		}
	}
}

func TestVectorsSoftmax(t *testing.T) {
	type v struct {
		X, Out []int8
		SIn    float64 `json:"s_in"`
		SOut   float64 `json:"s_out"`
	}
	for _, c := range vectors[v](t, "emu_softmax*") {
		got := make([]int8, len(c.X))
		SoftmaxDesc{InScale: float32(c.SIn), OutScale: float32(c.SOut)}.Softmax(c.X, got)
		for i := range got {
			if got[i] != c.Out[i] {
				t.Errorf("%v: %v, want %v", c.X, got, c.Out)
				break
			}
		}
	}
}

func TestVectorsAddresses(t *testing.T) {
	type v struct {
		C, Y, X, Atom, Bpe, Offset int
		LS                         int `json:"line_stride"`
		SS                         int `json:"surf_stride"`
	}
	for _, c := range vectors[v](t, "feature_address") {
		cube := Cube{LineStride: c.LS, SurfStride: c.SS}
		if got := cube.FeatureOffset(Target{Atom: c.Atom}, Precision(c.Bpe-1), c.C, c.Y, c.X); got != c.Offset {
			t.Errorf("%+v: %d", c, got)
		}
	}
	for _, m := range vectors[map[string]int](t, "weight_offset_int8") {
		sh := KernelShape{K: m["K"], C: m["C"], R: m["R"], S: m["S"]}
		tg := Target{AtomicC: m["atomC"], AtomicK: m["atomK"]}
		if got := sh.WeightIndex(tg, Int8, m["k"], m["c"], m["r"], m["s"]); got != m["offset"] {
			t.Errorf("%v: %d", m, got)
		}
	}
}

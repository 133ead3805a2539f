package table

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"quantbench/models"
)

// Small files in the forms that the tools write.
const (
	ncnnText = "conv1_param_0 156.6 98.25 0.0\nip_param_0 44.1\nconv1 49.803921568627452\nip 12.5\n# made by a tool\n"
	ortJSON  = `{"data": [0.0, 1.0],
 "c": [-6.35, 2.5], "bad": "x"}`
	ortClass = `{"CLS": "TensorsData", "data": {
  "data": {"CLS": "TensorData", "lowest": {"data": -3.0, "dtype": "float32", "CLS": "numpy.array"}, "highest": {"data": [12.7], "dtype": "float32", "CLS": "numpy.array"}},
  "c": {"CLS": "TensorData", "avg": 1}},
 "method": {"CLS": "CalibrationMethod", "value": "CalibrationMethod.MinMax"}}`
	ortText = "data 127.0\nc 0.127\nnot a row\n"
	qdqJSON = `{"data": {"scale": 0.5, "zero_point": 0}, "c": {"scale": 0.25, "zero_point": 3}, "p": 2, "w": [1, 2], "q": {"zero_point": 1}}`
	aimet06 = `{"version": "0.6.1", "activation_encodings": {
  "data": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "True", "max": 63.5, "min": -64.0, "offset": -128, "scale": 0.5}],
  "c": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "False", "max": 25.4, "min": 0.0, "offset": 0, "scale": 0.0996}],
  "relu": {"output": {"0": {"bitwidth": 16, "is_symmetric": "True", "min": -12.7, "max": 12.7, "scale": 0.0003}}},
  "f": [{"bitwidth": 16, "dtype": "float"}]},
 "param_encodings": {"c.weight": [{"bitwidth": 8}]}}`
	aimet10 = `{"version": "1.0.0", "activation_encodings": [
  {"name": "data", "bw": 8, "dtype": "INT", "enc_type": "PER_TENSOR", "is_sym": true, "scale": [0.5], "offset": [-128]},
  {"name": "c", "bw": 8, "is_sym": false, "scale": [0.1], "offset": [0]}, 3], "param_encodings": []}`
	ppqJSON = `{"configs": {"Conv_0": {
   "data": {"bit_width": 8, "state": "ACTIVATED", "quant_min": -128, "quant_max": 127, "hash": 11, "dominator": 11},
   "w": {"bit_width": 8, "hash": 12, "dominator": 12}},
  "Relu_1": {"data": {"hash": 13, "dominator": 11}, "c": {"hash": 14, "dominator": 15}, "lost": {"hash": 99}, "odd": 3}},
 "dispatchings": {"Conv_0": "INT8"},
 "values": {"11": {"scale": 0.5, "zero_point": 0}, "12": {"scale": [0.1, 0.2], "zero_point": [0, 0]}, "15": {"scale": 0.25, "zero_point": 0}}}`
)

func TestReadFormats(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		format   Format
		rows     string
		warnings int
	}{
		"ncnn":           {ncnnText, NCNN, "conv1=0.020078741 ip=0.08", 1},
		"ort":            {ortJSON, ONNXRuntime, "data=0.007874016 c=0.05", 1},
		"ort classes":    {ortClass, ONNXRuntime, "data=0.1", 1},
		"ort text":       {ortText, ONNXRuntime, "data=1 c=0.001", 1},
		"qdq":            {qdqJSON, QDQ, "data=0.5 c=0.25 p=2", 3},
		"qdq plain":      {`{"a": 1.5}`, QDQ, "a=1.5", 0},
		"aimet 0.6.1":    {aimet06, AIMET, "data=0.5 c=0.2 relu=0.1", 4},
		"aimet 1.0.0":    {aimet10, AIMET, "data=0.5 c=0.2007874", 2},
		"ppq":            {ppqJSON, PPQ, "data=0.5 c=0.25", 3},
		"tensorrt":       {"TRT-8600-EntropyCalibration2\r\ndata: 3f800000\r\n", TensorRT, "data=1", 0},
		"tensorrt blank": {"\ufeff\nx y: 3f800000\n", TensorRT, "x y=1", 1},
		"nvdla":          {`{"a": {"scale": 0.5, "min": 0, "max": 0, "offset": 0}}`, NVDLA, "a=0.5", 0},
		"nvdla ranges":   {`{"a": {"min": -127, "max": 3}}`, NVDLA, "a=1", 0},
	} {
		tab, err := Read("f", []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var rows []string
		for _, r := range tab.Rows {
			rows = append(rows, r.Name+"="+formatScale(r.Scale))
		}
		if got := strings.Join(rows, " "); got != c.rows || tab.Format != c.format || len(tab.Warnings) != c.warnings {
			t.Errorf("%s: %s %q, %d warnings %v; want %s %q, %d", name, tab.Format, got, len(tab.Warnings), tab.Warnings, c.format, c.rows, c.warnings)
		}
	}
}

func formatScale(s float32) string { return strconv.FormatFloat(float64(s), 'g', -1, 32) }

func TestFormatErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "f:1: "},
		{"what is this", "f:1: "},
		{"conv_param_0 1 2\n", "without any tensor's scale"},
		{`{"configs": {"a": {}}, "values": {}}`, "without any"},
		{`{"configs": {"a": 3}, "values": {}}`, "f:1: not PPQ"},
		{"{\"configs\": {},\n\"values\": 4}", "f:2: not PPQ"},
		{"{\"activation_encodings\":\n 3}", "f:2: not AIMET"},
		{`{"a": {"scale": 1, "zero_point": 0}} x`, "follows"},
		{`{"CLS": "TensorsData", "data": 3}`, "not ONNX"},
		{`{"a": true}`, "f:1: "},
	} {
		if _, err := Read("f", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	tab := &Table{File: "f", Rows: []Row{{Name: "a", Scale: float32(math.Inf(1))}}}
	for _, f := range []Format{NVDLA, ONNXRuntime, QDQ, AIMET, PPQ, "none"} {
		if _, err := Write(tab, f); err == nil {
			t.Errorf("%s: infinity written", f)
		}
	}
	for _, f := range []Format{NVDLA, QDQ} {
		if _, err := Write(&Table{Rows: []Row{{Name: "\xd5", Scale: 1}}}, f); err == nil {
			t.Error("a name that is not UTF-8 was written")
		}
	}
	for _, bad := range []*Table{tab, {OfInputs: true, Rows: []Row{{Name: "a b", Scale: 1}}}, {OfInputs: true, Rows: []Row{{Name: "a", Scale: float32(math.NaN())}}}} {
		if _, err := WriteNCNN(bad); err == nil {
			t.Error("ncnn: written", bad.Rows)
		}
	}
}

// Any scale survives every format bit for bit.
func TestFormatsKeepBits(t *testing.T) {
	var rows []Row
	for i, bits := range []uint32{0x3c008912, 1, 0x00800000, 0x7f7fffff, 0x3f800001, 0x3eaaaaab, 0x4000890a, 0x3acc1705} {
		rows = append(rows, Row{Name: string(rune('a' + i)), Scale: math.Float32frombits(bits)})
	}
	for _, f := range Formats {
		in := &Table{File: "f", Rows: rows, OfInputs: f == NCNN}
		if f == NCNN {
			in.Weights = []WeightRow{{Layer: "a", Factors: []float64{1.5, 0}}}
		}
		b, err := Write(in, f)
		if err != nil {
			t.Fatal(f, err)
		}
		out, err := Read("f", b)
		if err != nil || out.Format != f {
			t.Fatalf("%s: %v %v\n%s", f, err, out, b)
		}
		sameRows(t, rows, out.Rows)
	}
	if Rounding(NCNN) == "" || Rounding(TensorRT) != "" {
		t.Error("what ncnn rounds is not stated")
	}
}

func TestNCNNToTensors(t *testing.T) {
	n := network(t, toy)
	tab, err := Read("toy.table", []byte("c_param_0 1 2\nc 127\nip 12.7\nghost 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Rekey(n, tab, NVDLA, false); err == nil || !strings.Contains(err.Error(), "--partial") {
		t.Error(err)
	}
	out, warnings, err := Rekey(n, tab, NVDLA, true)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range out.Rows {
		names = append(names, r.Name+"="+formatScale(r.Scale))
	}
	// ip reads pooling's output, so pooling and what it copies have its scale; the
	// rest is not told.
	if got := strings.Join(names, " "); got != "data=0.007874016 r=0.07874016 p=0.07874016" && got != "data=0.007874016 p=0.07874016" {
		t.Error(got)
	}
	if len(warnings) < 4 || !strings.Contains(warnings[0].Error(), "toy.table:4: ") {
		t.Error(warnings)
	}
	if _, _, err := Rekey(nil, tab, NVDLA, true); err == nil {
		t.Error("inputs became tensors without a network")
	}
}

func TestRekey(t *testing.T) {
	n := network(t, toy)
	trt := cache(t, toyCache)
	named, _, err := Rekey(n, trt, NVDLA, false)
	if err != nil {
		t.Fatal(err)
	}
	named.Format = NVDLA
	back, _, err := Rekey(n, named, TensorRT, false)
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, trt.Rows, back.Rows)
	n.Layer("c").Weights = []models.Blob{{Shape: []int{2, 2, 1, 1}, Data: []float32{1, -2, 0, 0}}}
	nc, _, err := Rekey(n, trt, NCNN, false)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Write(nc, NCNN)
	if err != nil || !strings.HasPrefix(string(b), "c_param_0 63.5 0\nc 1\nip 0.999999") {
		t.Errorf("%v\n%s", err, b)
	}
	if _, _, err := Rekey(n, named, QDQ, false); err != nil {
		t.Error(err)
	}
	if same, _, err := Rekey(nil, trt, QDQ, false); err != nil || same != trt {
		t.Error(err)
	}
	if _, _, err := Rekey(n, &Table{Rows: []Row{{Name: "x", Scale: 1}}}, QDQ, false); err == nil {
		t.Error("another network's table was taken")
	}
}

func TestByPosition(t *testing.T) {
	plain := network(t, strings.Replace(toy, `layer { name: "drop" type: "Dropout" bottom: "c" top: "c" }`+"\n", "", 1))
	f, err := ByPosition(plain, cache(t, toyCache))
	if err != nil || len(f.Warnings) != 0 {
		t.Fatal(err, f)
	}
	want, err := Fix(plain, cache(t, toyCache))
	if err != nil {
		t.Fatal(err)
	}
	same(t, plain, f.Scales(), want.Scales())

	// A Dropout has no row: one more row makes the counts fit, and all is shifted.
	shifted, err := ByPosition(network(t, toy), cache(t, toyCache+"ghost: 3f800000\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, w := range shifted.Warnings {
		text += w.Error() + "\n"
	}
	for _, w := range []string{`layer ip (InnerProduct) takes row "prob" by position; its tensor is row "ip" in line 8`, `layer prob (Softmax) takes row "ghost"`} {
		if !strings.Contains(text, w) {
			t.Errorf("no warning %q in\n%s", w, text)
		}
	}
	if _, err := ByPosition(network(t, toy), cache(t, toyCache)); err == nil || !strings.Contains(err.Error(), `layer "prob"`) {
		t.Error(err)
	}
	header := network(t, `input: "x" input_dim: 1 input_dim: 4 input_dim: 8 input_dim: 8
layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: 4 kernel_size: 1 } }`)
	h, err := ByPosition(header, cache(t, "TRT-1-X\nx: 3f800000\na: 40000000\n"))
	if err != nil || len(h.Warnings) != 3 || h.Assignments[0].Rule != "none" || len(h.JSON().Rows) != 1 {
		t.Error(err, h)
	}
	long, err := ByPosition(header, cache(t, "TRT-1-X\nq: 3f800000\nr: 40000000\n"))
	if err != nil || !strings.Contains(long.Warnings[2].Error(), "no row is its tensor") {
		t.Error(err, long)
	}
}

func TestMatch(t *testing.T) {
	n := network(t, toy)
	text := strings.Replace(toyCache, "[Convolution]", "[Pooling]", 1)
	text = strings.Replace(text, "ip: 3f800005", "ip: 0\nip: 3f800000", 1)
	text = strings.Replace(text, "p: 3f800004\n", "", 1) + "ghost: 3f800000\n"
	m := Match(n, cache(t, text), false)
	if len(m.Missing) != 1 || m.Missing[0].Want != "p" || len(m.Extra) != 2 || len(m.Mistyped) != 1 || m.Mistyped[0].Is != "Convolution" {
		t.Errorf("%+v", m)
	}
	if m.Scales[n.Layer("ip").Index] != 0 || m.Scales[n.Layer("drop").Index] != m.Scales[n.Layer("r").Index] || m.Rows[n.Layer("p").Index] != nil {
		t.Error(m.Scales)
	}
	if m := Match(n, cache(t, toyCache), true); len(m.Missing) != 3 || m.Missing[0].Want != "bn" || !IsUnnamed(m.Extra[0].Name) {
		t.Errorf("%+v", m.Missing)
	}
}

func TestDiff(t *testing.T) {
	a := cache(t, "TRT-1-X\na: 3f800000\nb: 3f800000\nb: 40000000\nonly a: 3f800000\n")
	b := cache(t, "TRT-1-X\nb: 3f800001\na: 3f800000\nonly b: 3f800000\n")
	d, equal := Diff(a, b)
	if equal != 1 || len(d) != 3 || d[0].Name != "b" || d[0].B.Bits() != 0x3f800001 || d[1].B != nil || d[2].A != nil {
		t.Errorf("%d equal, %+v", equal, d)
	}
}

// fuzz reads anything, and writes what it read without change of a bit.
func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Detect(b)
		tab, err := codecs[format].read("f", b)
		if err != nil {
			return
		}
		out, err := Write(tab, format)
		if err != nil {
			return // a name or scale that the format cannot hold
		}
		again, err := codecs[format].read("f", out)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if format == PPQ || format == NCNN { // a repeated variable is one; 1/NaN, 1/0
			return
		}
		sameRows(t, tab.Rows, again.Rows)
	})
}

func FuzzNCNN(f *testing.F)        { fuzz(f, NCNN, ncnnText, "a 0\nb inf\nc nan\n") }
func FuzzONNXRuntime(f *testing.F) { fuzz(f, ONNXRuntime, ortJSON, ortClass, ortText, "\xd50\xf2 0\n") }
func FuzzQDQ(f *testing.F)         { fuzz(f, QDQ, qdqJSON, `{"a": 1e-300}`) }
func FuzzAIMET(f *testing.F)       { fuzz(f, AIMET, aimet06, aimet10) }
func FuzzPPQ(f *testing.F)         { fuzz(f, PPQ, ppqJSON) }

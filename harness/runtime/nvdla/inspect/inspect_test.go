package inspect

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/harness/table"
	"quantbench/models"
	"quantbench/models/caffe"
)

// poolFile is the loadable of the loadable package's tests.
func poolFile(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../loadable/testdata/pool.nvdla")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpen(t *testing.T) {
	data := poolFile(t)
	l, err := Open("pool.nvdla", data, "")
	if err != nil || l.Told || l.Program.Target != hardware.Full || len(l.Warnings) != 0 {
		t.Fatalf("%+v, %v", l, err)
	}
	if l, err = Open("pool.nvdla", data, "nv_large"); err != nil || !l.Told || l.Program.Target != hardware.Large || len(l.Warnings) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
	for want, c := range map[string]struct {
		data   []byte
		target string
	}{
		"unknown target \"nv_tiny\"; choose one of nv_small, nv_large, nv_full": {data, "nv_tiny"},
		"made for memory atoms of 32 bytes (nv_full), but nv_small has":         {data, "nv_small"},
		"not a loadable": {data[:100], ""},
	} {
		if _, err := Open("pool.nvdla", c.data, c.target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	l.Told = true
	l.Program.Target = hardware.Full
	if err := l.retarget("nv_large"); err != nil || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0].Error(), "looks made for nv_full") {
		t.Errorf("%v, %v", l.Warnings, err)
	}
}

func TestImage(t *testing.T) {
	l, err := Open("pool.nvdla", poolFile(t), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := simulate.New(l.Program)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run([]int8{0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	b, err := l.Image(m)
	// e/(e+1) is 0.731: 93 of 128; the rest is 34.
	if err != nil || len(b) != 38 || string(b[:4]) != "DIMG" || b[36] != 93 || b[37] != 34 {
		t.Errorf("% x, %v", b, err)
	}
	l.File.Tensors[1].DataType = 2
	if _, err := l.Image(m); err == nil || !strings.Contains(err.Error(), "data type 2") {
		t.Error(err)
	}
	l.File.Tensors = nil
	if _, err := l.Image(m); err == nil || !strings.Contains(err.Error(), "no tensor is called") {
		t.Error(err)
	}
	l.Program.Output.Cube.Region = -1
	if _, err := l.Image(m); err == nil || !strings.Contains(err.Error(), "no output") {
		t.Error(err)
	}
}

const small = `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "prob" type: "Softmax" bottom: "pool" top: "prob" }`

func parse(t *testing.T, text string) *models.Network {
	t.Helper()
	net, err := caffe.ParseNetwork("net.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func scales(t *testing.T, text string) *table.Table {
	t.Helper()
	s, err := table.ReadJSON("t.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The input goes by its blob's name, everything else by the layer's.
func TestScales(t *testing.T) {
	got, warnings := Scales(parse(t, small), scales(t, `{"data": {"scale": 1}, "in": {"scale": 5}, "pool": {"scale": 2}, "prob": {"scale": 3}}`))
	if !slices.Equal(got, []float32{1, 2, 3}) || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), `t.json:1: entry "in" belongs to no layer of net.prototxt`) {
		t.Errorf("%v, %v", got, warnings)
	}
}

func TestCompile(t *testing.T) {
	p, warnings, err := Compile(parse(t, small), scales(t, `{"data": {"scale": 1}, "pool": {"scale": 1}, "prob": {"scale": 0.01}}`), lower.Options{Target: hardware.Small})
	if err != nil || len(warnings) != 0 || len(p.Operations) != 2 {
		t.Fatalf("%v, %v", warnings, err)
	}
	if w := Runnable(p); w != nil {
		t.Error(w)
	}
	p.Operations[0].PDP.Width = 9
	var refused *simulate.RefusedError
	if w := Runnable(p); len(w) != 1 || !errors.As(w[0], &refused) || !strings.HasPrefix(w[0].Error(), "compiles, but will not run: ") {
		t.Error(w)
	}
	if _, _, err := Compile(parse(t, small), scales(t, `{"data": {"scale": 1}}`), lower.Options{}); err == nil {
		t.Error("scales are missing")
	}
}

func TestInputs(t *testing.T) {
	p := &hardware.Program{Input: hardware.Tensor{Name: "data", Cube: hardware.Cube{C: 4, H: 1, W: 2}}}
	if in, err := Tensor(p, "x", []byte{1, 255, 3, 4, 5, 6}); err != nil || !slices.Equal(in, []int8{1, -1, 3, 4, 5, 6}) {
		t.Errorf("%v, %v", in, err)
	}
	for _, n := range []int{0, 1, 3, 10} {
		if _, err := Tensor(p, "x", make([]byte, n)); err == nil || !strings.HasPrefix(err.Error(), "x: has ") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if in, err := Picture(p, "x", []byte("P5 2 1 255\n\xff\x80")); err != nil || !slices.Equal(in, []int8{127, 64}) {
		t.Errorf("%v, %v", in, err)
	}
	for text, want := range map[string]string{"P5 1 1 255\na": "x: picture is 1 x 1 x 1, input", "GIF": "x: neither"} {
		if _, err := Picture(p, "x", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRecorder(t *testing.T) {
	p, _, err := Compile(parse(t, small), scales(t, `{"data": {"scale": 1}, "pool": {"scale": 1}, "prob": {"scale": 0.01}}`), lower.Options{Target: hardware.Small})
	if err != nil {
		t.Fatal(err)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	r, err := NewRecorder(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	m.Observe = r.Observe
	if _, err := m.Run([]int8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}); err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	files, _ := os.ReadDir(dir)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	want := []string{"cpu000_softmax.dst.bin", "cpu000_softmax.json", "cpu000_softmax.src.bin", "op000_pdp.dst.bin", "op000_pdp.json", "op000_pdp.src.bin"}
	if !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	b, _ := os.ReadFile(filepath.Join(dir, "op000_pdp.dst.bin"))
	if len(b) != 32 || b[0] != 6 || b[8] != 8 || b[16] != 14 || b[24] != 16 {
		t.Errorf("% d", b)
	}
	// A new recording of the folder leaves other files alone.
	if err := os.WriteFile(filepath.Join(dir, "op_notes.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NewRecorder(dir, p); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || files[0].Name() != "op_notes.json" {
		t.Errorf("left: %v", files)
	}
	// What was written is not written again after an error.
	r.err = errors.New("full")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	m.Observe(simulate.Dump{Op: &p.Operations[0], Src: []byte{1}})
	if _, err := os.Stat(dir); err == nil || r.Err().Error() != "full" {
		t.Errorf("%v, %v", err, r.Err())
	}
	if _, err := NewRecorder(string([]byte{0}), p); err == nil {
		t.Error("a folder without a name was made")
	}
}

// Every engine has an entry that is JSON.
func TestRecordEveryEngine(t *testing.T) {
	for _, op := range engines() {
		p := &hardware.Program{Operations: []hardware.Operation{op}}
		dir := t.TempDir()
		r, err := NewRecorder(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		r.Observe(simulate.Dump{Op: &p.Operations[0]})
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if r.Err() != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, r.Err())
		}
		b, _ := os.ReadFile(files[0])
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil || v["op"] != op.Kind.String() {
			t.Errorf("%s: %v\n%s", op.Kind, err, b)
		}
	}
}

// engines is one operation of each engine.
func engines() []hardware.Operation {
	q := hardware.Cube{C: 8, H: 4, W: 5, Region: 2, Offset: 16, Size: 160}
	fly := hardware.Cube{Kind: hardware.CubeOnTheFly, Region: -1, C: 8, H: 4, W: 5}
	cvt := hardware.Converter{Scale: 5, Truncate: 3, Enable: true, Offset: 7}
	lut := &hardware.LUT{}
	return []hardware.Operation{
		{Kind: hardware.Conv, Src: q, Dst: fly, Weights: q, Conv: &hardware.ConvDesc{Mode: 1, DataFormat: 12, PostExtension: 1, KernelW: 3, KernelH: 2, StrideX: 1, StrideY: 2, PadTop: 1, PadLeft: 2, DilationX: 2, DilationY: 1, OutPrecision: hardware.Int16}},
		{Kind: hardware.SDP, Src: fly, Dst: q, X1: q, SDP: &hardware.SDPDesc{OutCvt: cvt, LUT: lut,
			X1: hardware.SDPStage{Enable: true, Type: hardware.SDPBoth, ALU: hardware.ALUSum, Mode: hardware.PerChannel, Shift: 2, Truncate: 9, Act: hardware.ActReLU, Precision: hardware.Int16},
			Y:  hardware.SDPStage{Enable: true, Type: hardware.SDPMul, MulOperand: 3, Act: hardware.ActLUT, MulCvt: cvt}}},
		{Kind: hardware.PDP, Src: q, Dst: q, PDP: &hardware.PDPDesc{Mode: 9, Width: 3, Height: 2, StrideX: 2, StrideY: 1, PadTop: 1, PadDown: 1, PadLeft: 1, PadRight: 1}},
		{Kind: hardware.CDP, Src: q, Dst: q, CDP: &hardware.CDPDesc{LocalSize: 3, LUT: lut, OutCvt: hardware.Converter{Scale: 1}}},
		{Kind: hardware.Rubik, Src: q, Dst: q, Rubik: &hardware.RubikDesc{Mode: 2}},
		{Kind: hardware.BDMA, BDMA: &hardware.BDMADesc{Transfers: make([]hardware.BDMATransfer, 2)}},
		{Kind: hardware.CPUSoftmax, Src: q, Dst: q, Softmax: &hardware.SoftmaxDesc{InScale: 0.5, OutScale: 0.25}},
		{Kind: hardware.CPUPower, Src: q, Dst: q, Power: &hardware.PowerDesc{InScale: 0.5, OutScale: 0.25, Power: 2, Scale: 3, Shift: 1}},
	}
}

func TestRows(t *testing.T) {
	rows := Rows(&hardware.Program{Operations: engines()})
	for i, want := range []Row{
		{Kind: "conv", In: "8x4x5", Out: "8x4x5", Precision: "int8 to int16", What: "2x3 stride 2x1 pad 1,0,2,0 dilation 1x2 winograd image format 12, 2 lines together", Rescale: "*0>>0", Memory: "2+16 to stream, 160 bytes at 2+16"},
		{Kind: "sdp", In: "8x4x5", Out: "8x4x5", Precision: "int8", What: "x1 add+mul/channel int16 <<2 >>9 relu; y mul/layer int8 (0, 3) lut", Rescale: "(x-7)*5>>3", Memory: "stream to 2+16, 160 bytes at 2+16"},
		{Kind: "pdp", In: "8x4x5", Out: "8x4x5", Precision: "int8", What: "mode 9 2x3 stride 1x2 pad 1", Memory: "2+16 to 2+16"},
		{Kind: "cdp", In: "8x4x5", Out: "8x4x5", Precision: "int8", What: "table over 3 channels", Memory: "2+16 to 2+16"},
		{Kind: "rubik", In: "8x4x5", Out: "8x4x5", Precision: "int8", What: "merge", Memory: "2+16 to 2+16"},
		{Kind: "bdma", What: "2 copies"},
		{Kind: "softmax", In: "8x4x5", Out: "8x4x5", Precision: "int8", Rescale: "in 0.5, out 0.25", Memory: "2+16 to 2+16"},
		{Kind: "power", In: "8x4x5", Out: "8x4x5", Precision: "int8", What: "(1 + 3*x)^2", Rescale: "in 0.5, out 0.25", Memory: "2+16 to 2+16"},
	} {
		want.Position = i
		if rows[i] != want {
			t.Errorf("%+v\nwant %+v", rows[i], want)
		}
	}
}

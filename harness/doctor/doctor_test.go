package doctor

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/diagnose"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/table"
	"quantbench/models"
	"quantbench/models/caffe"
)

// block is a residual block with pooling, as small as all rules allow.
const block = `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 8 dim: 8 dim: 8 } } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "c1" top: "c1" }
layer { name: "sc" type: "Scale" bottom: "c1" top: "c1" scale_param { bias_term: true } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" }
layer { name: "c2" type: "Convolution" bottom: "c1" top: "c2" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "r2" type: "ReLU" bottom: "c2" top: "c2" }
layer { name: "c3" type: "Convolution" bottom: "c2" top: "c3" convolution_param { num_output: 8 kernel_size: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "c1" bottom: "c3" top: "sum" }
layer { name: "p" type: "Pooling" bottom: "sum" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "p" top: "ip" inner_product_param { num_output: 4 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
`

// blockTable fits it: nothing is wrong but that it ends in a softmax.
const blockTable = `{
"data": {"scale": 0.00787402},
"c1": {"scale": 0.05},
"bn": {"scale": 0.05},
"sc": {"scale": 0.05},
"r1": {"scale": 0.05},
"c2": {"scale": 0.04},
"r2": {"scale": 0.04},
"c3": {"scale": 0.05},
"sum": {"scale": 0.06},
"p": {"scale": 0.06},
"ip": {"scale": 0.1},
"prob": {"scale": 0.00787402}
}
`

// fill gives a network weights in [-1, 1], the same on every run.
func fill(n *models.Network) *models.Network {
	state := uint32(1)
	random := func(count int) models.Blob {
		b := models.Blob{Shape: []int{count}, Data: make([]float32, count)}
		for i := range b.Data {
			state = state*1664525 + 1013904223
			b.Data[i] = float32(int32(state)) / (1 << 31)
		}
		return b
	}
	positive := func(count int) models.Blob {
		b := random(count)
		for i, v := range b.Data {
			b.Data[i] = 1 + v*v
		}
		return b
	}
	for _, l := range n.Layers {
		switch op := l.Op.(type) {
		case models.Convolution:
			l.Weights = []models.Blob{random(op.Out * l.In().C / op.Groups * op.KernelH * op.KernelW)}
			if op.Bias {
				l.Weights = append(l.Weights, random(op.Out))
			}
		case models.InnerProduct:
			l.Weights = []models.Blob{random(op.Out * l.In().Len()), random(op.Out)}
		case models.BatchNorm:
			l.Weights = []models.Blob{random(l.Out.C), positive(l.Out.C), {Shape: []int{1}, Data: []float32{1}}}
		case models.Scale:
			l.Weights = []models.Blob{positive(l.Out.C), random(l.Out.C)}
		}
	}
	return n
}

func network(t testing.TB, text string) *models.Network {
	t.Helper()
	n, err := caffe.ParseNetwork("net.prototxt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func readTable(t testing.TB, name, text string) *table.Table {
	t.Helper()
	tab, err := table.Read(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// list is the findings as "CODE severity place", sorted as they come.
func list(fs []diagnose.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, strings.TrimSpace(f.Code+" "+string(f.Severity)+" "+f.Where))
	}
	return strings.Join(out, "\n")
}

const softmaxNote = "NV110 note net.prototxt:12"

func TestExamine(t *testing.T) {
	for name, c := range map[string]struct {
		prototxt, table [2]string // old, new
		change          func(*Subject)
		want            string // findings
		fact            string // in the first of them
	}{
		"nothing":          {want: softmaxNote},
		"preprocess":       {change: func(s *Subject) { s.Preprocess = &datasets.Preprocess{Scale: 1. / 256} }, want: softmaxNote},
		"no row":           {table: [2]string{`"c2": {"scale": 0.04},` + "\n", ""}, want: "NV101 error net.prototxt:6\n" + softmaxNote, fact: `layer "c2" (Convolution) has no row "c2" among 11`},
		"extra row":        {table: [2]string{`"p":`, `"ghost": {"scale": 1},` + "\n" + `"p":`}, want: "NV103 warning t.json:11\n" + softmaxNote},
		"unusable":         {table: [2]string{`"c1": {"scale": 0.05}`, `"c1": {"scale": 0}`}, want: "NV105 error t.json:3\n" + softmaxNote},
		"repeated":         {table: [2]string{`"p":`, `"c1": {"scale": 0.05},` + "\n" + `"p":`}, want: "NV142 warning t.json:11\n" + softmaxNote},
		"min and max":      {table: [2]string{`"p": {"scale": 0.06}`, `"p": {"scale": 0.06, "min": -1, "max": 1}`}, want: "NV106 note t.json:11\n" + softmaxNote},
		"no table":         {change: func(s *Subject) { s.Table = nil }, want: "NV107 error\n" + softmaxNote, fact: "±16129"},
		"will have one":    {change: func(s *Subject) { s.Table, s.Calibrated = nil, true }, want: softmaxNote},
		"sum":              {table: [2]string{`"c3": {"scale": 0.05}`, `"c3": {"scale": 0.02}`}, want: "NV131 warning t.json:6\n" + softmaxNote, fact: "saturates at 0.4"},
		"sum, coarse":      {table: [2]string{`"c3": {"scale": 0.05}`, `"c3": {"scale": 0.0505}`}, want: "NV131 note t.json:6\n" + softmaxNote, fact: "1.01 times as coarse"},
		"pooling":          {table: [2]string{`"p": {"scale": 0.06}`, `"p": {"scale": 0.12}`}, want: "NV132 error t.json:11\n" + softmaxNote, fact: "count 2 times"},
		"pooling, a bit":   {table: [2]string{`"p": {"scale": 0.06}`, `"p": {"scale": 0.061}`}, want: "NV132 warning t.json:11\n" + softmaxNote},
		"pooling, a hair":  {table: [2]string{`"p": {"scale": 0.06}`, `"p": {"scale": 0.0601}`}, want: "NV132 note t.json:11\n" + softmaxNote},
		"ReLU":             {table: [2]string{`"r2": {"scale": 0.04}`, `"r2": {"scale": 0.4}`}, want: "NV102 warning t.json:8\n" + softmaxNote, fact: "10 times that"},
		"shifted":          {table: [2]string{"\"c3\": {\"scale\": 0.05},\n\"sum\": {\"scale\": 0.06},\n\"p\": {\"scale\": 0.06}", "\"c3\": {\"scale\": 0.06},\n\"sum\": {\"scale\": 0.06},\n\"p\": {\"scale\": 0.1}"}, want: "NV102 error t.json\nNV132 error t.json:11\nNV131 warning t.json:6\n" + softmaxNote, fact: "off by 1"},
		"softmax":          {table: [2]string{`"prob": {"scale": 0.00787402}`, `"prob": {"scale": 0.00155709}`}, want: "NV109 warning t.json:13\n" + softmaxNote, fact: "its range is 0.1978: every probability above becomes 127, up to 5 classes"},
		"softmax, a bit":   {table: [2]string{`"prob": {"scale": 0.00787402}`, `"prob": {"scale": 0.007}`}, want: "NV109 note t.json:13\n" + softmaxNote},
		"mean subtracted":  {table: [2]string{`"data": {"scale": 0.00787402}`, `"data": {"scale": 1.18931}`}, want: "NV108 warning t.json:2\n" + softmaxNote, fact: "a mean near 104 subtracted"},
		"mean known":       {change: func(s *Subject) { s.Preprocess = &datasets.Preprocess{Mean: []float32{104}} }, want: "NV108 error t.json:2\n" + softmaxNote, fact: "does not subtract"},
		"factor":           {change: func(s *Subject) { s.Preprocess = &datasets.Preprocess{} }, want: "NV108 error t.json:2\n" + softmaxNote, fact: "maps pixel 255 to 127*scale = 1; the network was trained to see 255"},
		"inverted picture": {change: func(s *Subject) { s.Preprocess = &datasets.Preprocess{Invert: true, Scale: 1. / 255} }, want: "NV108 error t.json:2\n" + softmaxNote},
		"mean image":       {change: func(s *Subject) { s.Preprocess = &datasets.Preprocess{MeanFile: "m"} }, want: "NV108 error t.json:2\n" + softmaxNote},
		"quantized": {change: func(s *Subject) {
			s.Input, s.Preprocess = Quantized, &datasets.Preprocess{Mean: []float32{104}, Scale: 1. / 151}
		}, want: softmaxNote},
		"quantized, too narrow": {change: func(s *Subject) { s.Input, s.Preprocess = Quantized, &datasets.Preprocess{Mean: []float32{104}} }, want: "NV108 warning t.json:2\n" + softmaxNote},
		"quantized, unknown":    {table: [2]string{`"data": {"scale": 0.00787402}`, `"data": {"scale": 1.18931}`}, change: func(s *Subject) { s.Input = Quantized }, want: softmaxNote},
		"calibrated, mapped": {change: func(s *Subject) {
			s.Table, s.Calibrated, s.Input, s.Preprocess = nil, true, RuntimeInput, &datasets.Preprocess{Mean: []float32{128}}
		}, want: "NV108 error net.prototxt:1\n" + softmaxNote},
		"inverted":     {table: [2]string{`"data": {"scale": 0.00787402}`, `"data": {"scale": 49.5}`}, want: "NV104 error t.json:2\nNV108 warning t.json:2\n" + softmaxNote, fact: "range of ±6286.5"},
		"capital":      {change: func(s *Subject) { s.Table.File = "Tables/t.json" }, want: "NV114 warning Tables/t.json\n" + softmaxNote, fact: `would open "tables/t.json"`},
		"target":       {change: func(s *Subject) { s.Target = "nv-small" }, want: "NV117 error\n" + softmaxNote, fact: `did you mean "nv_small"`},
		"profile":      {change: func(s *Subject) { s.Profile = "imagenet" }, want: "NV116 error\n" + softmaxNote},
		"basic":        {change: func(s *Subject) { s.Profile = "basic" }, want: "NV116 warning\n" + softmaxNote},
		"mode":         {change: func(s *Subject) { s.Mode = "none" }, want: "NV116 error\n" + softmaxNote},
		"format":       {change: func(s *Subject) { s.InputFormat = "hwc" }, want: "NV116 error\n" + softmaxNote, fact: `no input format "hwc"; did you mean "nhwc"?`},
		"batch":        {prototxt: [2]string{"dim: 1 dim: 8", "dim: 10 dim: 8"}, want: "NV119 warning net.prototxt:1\n" + softmaxNote, fact: "10 pictures"},
		"product":      {prototxt: [2]string{`top: "sum"`, `top: "sum" eltwise_param { operation: PROD }`}, want: "NV118 error net.prototxt:9\n" + softmaxNote, fact: "PROD"},
		"unknown":      {prototxt: [2]string{`type: "ReLU" bottom: "c2"`, `type: "ReLU" colour: 3 bottom: "c2"`}, want: "NV140 note\n" + softmaxNote},
		"factor range": {table: [2]string{`"ip": {"scale": 0.1}`, `"ip": {"scale": 1e-9}`}, want: "NV113 error net.prototxt:11\n" + softmaxNote, fact: "above 2^15"},
		"small factor": {table: [2]string{`"ip": {"scale": 0.1}`, `"ip": {"scale": 1e9}`}, want: "NV113 warning net.prototxt:11\n" + softmaxNote, fact: "Truncate too high"},
		"no weights":   {change: func(s *Subject) { s.Network = network(t, block) }, want: softmaxNote + "\nNV144 note net.prototxt"},
		"mean range":   {change: func(s *Subject) { s.Network.Layer("bn").Weights[0].Data[2] = -300 }, want: "NV112 error net.prototxt:3\n" + softmaxNote, fact: "channel 2 has mean -300"},
		"average":      {prototxt: [2]string{"pool: MAX kernel_size: 2 stride: 2", "pool: AVE kernel_size: 3 stride: 2 pad: 1"}, want: "NV136 warning net.prototxt:10\n" + softmaxNote},
		"slope":        {prototxt: [2]string{`name: "r2" type: "ReLU"`, `name: "r2" type: "ReLU" relu_param { negative_slope: 0.1 }`}, want: "NV140 warning net.prototxt:7\n" + softmaxNote},
		"groups":       {prototxt: [2]string{"num_output: 8 kernel_size: 1", "num_output: 8 kernel_size: 1 group: 2"}, want: "NV137 error net.prototxt:8\n" + softmaxNote},
	} {
		s := Subject{Network: fill(network(t, strings.Replace(block, c.prototxt[0], c.prototxt[1], 1))), Table: readTable(t, "t.json", strings.Replace(blockTable, c.table[0], c.table[1], 1))}
		if c.prototxt[0] != "" && !strings.Contains(block, c.prototxt[0]) || c.table[0] != "" && !strings.Contains(blockTable, c.table[0]) {
			t.Errorf("%s: nothing is replaced", name)
		}
		if c.change != nil {
			c.change(&s)
		}
		got := Examine(s)
		if list(got) != c.want {
			t.Errorf("%s: found\n%s\nwant\n%s\n%v", name, list(got), c.want, got)
			continue
		}
		if !strings.Contains(got[0].Fact, c.fact) {
			t.Errorf("%s: %q lacks %q", name, got[0].Fact, c.fact)
		}
		compareWithLower(t, s, got)
		for _, f := range got {
			if r, ok := RuleOf(f.Code); !ok || f.Fact == "" || f.Advice == "" && r.Code != ignoredParam {
				t.Errorf("%s: %+v has no rule, fact or advice", name, f)
			}
		}
	}
}

// compareWithLower: the scales that are compared here without weights are those
// of which package lower warns.
func compareWithLower(t *testing.T, s Subject, found []diagnose.Finding) {
	t.Helper()
	e := &exam{Subject: s, net: s.Network}
	e.settings()
	if s.Table == nil || e.bad || s.Table.OfInputs {
		return
	}
	e.rows()
	if !e.scaled() {
		return
	}
	_, warnings, err := lower.Lower(s.Network, e.scales, e.options)
	if err != nil {
		return // told by another finding
	}
	want := map[string]int{}
	for _, w := range warnings {
		var of *lower.Warning
		if errors.As(w, &of) && (of.Kind == lower.EltwiseOverride || of.Kind == lower.NoRescale) {
			want[string(of.Kind)]++
		}
	}
	got := map[string]int{}
	for _, f := range found {
		switch f.Code {
		case sumOverride:
			got[string(lower.EltwiseOverride)]++
		case unscaledCopy:
			got[string(lower.NoRescale)]++
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v findings, package lower has %v", s.Table.File, got, want)
	}
}

// All refusals of a network are told at once, also without weights.
func TestRefusals(t *testing.T) {
	n := network(t, `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param { num_output: 8 kernel_size: 3 } }
layer { name: "n1" type: "LRN" bottom: "c1" top: "n1" lrn_param { local_size: 5 } }
layer { name: "s1" type: "Sigmoid" bottom: "n1" top: "s1" }
layer { name: "d1" type: "Deconvolution" bottom: "s1" top: "d1" convolution_param { num_output: 8 kernel_size: 2 } }
layer { name: "m1" type: "Eltwise" bottom: "s1" bottom: "n1" top: "m1" eltwise_param { operation: MAX } }
layer { name: "self" type: "Eltwise" bottom: "m1" bottom: "m1" top: "self" }
layer { name: "drop" type: "Dropout" bottom: "self" top: "drop" }
layer { name: "split" type: "Split" bottom: "drop" top: "left" top: "right" }
`)
	got := Examine(Subject{Network: n, Calibrated: true})
	want := `NV118 error net.prototxt:3
NV118 error net.prototxt:4
NV118 error net.prototxt:5
NV118 error net.prototxt:6
NV118 error net.prototxt:7
NV118 error net.prototxt:9
NV144 note net.prototxt`
	if list(got) != want {
		t.Errorf("found\n%s", list(got))
	}
}

func TestCacheRows(t *testing.T) {
	n := fill(network(t, block))
	cache := `TRT-7202-EntropyCalibration2
data: 3c010204
(Unnamed Layer* 0) [Convolution]_output: 3d4ccccd
(Unnamed Layer* 1) [Pooling]_output: 3d4ccccd
(Unnamed Layer* 2) [Scale]_output: 3d4ccccd
c1: 3d4ccccd
(Unnamed Layer* 4) [Convolution]_output: 3d4ccccd
c2: 3d4ccccd
c3: 3d4ccccd
sum: 3d4ccccd
p: 3d4ccccd
ip: 3d4ccccd
prob: 3c010204
`
	want := "NV102 error t.cache:4\n" + softmaxNote
	if got := list(Examine(Subject{Network: n, Table: readTable(t, "t.cache", cache)})); got != want {
		t.Errorf("found\n%s", got)
	}
	if got := list(CompareTable(n, readTable(t, "t.cache", cache))); got != want {
		t.Errorf("found\n%s", got)
	}
	asJSON := readTable(t, "t.json", `{"data": {"scale": 0.00787402}, "(Unnamed Layer* 0) [Convolution]_output": {"scale": 1}}`)
	if got := list(LintTable(asJSON)); got != "NV101 error t.json:1" {
		t.Errorf("found\n%s", got)
	}
	colon := readTable(t, "c.cache", "TRT-8600-EntropyCalibration2\ninput:0: 3f800000\n")
	if got := list(LintTable(colon)); got != "NV103 note c.cache:2" {
		t.Errorf("found\n%s", got)
	}
	ncnn := readTable(t, "n.table", "c1_param_0 1\nc1 127\nc2 3\n")
	if got := list(LintTable(ncnn)); got != "NV104 error n.table:2" {
		t.Errorf("found\n%s", got)
	}
	if got := list(Examine(Subject{Network: n, Table: ncnn})); got != "NV104 error n.table:2\n"+softmaxNote {
		t.Errorf("found\n%s", got)
	}
}

// One filter of nearly no weight takes the low bits of all biases per-filter.
func TestDeadFilter(t *testing.T) {
	n := fill(network(t, block))
	w := n.Layer("c2").Weights
	for i := range 72 {
		w[0].Data[3*72+i] *= 1e-6
	}
	w[1].Data[3] = 0.5
	s := Subject{Network: n, Table: readTable(t, "t.json", blockTable), Mode: "per-filter"}
	got := Examine(s)
	if want := "NV146 error net.prototxt:7\nNV141 warning net.prototxt:6\n" + softmaxNote; list(got) != want {
		t.Fatalf("found\n%s\n%v", list(got), got)
	}
	for i, want := range []string{"channel 3's bias needs a shift of 16 for all 8 channels", "1 of 8 filters"} {
		if !strings.Contains(got[i].Fact, want) {
			t.Errorf("%q lacks %q", got[i].Fact, want)
		}
	}
	s.Mode = "per-kernel"
	if want := softmaxNote + "\nNV141 note net.prototxt:6"; list(Examine(s)) != want {
		t.Errorf("per-kernel: found\n%s", list(Examine(s)))
	}
	// The same through BatchNorm's and Scale's factors.
	n = fill(network(t, block))
	n.Layer("sc").Weights[0].Data[5] = 1e-6
	if got := list(Examine(Subject{Network: n, Table: s.Table})); got != softmaxNote+"\nNV141 note net.prototxt:2" {
		t.Errorf("found\n%s", got)
	}
}

// A filter of small weights keeps few bits of its factor.
func TestFewBits(t *testing.T) {
	n := fill(network(t, block))
	w := n.Layer("c2").Weights
	for i := range 72 {
		w[0].Data[3*72+i] /= 1 << 13
	}
	w[1].Data[3] = 0
	got := Examine(Subject{Network: n, Table: readTable(t, "t.json", blockTable), Mode: "per-filter"})
	if want := "NV141 warning net.prototxt:6\nNV113 warning net.prototxt:7\n" + softmaxNote; list(got) != want {
		t.Errorf("found\n%s", list(got))
	}
}

// A convolution without bias that feeds a sum loses its factor per-kernel.
func TestLostMultiplier(t *testing.T) {
	n := fill(network(t, strings.Replace(block, "num_output: 8 kernel_size: 1", "num_output: 8 kernel_size: 1 bias_term: false", 1)))
	got := Examine(Subject{Network: n, Table: readTable(t, "t.json", blockTable)})
	if want := "NV133 error net.prototxt:8\n" + softmaxNote; list(got) != want {
		t.Errorf("found\n%s", list(got))
	}
}

func TestRules(t *testing.T) {
	for _, k := range []lower.Kind{lower.EltwiseOverride, lower.ConstantMultiplier, lower.LostKernelRow, lower.LostReLU, lower.NoRescale, lower.Unaligned,
		lower.Ignored, lower.BorderAverage, lower.Groups, lower.DriverLimit, lower.TruncateRange} {
		if _, ok := RuleOf(CodeOf(k)); !ok {
			t.Errorf("%s has no code", k)
		}
	}
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.Code] || r.Title == "" || r.Why == "" || r.Do == "" || r.Severity == "" {
			t.Errorf("%s is incomplete or repeated", r.Code)
		}
		seen[r.Code] = true
		var b strings.Builder
		if err := r.Explain(&b); err != nil || !strings.HasPrefix(b.String(), r.Code+": ") {
			t.Error(r.Code, err)
		}
	}
	if _, ok := RuleOf("NV000"); ok {
		t.Error("NV000")
	}
	f := Unreadable(unknownType())
	if f.Code != badNetwork || f.Where != "x.prototxt:1" {
		t.Errorf("%+v", f)
	}
}

func unknownType() error {
	_, err := caffe.ParseNetwork("x.prototxt", []byte(`layer { name: "a" type: "Nothing" top: "a" }`))
	return err
}

// What the compiler spoils without refusing it.
func TestSpoiled(t *testing.T) {
	const in = `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 28 dim: 28 } } }` + "\n"
	for name, c := range map[string]struct {
		layers string
		change func(*Subject)
		want   string
	}{
		"lost line": {`layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 8 kernel_size: 5 } }`,
			func(s *Subject) { s.Target, s.InputFormat = "nv_full", "nhwc" }, "NV134 error net.prototxt:2"},
		"lost line, small": {`layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 8 kernel_size: 5 } }`,
			func(s *Subject) { s.InputFormat = "nhwc" }, ""},
		"window": {`layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 8 kernel_size: 5 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: AVE global_pooling: true } }`, nil, "NV138 error net.prototxt:3"},
		"unaligned": {`layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 3 kernel_size: 1 } }
layer { name: "b" type: "Convolution" bottom: "data" top: "b" convolution_param { num_output: 8 kernel_size: 1 } }
layer { name: "cat" type: "Concat" bottom: "a" bottom: "b" top: "cat" }`, nil, "NV139 error net.prototxt:4"},
		"surface": {`layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 } }`,
			func(s *Subject) { s.InputFormat = "nhwc" }, "NV148 error net.prototxt:2"},
		"no bias and ReLU": {`layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 8 kernel_size: 5 bias_term: false } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }`, nil, "NV118 error net.prototxt:2"},
		"cycle": {`layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "d" type: "Convolution" bottom: "c" top: "d" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "s" type: "Eltwise" bottom: "c" bottom: "d" top: "s" }`,
			func(s *Subject) { s.Mode = "per-filter" }, "NV147 error net.prototxt:3"},
	} {
		s := Subject{Network: fill(network(t, in+c.layers)), Calibrated: true}
		if c.change != nil {
			c.change(&s)
		}
		if got := list(Examine(s)); got != c.want {
			t.Errorf("%s: found\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

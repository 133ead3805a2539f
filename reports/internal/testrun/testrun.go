// Package testrun invents runs for the tests of reports. Nothing in it was
// measured; it is consistent all the same, because every count, interval and p
// follows from the same invented answers.
package testrun

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// Shape says how large an invented run is.
type Shape struct {
	Models, Datasets, Calibrators []string
	Pictures                      int
	Layers, Flips, Gates, Tables  bool
}

// Whole is a run with everything in it: two models, one dataset, three
// calibrators, gates, layers, tables, flips.
func Whole() *record.Run {
	return New(Shape{Models: []string{"tiny5", "tiny18"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2", "percentile", "minmax"},
		Pictures: 10000, Layers: true, Flips: true, Gates: true, Tables: true})
}

var classes = []string{"T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}

// New invents a run. The same shape gives the same run.
func New(s Shape) *record.Run {
	r := &record.Run{Schema: record.Schema, Title: "TEST DATA, invented"}
	for mi, model := range s.Models {
		r.Models = append(r.Models, record.Model{Name: model, Prototxt: model + "/deploy.prototxt", Layers: len(layerNames(mi)), Parameters: 1000 + 271117*mi, MACs: 2_293_000 * int64(1+15*mi), SHA256: digest(model), Preprocess: "1x28x28, scale 1/256"})
		for di, dataset := range s.Datasets {
			v := inventor{s, rand.New(rand.NewPCG(uint64(mi+1), uint64(di+1))), mi}
			v.group(r, model, dataset)
		}
	}
	for _, d := range s.Datasets {
		r.Datasets = append(r.Datasets, record.Dataset{Name: d, Images: s.Pictures, Classes: classes, SHA256: digest(d), Calibration: "train 0 to 1,999, no overlap"})
	}
	if s.Gates {
		r.Gates = gates(r.Cells)
	}
	r.Manifest = record.Manifest{Version: "v0.0.0-test", Go: "go1.26 linux/amd64", Host: "invented host, 2 cores", Instruction: "avx512-vnni", Command: "bench run test.yaml -o out",
		Config: "test.yaml", ConfigSHA: digest("config"), Digest: digest("cells"),
		Skipped: []record.Skip{{What: "all models on mnist", Reason: "its files are not there.", Command: "bench data get mnist"}}}
	return r
}

func digest(s string) string {
	sum := sha256.Sum256([]byte("test:" + s))
	return hex.EncodeToString(sum[:])
}

type inventor struct {
	s     Shape
	rng   *rand.Rand
	model int
}

func (v *inventor) group(r *record.Run, model, dataset string) {
	labels, reference := make([]int, v.s.Pictures), make([]int, v.s.Pictures)
	for i := range labels {
		labels[i] = i % len(classes)
		reference[i] = v.answer(labels[i], 0.915+0.025*float64(v.model))
	}
	ref := v.cell(model, dataset, "fp32", "", "", labels, reference, nil)
	ref.Latency = &record.Latency{Kind: record.Measured, Seconds: 41.2e-6 * math.Pow(31, float64(v.model)), Note: "avx512-vnni"}
	r.Cells = append(r.Cells, *ref)
	for _, rt := range []struct {
		runtime, mode string
		loss          float64
		latency       record.Latency
	}{
		{"tensorrt-int8", "", 0.004, record.Latency{Kind: record.Emulated, Seconds: 19.7e-6, Note: "avx512-vnni"}},
		{"nvdla-int8", "per-filter", 0.008, record.Latency{Kind: record.Modelled, Seconds: 87.1e-6, Note: "nv_large, 1 GHz, 25.6 GB/s"}},
		{"nvdla-int8", "per-kernel", 0.016, record.Latency{Kind: record.Modelled, Seconds: 86.8e-6, Note: "nv_large, 1 GHz, 25.6 GB/s"}},
	} {
		for ci, calibrator := range v.s.Calibrators {
			loss := rt.loss * (0.6 + float64(v.model)) * (1 + 0.7*float64(ci/2))
			answers := v.flip(labels, reference, loss)
			c := v.cell(model, dataset, rt.runtime, rt.mode, calibrator, labels, answers, reference)
			c.Reference = ref.ID
			l := rt.latency
			l.Seconds *= math.Pow(33, float64(v.model))
			c.Latency = &l
			v.details(c, labels, reference, answers, rt.loss)
			r.Cells = append(r.Cells, *c)
		}
	}
	if v.s.Tables {
		r.Tables = append(r.Tables, v.tables(model, dataset)...)
	}
}

// answer is the label with the given chance, or else a neighbouring class.
func (v *inventor) answer(label int, right float64) int {
	if v.rng.Float64() < right {
		return label
	}
	return (label + []int{2, 4, 6, 8}[v.rng.IntN(4)]) % len(classes)
}

// flip changes some answers: of the right ones a share loss becomes wrong, of
// the wrong ones a tenth becomes right.
func (v *inventor) flip(labels, reference []int, loss float64) []int {
	out := append([]int(nil), reference...)
	for i := range out {
		if reference[i] == labels[i] && v.rng.Float64() < loss*float64(1+labels[i]%3) {
			out[i] = v.answer(labels[i], 0)
		} else if reference[i] != labels[i] && v.rng.Float64() < 0.08 {
			out[i] = labels[i]
		}
	}
	return out
}

func (v *inventor) cell(model, dataset, runtime, mode, calibrator string, labels, answers, reference []int) *record.Cell {
	c := &record.Cell{ID: digest(model + dataset + runtime + mode + calibrator)[:12], Model: model, Dataset: dataset, Runtime: runtime, Mode: mode, Calibrator: calibrator, Status: record.OK, Images: len(labels)}
	if runtime == "nvdla-int8" {
		c.Target, c.Profile, c.InputMode = "nv_large", "fast-math", "quantized"
	}
	c.Confusion = make([][]int, len(classes))
	for i := range c.Confusion {
		c.Confusion[i] = make([]int, len(classes))
	}
	for i, label := range labels {
		c.Confusion[label][answers[i]]++
		if answers[i] == label {
			c.Correct++
		}
		if reference != nil && reference[i] == label && answers[i] != label {
			c.Lost++
		}
		if reference != nil && reference[i] != label && answers[i] == label {
			c.Won++
		}
	}
	c.Top1 = float64(c.Correct) / float64(c.Images)
	c.Interval = wilson(c.Correct, c.Images)
	c.TopBest, c.TopExpected, c.TopWorst = c.Top1, c.Top1, c.Top1
	if mode != "" {
		c.Ties = c.Images * (1 + v.model) / 200
		c.TopBest, c.TopWorst = c.Top1+float64(c.Ties/3)/float64(c.Images), c.Top1-float64(c.Ties/2)/float64(c.Images)
	}
	if reference != nil {
		p := mcnemar(c.Lost, c.Won)
		c.McNemarP = &p
		c.Difference = float64(c.Won-c.Lost) / float64(c.Images)
		c.DifferenceInterval = paired(c.Lost, c.Won, c.Images)
	}
	return c
}

func (v *inventor) details(c *record.Cell, labels, reference, answers []int, loss float64) {
	if v.s.Layers {
		for i, name := range layerNames(v.model) {
			c.Layers = append(c.Layers, record.LayerError{Layer: name, SQNR: 40 - 0.4*float64(i) - 600*loss + 4*v.rng.Float64(), Saturation: loss * v.rng.Float64() * v.rng.Float64()})
		}
	}
	if v.s.Flips {
		c.Flips = v.flips(labels, reference, answers)
	}
	if c.Mode == "per-kernel" && v.model > 0 {
		c.Findings = append(c.Findings, record.Finding{Code: "TEST1", Severity: "warning", Fact: "This finding is invented: <script>alert(1)</script> stays text.", Where: c.Model + "/deploy.prototxt:88", Advice: "Do nothing."})
	}
}

func (v *inventor) flips(labels, reference, answers []int) []record.Flip {
	var list []record.Flip
	for i := range labels {
		if (reference[i] == labels[i]) == (answers[i] == labels[i]) {
			continue
		}
		if len(list) == 24 {
			break
		}
		list = append(list, record.Flip{Picture: fmt.Sprintf("test %05d", i), Label: labels[i], Reference: reference[i], Predicted: answers[i], Margin: math.Round(v.rng.Float64()*1000) / 1000, PNG: thumbnail(i)})
	}
	return list
}

// thumbnail draws a pattern that no data set holds.
func thumbnail(seed int) []byte {
	img := image.NewGray(image.Rect(0, 0, 28, 28))
	for y := range 28 {
		for x := range 28 {
			img.SetGray(x, y, color.Gray{uint8((x*x + y*(seed%7+3)) % 251)})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // a bytes.Buffer takes everything
	return b.Bytes()
}

func layerNames(model int) []string {
	if model == 0 {
		return []string{"conv1", "pool1", "conv2", "pool2", "ip1", "ip2"}
	}
	blocks := 2
	if model > 1 {
		blocks = 8
	}
	names := []string{"conv1"}
	for stage := 1; stage <= 3; stage++ {
		for block := 1; block <= blocks; block++ {
			for _, part := range []string{"conv1", "conv2", "sum"} {
				names = append(names, fmt.Sprintf("layer%d_%d_%s", stage, block, part))
			}
		}
	}
	return append(names, "avg_pool", "fc")
}

func (v *inventor) tables(model, dataset string) []record.Table {
	var list []record.Table
	for ci, calibrator := range v.s.Calibrators {
		t := record.Table{Model: model, Dataset: dataset, Calibrator: calibrator}
		for i, name := range layerNames(v.model) {
			wave := 0.02 * (1.3 + math.Sin(float64(i))) * (1 + 0.6*float64(ci)*v.rng.Float64())
			t.Scales = append(t.Scales, record.Scale{Layer: name, Scale: float32(wave)})
		}
		list = append(list, t)
	}
	return list
}

// gates sets a limit of one point for the first calibrator of each int8 line.
func gates(cells []record.Cell) []record.Gate {
	var list []record.Gate
	for i := range cells {
		c := &cells[i]
		if c.Calibrator == "" || c.Calibrator != cells[1].Calibrator {
			continue
		}
		g := record.Gate{Cell: c.ID, Limit: -0.01, Verdict: record.Inconclusive, Needed: 40000}
		if c.DifferenceInterval.Lo >= g.Limit {
			g.Verdict, g.Needed = record.Pass, 0
		} else if c.DifferenceInterval.Hi < g.Limit {
			g.Verdict, g.Needed = record.Fail, 0
		}
		list = append(list, g)
	}
	return list
}

const z = 1.959963984540054

func wilson(k, n int) stats.Interval {
	p, m := float64(k)/float64(n), float64(n)
	d, c := 1+z*z/m, p+z*z/(2*m)
	h := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return stats.Interval{Lo: (c - h) / d, Hi: (c + h) / d}
}

func mcnemar(lost, won int) float64 {
	if lost+won == 0 {
		return 1
	}
	return min(1, 2*distuv.Binomial{N: float64(lost + won), P: 0.5}.CDF(float64(min(lost, won))))
}

func paired(lost, won, n int) stats.Interval {
	m := float64(n)
	d := float64(won-lost) / m
	h := z * math.Sqrt((float64(lost+won)/m-d*d)/m)
	return stats.Interval{Lo: d - h, Hi: d + h}
}

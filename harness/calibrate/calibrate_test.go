package calibrate

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantbench/models/caffe"
)

// toySource shows the same picture-wise values for each layer, one at a time.
type toySource struct {
	pictures [][][]float32 // picture, layer, values
	layers   int
	fail     int // picture that fails; 0: none
}

func (s toySource) Layers() int   { return s.layers }
func (s toySource) Pictures() int { return len(s.pictures) }
func (s toySource) Run(ctx context.Context, from, to int, see func(int, []float32)) error {
	for i, p := range s.pictures[from:to] {
		if s.fail > 0 && from+i == s.fail {
			return errors.New("picture is broken")
		}
		for l, v := range p {
			see(l, v)
		}
	}
	return ctx.Err()
}

// naive is the histogram by its definition, value by value and batch by batch.
func naive(batches [][]float32) *Histogram {
	h := &Histogram{Counts: make([]uint64, Bins)}
	r := 0.0
	for _, b := range batches {
		top := 0.0
		for _, v := range b {
			top = max(top, math.Abs(float64(v)))
			h.Min, h.Max = min(h.Min, v), max(h.Max, v)
		}
		if r == 0 {
			r, h.First = top, float32(top)
		}
		for r > 0 && top > r {
			r *= 2
			h.Doublings++
			for k := range Bins / 2 {
				h.Counts[k] = h.Counts[2*k] + h.Counts[2*k+1]
			}
			clear(h.Counts[Bins/2:])
		}
		for _, v := range b {
			bin := 0
			if r > 0 {
				bin = min(Bins-1, int(math.Floor(math.Abs(float64(v))*(Bins/r))))
			}
			h.Counts[bin]++
		}
	}
	return h
}

func randomSource(seed uint64) toySource {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := toySource{layers: 3}
	for p := range 23 {
		grow := math.Exp(rng.NormFloat64() * 4)
		var layers [][]float32
		for l := range 3 {
			v := make([]float32, 40)
			for i := range v {
				if l == 2 && p < 5 || rng.IntN(4) == 0 {
					continue // the third layer is all zero for some batches
				}
				v[i] = float32(rng.NormFloat64() * grow)
			}
			layers = append(layers, v)
		}
		s.pictures = append(s.pictures, layers)
	}
	return s
}

func TestCollectEqualsDefinition(t *testing.T) {
	for seed := range uint64(20) {
		src := randomSource(seed)
		for _, workers := range []int{1, 2, 7} {
			o := Options{Batch: 2 + int(seed%3), Batches: 9, SkipFirst: seed%2 == 1, DropPartial: seed%5 == 0, Workers: workers}
			got, err := Collect(t.Context(), src, o)
			if err != nil {
				t.Fatal(err)
			}
			plan, _ := o.Plan(23)
			for l := range 3 {
				var batches [][]float32
				for _, b := range plan {
					var all []float32
					for _, p := range src.pictures[b.From:b.To] {
						all = append(all, p[l]...)
					}
					batches = append(batches, all)
				}
				have := got.Layers[l]
				have.Extra, have.Pictures = Extra{}, 0
				if want := naive(batches); !reflect.DeepEqual(&have, want) {
					t.Fatalf("seed %d, %d workers, layer %d: First %v doublings %d, want %v %d", seed, workers, l, got.Layers[l].First, got.Layers[l].Doublings, want.First, want.Doublings)
				}
			}
		}
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		o    Options
		n    int
		want []Batch
	}{
		{Options{}, 5, []Batch{{0, 5}}},
		{Options{Batch: 2}, 5, []Batch{{0, 2}, {2, 4}, {4, 5}}},
		{Options{Batch: 2, DropPartial: true}, 5, []Batch{{0, 2}, {2, 4}}},
		{Options{Batch: 50, Batches: 2, SkipFirst: true}, 60000, []Batch{{50, 100}, {100, 150}}},
		{Options{Batch: 5, SkipFirst: true}, 5, nil},
		{Options{Batch: 9, DropPartial: true}, 5, nil},
		{Options{}, 0, nil},
	} {
		got, err := c.o.Plan(c.n)
		if !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) {
			t.Errorf("%+v: %v %v", c.o, got, err)
		}
	}
}

func TestCollectErrors(t *testing.T) {
	src := randomSource(1)
	if _, err := Collect(t.Context(), toySource{}, Options{}); err == nil {
		t.Error("no pictures")
	}
	src.fail = 9
	if _, err := Collect(t.Context(), src, Options{Batch: 1, Workers: 3}); err == nil || err.Error() != "picture is broken" {
		t.Error(err)
	}
	src.fail = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Collect(ctx, src, Options{Batch: 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	src.pictures[4][1][0] = float32(math.NaN())
	src.pictures[4][1][1] = float32(math.Inf(1))
	if _, err := Collect(t.Context(), src, Options{Batch: 2}); err == nil || !strings.Contains(err.Error(), "layer 1 has 2 values that are NaN or infinite in pictures 4 to 5") {
		t.Error(err)
	}
}

// shape is a histogram with a heavy tail: 1000000 div (1 + (i*i div 50)), and 50
// more in every 97th bin.
func shape() *Histogram {
	h := &Histogram{First: 2048, Max: 2048, Counts: make([]uint64, Bins)}
	for i := range Bins {
		h.Counts[i] = uint64(1000000 / (1 + i*i/50))
		if i%97 == 0 {
			h.Counts[i] += 50
		}
	}
	return h
}

func TestPercentile(t *testing.T) {
	// The sum and the bins were computed by an independent program.
	h := shape()
	if h.Total() != 13785700 {
		t.Fatal(h.Total())
	}
	for percent, bin := range map[float64]int{99.9: 1310, 99.99: 1940, 99.999: 2037, 100: 2047} {
		c, err := NewPercentile(percent)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Choose(h)
		if got.Bin != bin || got.Threshold != float64(bin+1) || got.Scale != float32(float64(bin+1)/127) {
			t.Errorf("%v: %+v, want bin %d", percent, got, bin)
		}
	}
	for _, bad := range []float64{-1, 101, math.NaN()} {
		if _, err := NewPercentile(bad); err == nil {
			t.Errorf("%v accepted", bad)
		}
	}
	// The range may be nearly twice the largest value.
	h = &Histogram{First: 1, Doublings: 1, Min: -1.25, Counts: make([]uint64, Bins)}
	h.Counts[1280] = 1
	if c, _ := NewPercentile(100); c.Choose(h).Threshold != 1.25 {
		t.Errorf("%+v", c.Choose(h))
	}
}

// slow is the divergence from its definition, with arrays P and Q.
func slow(counts []uint64) int {
	h := make([]float64, Bins)
	for i, c := range counts {
		h[i] = float64(c)
	}
	h[0] = h[1]
	best, at := math.Inf(1), 0
	for i := 128; i <= Bins; i++ {
		P, Q, sum, n := slices.Clone(h[:i]), make([]float64, i), [128]float64{}, [128]float64{}
		for _, v := range h[i:] {
			P[i-1] += v
		}
		for b := range i {
			if h[b] > 0 {
				sum[b*128/i] += h[b]
				n[b*128/i]++
			}
		}
		sp, sq := 0.0, 0.0
		for b := range i {
			if h[b] > 0 {
				Q[b] = sum[b*128/i] / n[b*128/i]
			}
			sp, sq = sp+P[b], sq+Q[b]
		}
		d := 0.0
		for b := range i {
			if P[b] > 0 {
				d += P[b] / sp * math.Log(P[b]/sp/(Q[b]/sq))
			}
		}
		if d <= best {
			best, at = d, i
		}
	}
	return at
}

func TestEntropyAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 12 {
		h := &Histogram{First: 3, Max: 3, Counts: make([]uint64, Bins)}
		for range 40000 {
			v := math.Abs(rng.NormFloat64()) * 300
			if n%2 == 1 {
				v = rng.ExpFloat64() * 200
			}
			h.Counts[min(Bins-1, int(v))]++
		}
		if n >= 6 {
			for b := range h.Counts { // holes
				if b%(n-2) != 0 {
					h.Counts[b] = 0
				}
			}
		}
		if n%3 == 0 { // as after a doubling: the last values end within a level
			clear(h.Counts[900+13*n:])
		}
		want := slow(h.Counts)
		got := Entropy2{}.Choose(h)
		if got.Bin != want || got.Scale != float32((float64(want)+.5)*(3./2048)/127) {
			t.Errorf("histogram %d: %+v, want m %d", n, got, want)
		}
	}
	if c := (Entropy2{}).Choose(&Histogram{First: 1, Max: 1, Counts: make([]uint64, Bins)}); c.Bin != Bins {
		t.Errorf("nothing outside bin 0: %+v", c)
	}
}

// Pixels of 0..255 with every value in use have the whole range as choice; the
// scale is the one of published tables for such inputs.
func TestEntropyRawPixels(t *testing.T) {
	h := &Histogram{First: 255, Max: 255, Counts: make([]uint64, Bins)}
	for p := range 256 {
		h.Counts[min(Bins-1, int(float64(p)*(Bins/255.)))] += 4000
	}
	c := Entropy2{}.Choose(h)
	if bits := math.Float32bits(c.Scale); c.Bin != slow(h.Counts) || c.Bin != Bins || bits != 0x4000890a {
		t.Errorf("%+v %08x", c, bits)
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Params
		want string
	}{
		{"entropy2", nil, "entropy2"}, {"minmax", Params{}, "minmax"}, {"percentile", nil, "percentile-99.99"},
		{"percentile", Params{"percent": 0}, "percentile-99.99"}, {"percentile", Params{"percent": 99.999}, "percentile-99.999"},
	} {
		k, err := Named(c.name, c.p)
		if err != nil || k.Name() != c.want {
			t.Errorf("%s %v: %v", c.name, c.p, err)
		}
	}
	p := Params{"percent": 50}
	if _, err := Named("percentile", p); err != nil || len(p) != 1 {
		t.Error("the caller's parameters were changed")
	}
	for name, p := range map[string]Params{"entropy": nil, "entropy2": {"bins": 3}, "percentile": {"percent": 200}} {
		if _, err := Named(name, p); err == nil {
			t.Errorf("%s %v accepted", name, p)
		}
	}
	if strings.Join(Names(), " ") != "bug1989 entropy2 minmax mxnet-kl ncnn-aciq ncnn-kl nvdla-mse ort-entropy ort-percentile percentile pytorch-entropy pytorch-mse pytorch-percentile trt-s7310 tvm-kl" {
		t.Error(Names())
	}
}

const net = `layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 1 kernel_size: 1 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "d" type: "Dropout" bottom: "p" top: "p" }
layer { name: "z" type: "ReLU" bottom: "p" top: "z" }
`

func TestApply(t *testing.T) {
	n, err := caffe.ParseNetwork("toy.prototxt", []byte(net))
	if err != nil {
		t.Fatal(err)
	}
	src := toySource{layers: 5, pictures: [][][]float32{{{1, -2}, {3}, {9}, {9}, {0, 0}}, {{.5}, {-4}, {9}, {9}, {0}}}}
	s, err := Collect(t.Context(), src, Options{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Apply(t.Context(), n, s, MinMax{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{2. / 127, 4. / 127, 4. / 127, 4. / 127, ZeroScale}; !slices.Equal(r.Scales, want) {
		t.Errorf("%v, want %v", r.Scales, want)
	}
	if p := r.Tensors[3]; p.From == nil || p.From.Name != "p" || p.Layer.Name != "d" || p.Doublings != 1 || p.Range != 6 {
		t.Errorf("%+v", p)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "layer z") || r.Calibrator != "minmax" {
		t.Error(r.Warnings)
	}
	s.Layers[1].Counts = nil
	if _, err := Apply(t.Context(), n, s, MinMax{}, 1); err == nil || !strings.Contains(err.Error(), "layer c was not seen") {
		t.Error(err)
	}
	s.Layers[1] = Histogram{First: 1e-44, Max: 1e-44, Counts: make([]uint64, Bins)}
	if _, err := Apply(t.Context(), n, s, MinMax{}, 1); err == nil {
		t.Error("a scale of zero")
	}
	if _, err := Apply(t.Context(), n, &Statistics{}, MinMax{}, 1); err == nil {
		t.Error("no statistics")
	}
}

func TestStore(t *testing.T) {
	s, err := Collect(t.Context(), randomSource(5), Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	s.Layers = append(s.Layers, Histogram{})
	b := s.Append(nil)
	got, err := ReadStatistics("f", b)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Fatalf("%v", err)
	}
	for i := range b {
		if _, err := ReadStatistics("f", b[:i]); err == nil {
			t.Fatalf("cut at %d accepted", i)
		}
	}
	b[len(b)/2] ^= 1
	if _, err := ReadStatistics("f", b); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
}

func FuzzStatistics(f *testing.F) {
	s := &Statistics{[]Histogram{{First: 1, Max: 1, Counts: make([]uint64, Bins)}, {}}}
	s.Layers[0].Counts[7] = 300
	s.Layers[0].Extra = s.Layers[0].blank().Extra
	b := s.Append(nil)
	f.Add(b[len(magic) : len(b)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := ReadStatistics("f", seal(body))
		if err != nil {
			return
		}
		again, err := ReadStatistics("f", got.Append(nil))
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%v", err)
		}
	})
}

// vectors are the choices and ranges recovered from published tables.
type vectors struct {
	Choose []struct {
		Name   string
		Range  float64
		M      int
		Hex    string `json:"hex_computed"`
		Bins   []uint64
		Sparse [][2]uint64
	}
	Range []struct {
		Name      string
		Batches   [][]float32
		Range     float64
		Doublings int
		Nonzero   [][2]uint64
	}
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the vectors of published tables are not part of the repository")
	}
	b, err := os.ReadFile(filepath.Join(dir, "..", "spec", "reference", "entropy2-vectors.json"))
	if err != nil {
		t.Skip("no vectors beside BENCH_DATA:", err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChooseVectors(t *testing.T) {
	v := readVectors(t)
	if len(v.Choose) == 0 {
		t.Fatal("no vectors")
	}
	for _, c := range v.Choose {
		h := &Histogram{First: float32(c.Range), Max: float32(c.Range), Counts: make([]uint64, Bins)}
		copy(h.Counts, c.Bins)
		for _, s := range c.Sparse {
			h.Counts[s[0]] = s[1]
		}
		got := Entropy2{}.Choose(h)
		bits := math.Float32bits(got.Scale)
		if got.Bin != c.M || hex.EncodeToString([]byte{byte(bits >> 24), byte(bits >> 16), byte(bits >> 8), byte(bits)}) != c.Hex {
			t.Errorf("%s: m %d %08x, want %d %s", c.Name, got.Bin, bits, c.M, c.Hex)
		}
	}
	t.Logf("%d vectors", len(v.Choose))
}

func TestRangeVectors(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Range {
		src := toySource{layers: 1}
		for _, b := range c.Batches {
			src.pictures = append(src.pictures, [][]float32{b})
		}
		s, err := Collect(t.Context(), src, Options{Batch: 1})
		if err != nil {
			t.Fatal(err)
		}
		var nonzero [][2]uint64
		for b, n := range s.Layers[0].Counts {
			if n > 0 {
				nonzero = append(nonzero, [2]uint64{uint64(b), n})
			}
		}
		if h := s.Layers[0]; h.Range() != c.Range || h.Doublings != c.Doublings || !slices.Equal(nonzero, c.Nonzero) {
			t.Errorf("%s: %v %d %v", c.Name, h.Range(), h.Doublings, nonzero)
		}
	}
}

package calibrate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// signedShape is the shape of a heavy tail on both sides of the middle of 1001
// bins.
func signedShape() []float64 {
	h := make([]float64, 1001)
	for i := range h {
		d := max(i-500, 500-i)
		h[i] = float64(1000000 / (1 + d*d/50))
		if d%97 == 0 {
			h[i] += 50
		}
	}
	return h
}

// one is shape with the other counts that a tensor of such |x| has: 2048 values
// a bin wide, all of one batch.
func one() *Histogram {
	h := shape()
	h.Pictures = 100
	h.Extra = h.blank().Extra
	copy(h.Positive, h.Counts)
	copy(h.Appended, h.Counts)
	return h
}

// The bins were computed by an independent program.
func TestHeavyTail(t *testing.T) {
	for _, c := range []struct {
		k         Calibrator
		bin       int
		threshold float64
	}{
		{S7310{}, 1151, 1151.5}, {NcnnKL{}, 1048, 1048.5}, {PytorchEntropy{}, 960, 960},
		{PytorchPercentile{99.9}, 1310, 1310}, {PytorchPercentile{99.99}, 1940, 1940}, {ORTPercentile{99.999}, 2037, 2037},
	} {
		got := c.k.Choose(one())
		if got.Bin != c.bin || got.Threshold != c.threshold || got.Scale != float32(c.threshold/127) {
			t.Errorf("%s: %+v, want bin %d, threshold %v", c.k.Name(), got, c.bin, c.threshold)
		}
	}
	if i := symmetricThreshold(signedShape()); i != 499 {
		t.Errorf("symmetric: half width %d, want 499", i)
	}
}

// The same from the published file of vectors, which may have more of them.
func TestReplicaVectors(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the file of vectors is not part of the repository")
	}
	b, err := os.ReadFile(filepath.Join(dir, "..", "spec", "reference", "vectors.json"))
	if err != nil {
		t.Skip("no vectors beside BENCH_DATA:", err)
	}
	var v struct {
		Histogram []struct{ Sum uint64 } `json:"kl_histogram"`
		Result    []struct {
			Calibrator string
			I          int
			Bins       float64 `json:"threshold_bins"`
		} `json:"kl_result"`
		Percentile []struct {
			Pct float64
			Bin int `json:"first_bin_with_cdf_at_least"`
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Histogram) != 1 || len(v.Result) != 4 || len(v.Percentile) != 3 {
		t.Fatalf("%d histograms, %d results, %d percentiles", len(v.Histogram), len(v.Result), len(v.Percentile))
	}
	if one().Total() != v.Histogram[0].Sum {
		t.Error(one().Total())
	}
	kinds := map[string]Calibrator{"trt-s7310": S7310{}, "ncnn2table-kl": NcnnKL{}, "pytorch-quantization": PytorchEntropy{}}
	for _, r := range v.Result {
		k, ok := kinds[strings.Fields(r.Calibrator)[0]]
		if !ok { // the signed one
			if i := symmetricThreshold(signedShape()); i != r.I {
				t.Errorf("%s: %d, want %d", r.Calibrator, i, r.I)
			}
			continue
		}
		if got := k.Choose(one()); got.Bin != r.I || got.Threshold != r.Bins {
			t.Errorf("%s: %+v, want %d", r.Calibrator, got, r.I)
		}
	}
	for _, p := range v.Percentile {
		k, _ := NewPytorchPercentile(p.Pct)
		if got := k.Choose(one()); got.Bin != p.Bin {
			t.Errorf("percentile %v: %+v, want %d", p.Pct, got, p.Bin)
		}
	}
}

// kl is the divergence of two arrays, each normalised; numpy and scipy's way.
func kl(p, q []float64) float64 {
	sp, sq, d := 0.0, 0.0, 0.0
	for i := range p {
		sp, sq = sp+p[i], sq+q[i]
	}
	for i := range p {
		d += p[i] / sp * math.Log(p[i]/sp/(q[i]/sq))
	}
	return d
}

// slowBug is Bug1989's search array by array.
func slowBug(h []float64) int {
	best, at := math.Inf(1), 128
	for i := 128; i < len(h); i++ {
		p, q := slices.Clone(h[:i]), make([]float64, i)
		for _, v := range h[i:] {
			p[i-1] += v
		}
		for j := range 128 {
			start, stop, all := j*(i/128), (j+1)*(i/128), (j+1)*(i/128)
			if j == 127 {
				stop, all = i-1, i
			}
			sum, used := 0.0, 0.0
			for _, v := range h[start:all] {
				sum += v
			}
			for _, v := range p[start:stop] {
				if v != 0 {
					used++
				}
			}
			for b := start; b < stop && used > 0; b++ {
				q[b] = sum / used
			}
		}
		for b := range p {
			if p[b] == 0 {
				p[b], q[b] = 1e-4, 0
			}
			if q[b] == 0 {
				q[b] = 1e-4
			}
		}
		if d := kl(p, q); d < best {
			best, at = d, i
		}
	}
	return at
}

// slowSymmetric is MXNet's search array by array, with any slices.
func slowSymmetric(h []float64, levels int, bounds func(i int) (int, int)) int {
	best, at := math.Inf(1), levels/2
	for i := levels / 2; i <= len(h)/2; i++ {
		lo, hi := bounds(i)
		cut := h[lo:hi]
		p, q := slices.Clone(cut), make([]float64, hi-lo)
		for _, v := range h[:lo] {
			p[0] += v
		}
		for _, v := range h[hi:] {
			p[len(p)-1] += v
		}
		for j := range levels {
			start, stop := j*(len(p)/levels), (j+1)*(len(p)/levels)
			if j == levels-1 {
				stop = len(p)
			}
			sum, used := 0.0, 0.0
			for b := start; b < stop; b++ {
				if sum += cut[b]; p[b] != 0 {
					used++
				}
			}
			for b := start; b < stop; b++ {
				if p[b] != 0 {
					q[b] = sum / used
				}
			}
		}
		if !smooth(p) || !smooth(q) {
			continue
		}
		if d := kl(p, q); d < best-1e-13 {
			best, at = d, i
		}
	}
	return at
}

func smooth(p []float64) bool {
	zeros := 0
	for _, v := range p {
		if v == 0 {
			zeros++
		}
	}
	if zeros == len(p) {
		return false
	}
	take := 1e-4 * float64(zeros) / float64(len(p)-zeros)
	for b := range p {
		if p[b] == 0 {
			p[b] = 1e-4
		} else {
			p[b] -= take
		}
	}
	return take < 1
}

func TestSearchesAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for n := range 8 {
		abs, signed, even := make([]float64, Bins-1), make([]float64, 1401), make([]float64, 512)
		add := func(h []float64, v float64) {
			if i := int(v); i >= 0 && i < len(h) {
				h[i]++
			}
		}
		for range 30000 {
			v := rng.NormFloat64()
			if n%2 == 1 {
				v *= math.Abs(rng.NormFloat64())
			}
			add(abs, math.Abs(v)*300)
			add(signed, v*150+700)
			add(even, v*60+256)
		}
		if n >= 4 { // as after a ReLU
			clear(signed[:700])
			clear(even[:256])
		}
		if want, got := slowBug(abs), bugThreshold(abs); got != want {
			t.Errorf("histogram %d: bug1989 %d, want %d", n, got, want)
		}
		want := slowSymmetric(signed, 255, func(i int) (int, int) { return 700 - i, 700 + i + 1 })
		if got := symmetricThreshold(signed); got != want {
			t.Errorf("histogram %d: symmetric %d, want %d", n, got, want)
		}
		want = slowSymmetric(even, 128, func(i int) (int, int) { return 256 - i, min(512, 256+i+1) })
		h := &Histogram{First: 1, Min: -1, Max: 1, Counts: make([]uint64, Bins)}
		h.Extra = h.blank().Extra
		for b, v := range even {
			if b < 256 {
				h.Negative[(255-b)*8+3] = uint64(v)
			} else {
				h.Positive[(b-256)*8+5] = uint64(v)
			}
		}
		if got := (ORTEntropy{512}).Choose(h); got.Threshold != min(1, float64(max(want, min(want+1, 256)))/256) {
			t.Errorf("histogram %d: ort-entropy %v, want %d of 256", n, got.Threshold, want)
		}
	}
}

// With ONNX Runtime's own number of bins there is nothing to choose.
func TestORTEntropyIsMinMax(t *testing.T) {
	s, err := Collect(t.Context(), randomSource(9), Options{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := NewORTEntropy(128)
	for l := range s.Layers {
		if got, want := k.Choose(&s.Layers[l]), (MinMax{}).Choose(&s.Layers[l]); got.Scale != want.Scale {
			t.Errorf("layer %d: %v, minmax %v", l, got, want)
		}
	}
}

// The Gaussian clip of a picture of 1000 values up to 2, worked out by hand:
// 0.175 (1 + sqrt(pi ln 4)) = 0.540208; 2*2*0.540208/sqrt(2 ln 1000) = 0.581350.
func TestACIQ(t *testing.T) {
	h := &Histogram{First: 2, Max: 2, Pictures: 7, Counts: make([]uint64, Bins)}
	h.Counts[5] = 7000
	if got := (NcnnACIQ{}).Choose(h); math.Abs(got.Threshold-0.581350*3.92403714) > 1e-5 {
		t.Errorf("%+v", got)
	}
	h.Counts[5], h.Pictures = 7, 7
	if got := (NcnnACIQ{}).Choose(h); math.IsInf(got.Threshold, 0) {
		t.Error("one value a picture")
	}
}

// Two values whose best common step is the larger one's: nothing is gained by
// clipping it; and many small ones beside a rare large one, where it is.
func TestPytorchMSE(t *testing.T) {
	h := &Histogram{First: 1, Max: 1, Counts: make([]uint64, Bins)}
	h.Extra = h.blank().Extra
	h.Appended[2047], h.Appended[1023] = 1, 1
	if got := (PytorchMSE{}).Choose(h); middlesError(h.Appended, (float64(got.Bin)+.5)/127) > middlesError(h.Appended, 2047.5/127) {
		t.Errorf("%+v", got)
	}
	for b := range 300 {
		h.Appended[b] = 100000
	}
	if got := (PytorchMSE{}).Choose(h); got.Bin > 400 {
		t.Errorf("%+v", got)
	}
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Params
		want string
	}{
		{"ort-entropy", nil, "ort-entropy"}, {"ort-entropy", Params{"bins": 2048}, "ort-entropy-2048"},
		{"ort-percentile", nil, "ort-percentile"}, {"ort-percentile", Params{"percent": 99}, "ort-percentile-99"},
		{"pytorch-percentile", Params{"percent": 99.9}, "pytorch-percentile-99.9"}, {"mxnet-kl", nil, "mxnet-kl"},
	} {
		if k, err := Named(c.name, c.p); err != nil || k.Name() != c.want {
			t.Errorf("%s %v: %v %v", c.name, c.p, k, err)
		}
	}
	for name, p := range map[string]Params{"ort-entropy": {"bins": 100}, "ort-percentile": {"percent": 101}, "pytorch-percentile": {"percent": -1}} {
		if _, err := Named(name, p); err == nil {
			t.Errorf("%s %v accepted", name, p)
		}
	}
}

// A first batch far smaller than the later ones: the histograms that are
// lengthened stay within their limits.
func TestGeometryLimits(t *testing.T) {
	for _, h := range []Histogram{
		{First: 1, Max: 1}, {First: 1, Max: 1.5}, {First: 1, Max: 20}, {First: 1e-45, Max: 3e38}, {First: 1, Min: -3},
	} {
		width, bins := h.appended()
		if top := float64(h.AbsMax()); bins > maxAppended || float64(bins)*width < top*(1-1e-12) || bins < Bins {
			t.Errorf("%v: %d bins of %v", h, bins, width)
		}
		width, side := h.widened()
		if top := float64(h.AbsMax()); 2*side+1 > maxWidened || (float64(side)+.5)*width < top*(1-1e-12) || 2*side+1 < SignedBins {
			t.Errorf("%v: %d bins on a side of %v", h, side, width)
		}
	}
	h := Histogram{First: 1, Max: 1.5}
	if w, n := h.appended(); w != 1./2048 || n != 3072 {
		t.Error(w, n)
	}
	if w, n := h.widened(); w != 2./8001 || n != 4000+int(math.Floor(.5/(2./8001)))+1 {
		t.Error(w, n)
	}
}

// TestExtraCounts compares each list of counts with its definition.
func TestExtraCounts(t *testing.T) {
	src := randomSource(4)
	o := Options{Batch: 4, Workers: 3}
	s, err := Collect(t.Context(), src, o)
	if err != nil {
		t.Fatal(err)
	}
	for l := range s.Layers {
		h := &s.Layers[l]
		want := h.blank()
		top := float64(h.AbsMax())
		aw, _ := h.appended()
		ww, side := h.widened()
		for _, p := range src.pictures {
			for _, v := range p[l] {
				x, a := float64(v), math.Abs(float64(v))
				if v == 0 {
					want.Zeros++
				}
				half := &want.Positive
				if v < 0 {
					half = &want.Negative
				}
				(*half)[min(Bins-1, int(math.Floor(a*(Bins/top))))]++
				want.Signed[min(SignedBins-1, int(math.Floor((x+top)*(SignedBins/(2*top)))))]++
				want.Appended[min(len(want.Appended)-1, int(math.Floor(a*(1/aw))))]++
				want.Widened[min(len(want.Widened)-1, int(math.Floor(x*(1/ww)+float64(side)+.5)))]++
			}
		}
		for i, counts := range h.arrays() {
			if i > 0 && !slices.Equal(*counts, *want.arrays()[i]) {
				t.Errorf("layer %d: list %d", l, i)
			}
		}
		if h.Zeros != want.Zeros || h.Pictures != 23 {
			t.Errorf("layer %d: %d zeros of %d, %d pictures", l, h.Zeros, want.Zeros, h.Pictures)
		}
	}
}

// Everything that does not follow the first batch is the same for any order of
// the pictures; the rest is the same as long as the first batch is.
func TestOrder(t *testing.T) {
	src := randomSource(6)
	a, err := Collect(t.Context(), src, Options{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	turned := src
	turned.pictures = append(slices.Clone(src.pictures[:1]), slices.Clone(src.pictures[1:])...)
	slices.Reverse(turned.pictures[1:])
	b, err := Collect(t.Context(), turned, Options{Batch: 1, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	for l := range a.Layers[:2] { // the third is zero in the first pictures
		for i, counts := range a.Layers[l].arrays() {
			if !slices.Equal(*counts, *b.Layers[l].arrays()[i]) {
				t.Errorf("layer %d, list %d depends on the order after the first batch", l, i)
			}
		}
	}
	slices.Reverse(turned.pictures)
	c, err := Collect(t.Context(), turned, Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	for l := range a.Layers {
		x, y := &a.Layers[l], &c.Layers[l]
		if x.Zeros != y.Zeros || !slices.Equal(x.Negative, y.Negative) || !slices.Equal(x.Positive, y.Positive) || !slices.Equal(x.Signed, y.Signed) {
			t.Errorf("layer %d depends on the order", l)
		}
	}
}

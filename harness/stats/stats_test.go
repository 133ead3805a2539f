package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The figures are those of Newcombe 1998 (Statistics in Medicine 17:857), table I.
func TestProportion(t *testing.T) {
	for _, c := range []struct {
		k, n           int
		wl, wh, cl, ch float64
	}{
		{81, 263, 0.2553, 0.3662, 0.2527, 0.3676},
		{15, 148, 0.0624, 0.1605, 0.0578, 0.1617},
		{0, 20, 0, 0.1611, 0, 0.1684},
		{1, 29, 0.0061, 0.1718, 0.0009, 0.1776},
		{29, 29, 0.8830, 1, 0.8806, 1},
	} {
		w, e := Wilson(c.k, c.n, 0.95), ClopperPearson(c.k, c.n, 0.95)
		near(t, "wilson low", w.Lo, c.wl, 6e-5)
		near(t, "wilson high", w.Hi, c.wh, 6e-5)
		near(t, "exact low", e.Lo, c.cl, 6e-5)
		near(t, "exact high", e.Hi, c.ch, 6e-5)
	}
	if Wilson(0, 0, 0.95) != (Interval{0, 1}) || ClopperPearson(0, 0, 0.95) != (Interval{0, 1}) {
		t.Error("no trials")
	}
}

// Clopper-Pearson's ends have exactly 2.5 % in the tail, by enumeration.
func TestClopperPearsonTails(t *testing.T) {
	for n := 1; n <= 30; n++ {
		for k := 1; k < n; k++ {
			i := ClopperPearson(k, n, 0.95)
			lo, hi := 0.0, 0.0
			for j := 0; j <= n; j++ {
				term := func(p float64) float64 {
					return math.Exp(logChoose(n, j)) * math.Pow(p, float64(j)) * math.Pow(1-p, float64(n-j))
				}
				if j >= k {
					lo += term(i.Lo)
				}
				if j <= k {
					hi += term(i.Hi)
				}
			}
			near(t, "lower tail", lo, 0.025, 1e-9)
			near(t, "upper tail", hi, 0.025, 1e-9)
		}
	}
}

func TestMcNemar(t *testing.T) {
	for n := 0; n <= 20; n++ {
		for k := 0; k <= n; k++ {
			extreme := 0 // outcomes of n fair coins at least as uneven
			for bits := range 1 << n {
				ones := 0
				for b := bits; b > 0; b &= b - 1 {
					ones++
				}
				if abs(2*ones-n) >= abs(2*k-n) {
					extreme++
				}
			}
			if n > 14 && k != n/3 {
				continue
			}
			p, _ := McNemar(k, n-k)
			near(t, "p", p, float64(extreme)/float64(int(1)<<n), 1e-12)
		}
	}
	p, l := McNemar(0, 5000)
	if p != 0 {
		t.Error("2^-4999 is not zero")
	}
	near(t, "log p", l, -4999*math.Log10(2), 1e-9)
}

func abs(v int) int { return max(v, -v) }

// At the ends of the interval the score, with the nuisance rate found by brute
// maximisation of the likelihood instead of the closed form, equals z.
func TestTangoAgainstLikelihood(t *testing.T) {
	for _, p := range []Paired{{50, 2, 12}, {50, 12, 2}, {1000, 30, 11}, {10000, 120, 90}, {30, 1, 4}, {44, 1, 0}} {
		i := p.Interval(0.95)
		for _, e := range []struct{ d, z float64 }{{i.Lo, 1.959964}, {i.Hi, -1.959964}} {
			q := bestRate(p, e.d)
			s := (float64(p.Won-p.Lost) - float64(p.N)*e.d) / math.Sqrt(float64(p.N)*(2*q+e.d*(1-e.d)))
			near(t, "score", s, e.z, 1e-4)
		}
		if !i.Contains(p.Difference()) {
			t.Errorf("%v: %v", p, i)
		}
		m := Paired{p.N, p.Won, p.Lost}.Interval(0.95)
		near(t, "mirror", m.Lo, -i.Hi, 1e-9)
		near(t, "mirror", m.Hi, -i.Lo, 1e-9)
	}
}

// bestRate maximises the trinomial likelihood over the rate of lost pictures.
func bestRate(p Paired, d float64) float64 {
	like := func(q float64) float64 {
		xlog := func(k int, v float64) float64 {
			if k == 0 {
				return 0
			}
			return float64(k) * math.Log(v)
		}
		return xlog(p.Lost, q) + xlog(p.Won, q+d) + xlog(p.N-p.Lost-p.Won, 1-2*q-d)
	}
	lo, hi := max(0, -d), (1-d)/2
	for range 300 {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if like(a) < like(b) {
			lo = a
		} else {
			hi = b
		}
	}
	return (lo + hi) / 2
}

// The interval's true coverage, by enumerating every outcome of 30 pictures.
func TestTangoCoverage(t *testing.T) {
	const n = 30
	var cache [n + 1][n + 1]Interval
	for b := range n + 1 {
		for c := range n + 1 - b {
			cache[b][c] = Paired{n, c, b}.Interval(0.95)
		}
	}
	sum, cells := 0.0, 0.0
	for _, r := range [][2]float64{{.05, .05}, {.1, .1}, {.2, .1}, {.1, .3}, {.3, .3}, {.02, .2}, {.4, .2}} {
		cover := 0.0
		for b := range n + 1 {
			for c := range n + 1 - b {
				if cache[b][c].Contains(r[0] - r[1]) {
					ln := logChoose(n, b) + logChoose(n-b, c) + float64(b)*math.Log(r[0]) + float64(c)*math.Log(r[1]) + float64(n-b-c)*math.Log(1-r[0]-r[1])
					cover += math.Exp(ln)
				}
			}
		}
		if cover < 0.92 {
			t.Errorf("rates %v: coverage %.4f", r, cover)
		}
		sum, cells = sum+cover, cells+1
	}
	near(t, "mean coverage", sum/cells, 0.955, 0.012)
}

func TestGate(t *testing.T) {
	for _, c := range []struct {
		p     Paired
		limit float64
		want  Verdict
	}{
		{Paired{10000, 50, 48}, -0.01, Pass}, {Paired{10000, 500, 100}, -0.01, Fail}, {Paired{1000, 20, 12}, -0.01, Inconclusive},
	} {
		v, n := c.p.Judge(c.limit)
		if v != c.want || (n > 0) != (v == Inconclusive) {
			t.Errorf("%v: %s, %d needed", c.p, v, n)
		}
	}
	// 1.959964^2 * (0.032 - 0.008^2) / 0.002^2 = 30668.8
	if n := (Paired{1000, 20, 12}).Needed(-0.01); n != 40000 {
		t.Errorf("needed %d", n)
	}
	if n := (Paired{1000, 10, 0}).Needed(-0.01); n != 0 {
		t.Errorf("on the limit: %d", n)
	}
	if (Paired{10, 6, 5}).Validate() == nil || (Paired{10, 5, 5}).Validate() != nil {
		t.Error("validate")
	}
	if len((Paired{10, 1, 1}).Warnings()) != 2 || len((Paired{1000, 10, 1}).Warnings()) != 0 {
		t.Error("warnings")
	}
	i := (Paired{100, 0, 0}).Interval(0.95)
	if i.Lo >= 0 || i.Hi <= 0 {
		t.Errorf("no discordant picture: %v", i)
	}
	if i := (Paired{10, 10, 0}).Interval(0.95); i.Lo != -1 || i.Hi < -0.9 && i.Hi > 0 {
		t.Errorf("all lost: %v", i)
	}
}

func TestTop1(t *testing.T) {
	nan := float32(math.NaN())
	var a, b Top1
	for i, c := range []struct {
		s     []float32
		label int
		want  Outcome
	}{
		{[]float32{1, 3, 2}, 1, Outcome{1, 1, 1, false}},
		{[]float32{3, 3, 2}, 0, Outcome{0, 2, .5, false}},
		{[]float32{3, 3, 2}, 1, Outcome{0, 2, .5, false}},
		{[]float32{3, 3, 2}, 2, Outcome{0, 2, 0, false}},
		{[]float32{5, 5, 5, 5}, 3, Outcome{0, 4, .25, false}},
		{[]float32{nan, -1}, 1, Outcome{1, 1, 1, true}},
		{[]float32{nan, nan}, 0, Outcome{0, 2, 0, true}},
		{[]float32{float32(math.Inf(-1)), float32(math.Inf(-1))}, 0, Outcome{0, 2, .5, false}},
	} {
		part := &a
		if i%2 == 1 {
			part = &b
		}
		if got := part.Add(c.s, c.label); got != c.want {
			t.Errorf("%v, label %d: %+v, want %+v", c.s, c.label, got, c.want)
		}
	}
	a.Merge(b)
	if want := (Top1{Images: 8, Correct: 4, Ties: 6, Best: 6, Worst: 2, Expected: 3.75, NaNs: 2}); a != want {
		t.Errorf("%+v", a)
	}
	w, e, bst := a.Bounds()
	if w != 0.25 || e != 3.75/8 || bst != 0.75 || a.Accuracy() != 0.5 || len(a.Warnings()) != 2 || (Top1{}).Accuracy() != 0 {
		t.Error(w, e, bst)
	}
}

func TestQuantileAndLatency(t *testing.T) {
	// By hand: position 3q between the values.
	for q, want := range map[float64]float64{0: 1, .1: 1.3, .5: 3, .75: 5, 1: 8} {
		near(t, "quantile", Quantile([]float64{1, 2, 4, 8}, q), want, 1e-12)
	}
	if !math.IsNaN(Quantile(nil, .5)) || len(Summarize(nil).Warnings) != 1 {
		t.Error("empty")
	}
	v := make([]float64, 100)
	for i := range v {
		v[i] = float64(i + 1)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(100, func(i, j int) { v[i], v[j] = v[j], v[i] })
	// P(Bin(100, 1/2) <= 39) = 0.0176 and <= 40 is 0.0284: ranks 40 and 61.
	if l := Summarize(v); l.Interval != (Interval{40, 61}) || l.Median != 50.5 || len(l.Warnings) != 0 || l.Reliability < .95 {
		t.Errorf("%+v", l)
	}
	// For 6 values the range covers with 1 - 2/64.
	if l := Summarize(v[:6]); math.Abs(l.Reliability-(1-2./64)) > 1e-12 || l.Interval.Lo != l.Min {
		t.Errorf("%+v", l)
	}
	if l := Summarize([]float64{1, 2, 3}); len(l.Warnings) != 1 {
		t.Errorf("%+v", l)
	}
	if l := Summarize([]float64{1, 1.1, 1.2, 1.1, 1.1, 1.2, 1, 99}); len(l.Warnings) != 1 || l.Median != 1.1 {
		t.Errorf("%+v", l)
	}
}

func TestIntervalJSON(t *testing.T) {
	b, _ := json.Marshal(Interval{0.25, 0.5})
	var i Interval
	if err := json.Unmarshal(b, &i); err != nil || string(b) != "[0.25,0.5]" || i != (Interval{0.25, 0.5}) {
		t.Error(string(b), err)
	}
	if json.Unmarshal([]byte(`"x"`), &i) == nil {
		t.Error("accepted a string")
	}
}

package testrun

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// WithBakeoff adds an invented bake-off to a run: a line for TensorRT and one for
// NVDLA a model, with the given calibrators, three numbers of pictures and three
// subsets. The last calibrator is far behind the others.
func WithBakeoff(r *record.Run, calibrators []string) *record.Run {
	b := &record.Bakeoff{}
	for mi, model := range r.Models {
		for li, runtime := range []string{"tensorrt-int8", "nvdla-int8"} {
			rng := rand.New(rand.NewPCG(uint64(mi), uint64(li)))
			l := record.BakeoffLine{Model: model.Name, Dataset: r.Datasets[0].Name, Runtime: runtime, Images: 10000, Reference: 0.93, Main: 500, Subsets: 3, Share: 0.25}
			if li == 1 {
				l.Target, l.Mode, l.Profile, l.InputMode = "nv_large", "per-filter", "fast-math", "quantized"
			}
			invent(&l, calibrators, rng)
			b.Lines = append(b.Lines, l)
		}
	}
	r.Bakeoff = b
	return r
}

// invent fills a line with points around a loss for each calibrator.
func invent(l *record.BakeoffLine, calibrators []string, rng *rand.Rand) {
	means := map[string]float64{}
	for ci, name := range calibrators {
		loss := 0.0008 * float64(ci)
		if ci == len(calibrators)-1 && ci > 1 {
			loss = 0.2
		}
		for _, size := range []int{100, 500, 1000} {
			p := record.BakeoffPoint{Calibrator: name, Calibration: size}
			var rates []float64
			for range 3 {
				rate := 0.929 - loss - 0.02/float64(size)*rng.Float64()*10 - 0.0004*rng.Float64()
				p.Correct = append(p.Correct, int(10000*rate))
				rates = append(rates, float64(int(10000*rate))/10000)
			}
			s := stats.Spreading(rates, 0.95)
			p.Mean, p.Deviation, p.Range, p.Interval = s.Mean, s.Deviation, s.Range, &s.Interval
			l.Points = append(l.Points, p)
			if size == l.Main {
				means[name] = s.Mean
			}
		}
	}
	ranked := slices.Clone(calibrators)
	slices.SortStableFunc(ranked, func(a, b string) int { return cmp.Compare(means[b], means[a]) })
	var ps []float64
	for i, a := range ranked {
		for _, c := range ranked[i+1:] {
			d := means[a] - means[c]
			p := math.Exp(-d * 6000)
			l.Pairs = append(l.Pairs, record.BakeoffPair{Better: a, Worse: c, Difference: d, Interval: stats.Interval{Lo: d - 0.0006, Hi: d + 0.0006}, DF: 7.5, P: p, McNemarP: p / 2})
			ps = append(ps, p)
		}
	}
	apart := map[[2]int]bool{}
	k := 0
	for i := range ranked {
		for j := i + 1; j < len(ranked); j++ {
			l.Pairs[k].Adjusted = stats.Holm(ps)[k]
			apart[[2]int{i, j}] = l.Pairs[k].Adjusted < 0.05
			k++
		}
	}
	for _, g := range stats.Alike(len(ranked), func(i, j int) bool { return apart[[2]int{i, j}] }) {
		var names []string
		for _, i := range g {
			names = append(names, ranked[i])
		}
		l.Groups = append(l.Groups, names)
	}
}

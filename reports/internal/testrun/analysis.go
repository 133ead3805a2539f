package testrun

import (
	"math/rand/v2"

	"quantbench/harness/record"
)

// WithAnalysis adds an invented waterfall and sensitivity to the int8 cells of a
// run. The waterfall's steps add up to the cell's difference.
func WithAnalysis(r *record.Run) *record.Run {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Reference == "" || c.Imported != nil {
			continue
		}
		c.Analysis = &record.Analysis{Waterfall: inventWaterfall(c, rng), Sensitivity: inventSensitivity(c, rng), Layers: inventLocal(c, rng), Pictures: 32}
	}
	return r
}

func inventWaterfall(c *record.Cell, rng *rand.Rand) *record.Waterfall {
	names := []string{record.StepWeights, record.StepActivations, record.StepInteger}
	if c.Mode != "" {
		names = []string{record.StepWeights, record.StepActivations, record.StepTies, record.StepInteger, record.StepOverride}
	}
	w := &record.Waterfall{Reference: c.Reference, Images: c.Images, Start: c.Correct + c.Lost - c.Won, End: c.Correct, Agreement: 0.993}
	changes := make([][2]int, len(names)) // lost and won of each step; weights take the rest
	rest := w.End - w.Start
	for i := 1; i < len(names); i++ {
		changes[i] = [2]int{rng.IntN(9), rng.IntN(6)}
		rest -= changes[i][1] - changes[i][0]
	}
	changes[0] = [2]int{max(0, -rest) + 2, max(0, rest) + 2}
	at := w.Start
	for i, name := range names {
		lost, won := changes[i][0], changes[i][1]
		at += won - lost
		emulated := name != record.StepInteger && name != record.StepOverride
		w.Steps = append(w.Steps, record.Step{Name: name, Emulated: emulated, Mixed: inventMixed(at, lost, won, c.Images), Same: c.Images - lost - won})
	}
	return w
}

func inventMixed(correct, lost, won, n int) record.Mixed {
	return record.Mixed{Correct: correct, Top1: float64(correct) / float64(n), Interval: wilson(correct, n), Lost: lost, Won: won,
		Difference: float64(won-lost) / float64(n), DifferenceInterval: paired(lost, won, n)}
}

func inventLocal(c *record.Cell, rng *rand.Rand) []record.LayerError {
	var list []record.LayerError
	for i, l := range c.Layers {
		local, cosine, unused := l.SQNR+10*rng.Float64(), 0.99+0.01*rng.Float64(), 0.5*rng.Float64()
		l.Local, l.LocalCosine, l.Unused, l.Cosine, l.Dead = &local, &cosine, &unused, cosine-0.01, 0.01*float64(i)
		list = append(list, l)
	}
	return list
}

func inventSensitivity(c *record.Cell, rng *rand.Rand) *record.Sensitivity {
	n := 200
	right := int(float64(n) * c.Top1)
	s := &record.Sensitivity{Images: n, Float: inventMixed(right, 0, 0, n), Int8: inventMixed(right-2, 3, 1, n), Agreement: 0.985}
	for i, l := range c.Layers {
		lost, won := rng.IntN(3), rng.IntN(2)
		if i == len(c.Layers)/2 {
			lost = 12 + rng.IntN(5)
		}
		s.Layers = append(s.Layers, record.LayerSensitivity{Layer: l.Layer, Parts: []string{l.Layer, l.Layer + "_bn"},
			Only: inventMixed(right-lost+won, lost, won, n), Without: inventMixed(right-2-won+lost, won, lost, n)})
	}
	return s
}

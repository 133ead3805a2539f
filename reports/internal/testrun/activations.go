package testrun

import (
	"math"

	"quantbench/harness/record"
)

// WithActivations adds invented histograms of the tensors that a run's tables
// list: bell-shaped in the logarithm, and larger for later layers.
func WithActivations(r *record.Run) *record.Run {
	edges := []int{1}
	for edges[len(edges)-1] < 2048 {
		last := edges[len(edges)-1]
		edges = append(edges, min(2048, max(last+1, int(math.Round(float64(last)*1.19)))))
	}
	seen := map[string]bool{}
	for _, t := range r.Tables {
		if seen[t.Model+"\x00"+t.Dataset] {
			continue
		}
		seen[t.Model+"\x00"+t.Dataset] = true
		a := record.Activations{Model: t.Model, Dataset: t.Dataset, Edges: edges}
		for i, s := range t.Scales {
			row := record.ActivationRow{Layer: s.Layer, Top: 150 * float64(s.Scale) * (1 + 0.1*float64(i)), Least: 1000}
			row.Values = row.Least
			for b := range edges[1:] {
				d := (float64(b) - 30) / 6
				n := uint64(100000 * math.Exp(-d*d))
				row.Counts, row.Values = append(row.Counts, n), row.Values+n
			}
			a.Tensors = append(a.Tensors, row)
		}
		r.Activations = append(r.Activations, a)
	}
	return r
}

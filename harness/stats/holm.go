package stats

import (
	"cmp"
	"slices"
)

// Holm corrects p-values for being many (Holm 1979, Scand. J. Statist. 6:65):
// if all that come out below a level are called different, the chance of even
// one false call stays below that level, however the tests depend on each
// other. The result is in the order of p; none is smaller than before or above
// 1, and equal values stay equal.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out, top := make([]float64, len(p)), 0.0
	for rank, i := range order {
		top = max(top, min(1, float64(len(p)-rank)*p[i]))
		out[i] = top
	}
	return out
}

package harness

import (
	"context"
	"math"
	"slices"

	"quantbench/harness/calibrate"
	"quantbench/harness/record"
)

// activationEdges cut 2048 equal bins into at most 64: whole numbers from 1,
// spaced by a sixth of an octave where that is more than one.
func activationEdges() []int {
	edges := []int{1}
	for k := 1.0; edges[len(edges)-1] < calibrate.Bins; k++ {
		if e := int(math.Round(math.Exp2(k / 6))); e > edges[len(edges)-1] {
			edges = append(edges, min(e, calibrate.Bins))
		}
	}
	return edges
}

// describeActivations adds the histograms behind the tables of a run, of networks
// for which several calibrators chose from them.
func (e *Experiment) describeActivations(ctx context.Context, run *record.Run, outcomes []outcome) error {
	choosers := map[Point][]string{}
	for _, o := range outcomes {
		p := o.plan.Point
		at := Point{Model: p.Model, Dataset: p.Dataset, Images: p.Images, Subset: p.Subset}
		if o.cell.Status != record.OK || !o.cell.Stands() || p.Calibrator == "" || !e.cfg.chooses(p) || slices.Contains(choosers[at], p.Calibrator) {
			continue
		}
		if choosers[at] = append(choosers[at], p.Calibrator); len(choosers[at]) != 2 {
			continue
		}
		n, err := e.network(p.Model)
		if err != nil {
			return err
		}
		s, err := e.statistics(ctx, n, p)
		if err != nil {
			return err
		}
		a := record.Activations{Model: p.Model, Dataset: p.Dataset, Edges: activationEdges()}
		for i, l := range n.Layers {
			if h := &s.Layers[i]; h.First > 0 {
				a.Tensors = append(a.Tensors, activationRow(l.Name, h, a.Edges))
			}
		}
		run.Activations = append(run.Activations, a)
	}
	return nil
}

// activationRow gathers the bins of |x| between edges.
func activationRow(layer string, h *calibrate.Histogram, edges []int) record.ActivationRow {
	r := record.ActivationRow{Layer: layer, Top: float64(h.AbsMax()), Values: h.Total()}
	sum := func(from, to int) (n uint64) {
		for b := from; b < to; b++ {
			n += h.Negative[b] + h.Positive[b]
		}
		return n
	}
	r.Least = sum(0, edges[0])
	for i := range edges[1:] {
		r.Counts = append(r.Counts, sum(edges[i], edges[i+1]))
	}
	return r
}

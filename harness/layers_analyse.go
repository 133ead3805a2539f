package harness

import (
	"context"
	"encoding/json"
	"fmt"

	"quantbench/harness/record"
)

// analysisKind is the store's folder of finished analyses.
const (
	analysisKind = "analyses"
	analysisFile = "analysis.json"
)

// analyse adds to each int8 cell of a run what the configuration asks for.
func (e *Experiment) analyse(ctx context.Context, outcomes []outcome) error {
	if e.cfg.Layers == (LayersSpec{}) {
		return nil
	}
	for i := range outcomes {
		o := &outcomes[i]
		if o.cell.Status != record.OK || o.plan.Import != nil || o.plan.Point.Runtime == FP32 || !o.cell.Stands() {
			continue
		}
		a, err := e.analyseCell(ctx, o, reference(outcomes, o), e.cfg.Layers)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a = &record.Analysis{Reason: err.Error()}
		}
		o.cell.Analysis = a
	}
	return nil
}

// analyseCell makes one cell's analysis, or takes it from the store.
func (e *Experiment) analyseCell(ctx context.Context, o, ref *outcome, spec LayersSpec) (a *record.Analysis, err error) {
	defer recovered(&err)
	k := append(key(nil), o.plan.Parts...)
	k.add("analysis", fmt.Sprintf("%+v", spec))
	k.add("layers", fmt.Sprint(layerPictures))
	if ref != nil {
		k.add("reference", ref.plan.Key)
	}
	a = &record.Analysis{}
	if data, err := e.store.Get(analysisKind, k.sum(), analysisFile); err == nil && json.Unmarshal(data, a) == nil {
		return a, nil
	}
	r, err := e.ready(ctx, o.plan)
	if err != nil {
		return nil, err
	}
	if err := e.fillAnalysis(ctx, a, r, o, ref, spec); err != nil {
		return nil, err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return a, e.store.Put(analysisKind, k.sum(), map[string][]byte{analysisFile: data})
}

// fillAnalysis measures what spec asks for.
func (e *Experiment) fillAnalysis(ctx context.Context, a *record.Analysis, r *prepared, o, ref *outcome, spec LayersSpec) (err error) {
	work := &analysis{Experiment: e, prepared: r, plan: o.plan}
	a.Pictures = min(layerPictures, r.pix.n())
	if a.Layers, err = bothErrors(ctx, r, a.Pictures); err != nil {
		return err
	}
	if spec.Sensitivity > 0 {
		if a.Sensitivity, err = work.sensitivity(ctx, spec.Sensitivity); err != nil {
			return err
		}
	}
	if spec.Waterfall && ref == nil {
		a.Reason = "a waterfall begins at the fp32 cell of the same network and pictures, which has no result; take fp32 into the matrix"
	} else if spec.Waterfall {
		a.Waterfall, err = work.waterfall(ctx, ref, o)
	}
	return err
}

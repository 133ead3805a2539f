package harness

import (
	"context"
	"errors"

	"quantbench/datasets"
	"quantbench/harness/diagnose"
	"quantbench/harness/doctor"
	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// pictureFindings says what is wrong with the labels and pictures of a finished
// cell. It is found out anew for each report, and is no part of what is stored.
func (e *Experiment) pictureFindings(ctx context.Context, o *outcome) ([]record.Finding, error) {
	found := doctor.PermutedLabels(stats.Confusion(o.cell.Confusion))
	if o.plan.Import != nil {
		return found, nil
	}
	d, err := e.dataset(o.plan.Point.Dataset, "test")
	if err != nil {
		return nil, err
	}
	found = append(found, doctor.NumberedFolders(d.Info())...)
	more, err := e.overlapping(ctx, o.plan.Point, o.plan.Images)
	return append(found, more...), err
}

// overlapping compares the first n test pictures of a point with its calibration
// pictures. A point whose scales no picture chose has none.
func (e *Experiment) overlapping(ctx context.Context, p Point, n int) ([]record.Finding, error) {
	if p.Runtime == FP32 {
		return nil, nil
	}
	if spec, err := e.cfg.calibrator(p.Calibrator); err != nil || spec.Name == TableCalibrator {
		return nil, err
	}
	at := e.cfg.calibratedAt(p)
	id := p.Dataset + " " + at.Split + " " + at.pictures()
	if found, ok := e.overlaps[id]; ok {
		return found, nil
	}
	test, err := e.dataset(p.Dataset, "test")
	if err != nil {
		return nil, err
	}
	split, err := e.dataset(p.Dataset, at.Split)
	if err != nil {
		return nil, err
	}
	s := at.open(split, at.size)
	o, err := datasets.OverlapsOf(ctx, datasets.Part{Dataset: s.Dataset, From: s.from, To: s.to}, datasets.Part{Dataset: test, From: 0, To: n})
	if err != nil {
		return nil, err
	}
	e.overlaps[id] = doctor.Overlapping(o)
	return e.overlaps[id], nil
}

// DatasetFindings says what is wrong with the labels and pictures of a
// configuration's datasets, as far as they are on this machine, before anything
// has run.
func (e *Experiment) DatasetFindings(ctx context.Context) ([]diagnose.Finding, error) {
	e.opening = ctx
	var found []diagnose.Finding
	done := map[string]bool{}
	for _, c := range e.Plan() {
		p := c.Point
		at := p.Dataset + " " + e.cfg.calibratedAt(p).pictures()
		if c.Key == "" || c.Import != nil || p.Runtime == FP32 || done[at] {
			continue
		}
		done[at] = true
		d, err := e.dataset(p.Dataset, "test")
		if err != nil {
			return nil, err
		}
		found = append(found, doctor.NumberedFolders(d.Info())...)
		more, err := e.overlapping(ctx, p, c.Images)
		if err != nil && ctx.Err() == nil {
			err = errors.Join(errors.New("comparing calibration and evaluation pictures"), err)
		}
		if err != nil {
			return nil, err
		}
		for _, f := range more {
			f.Where = p.Dataset
			found = append(found, f)
		}
	}
	return found, ctx.Err()
}

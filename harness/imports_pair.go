package harness

import (
	"context"
	"fmt"
	"slices"

	"quantbench/harness/compare"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// compareImport pairs an import with its reference. What keeps them apart is the
// cell's failure if the reference was asked for, and a finding otherwise.
func (e *Experiment) compareImport(ctx context.Context, outcomes []outcome, o *outcome) error {
	ref, err := importReference(outcomes, o)
	if ref != nil && err == nil {
		err = e.pairImport(ctx, o, ref)
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case o.plan.Import.Reference == "":
		o.cell.Findings = append(o.cell.Findings, record.Finding{Code: "IM102", Severity: diagnose.Warning, Where: o.plan.Import.File,
			Fact: "not paired with fp32: " + err.Error(), Advice: "import answers to the pictures that the matrix scores, all of them"})
		return nil
	}
	failed := e.blank(o.plan)
	failed.Imported, failed.Status = o.cell.Imported, record.Failed
	failed.Reason = fmt.Sprintf("reference %q: %v", o.plan.Import.Reference, err)
	*o.cell = *failed
	return nil
}

// importReference is the outcome that an import is paired with; nil if there is
// none, or it is the import itself.
func importReference(outcomes []outcome, o *outcome) (*outcome, error) {
	if s := o.plan.Import.Reference; s != "" {
		cells := make([]record.Cell, len(outcomes))
		for i := range outcomes {
			cells[i] = *outcomes[i].cell
		}
		c, err := record.Select(cells, s)
		if err != nil {
			return nil, err
		}
		if c.ID == o.cell.ID {
			return nil, nil
		}
		i := slices.IndexFunc(outcomes, func(x outcome) bool { return x.cell.ID == c.ID })
		return &outcomes[i], nil
	}
	if ref := reference(outcomes, o); ref != nil {
		return ref, nil
	}
	for i := range outcomes {
		x := &outcomes[i]
		if x.plan.Import != nil && x.cell.Status == record.OK && x.cell.ID != o.cell.ID && o.plan.Point.Runtime != FP32 &&
			x.plan.Point.Runtime == FP32 && x.plan.Point.Model == o.plan.Point.Model && x.plan.Point.Dataset == o.plan.Point.Dataset {
			return x, nil
		}
	}
	return nil, nil
}

// pairImport fills the paired numbers of an import, with the telling pictures if
// we have them.
func (e *Experiment) pairImport(ctx context.Context, o, ref *outcome) error {
	a, err := e.answersOf(ctx, ref)
	if err != nil {
		return err
	}
	b, err := e.answersOf(ctx, o)
	if err != nil {
		return err
	}
	var t stats.Paired
	t.N, err = compare.Count(a, b, false, func(was, is bool) {
		switch {
		case was && !is:
			t.Lost++
		case is && !was:
			t.Won++
		}
	})
	if err != nil {
		return err
	}
	if ref.plan.Import == nil && slices.Equal(a.Pictures, b.Pictures) {
		return e.compare(ctx, o, ref)
	}
	c := o.cell
	p, _ := stats.McNemar(t.Lost, t.Won)
	c.Reference, c.Lost, c.Won, c.McNemarP = ref.cell.ID, t.Lost, t.Won, &p
	c.Difference, c.DifferenceInterval = t.Difference(), t.Interval(stats.Confidence)
	return nil
}

package harness

import (
	"context"

	"quantbench/harness/record"
)

// runOnce runs a cell, unless one of the same program and pictures ran before:
// of the calibrations that a sweep varies, many give the same table.
func (e *Experiment) runOnce(ctx context.Context, c PlannedCell, partial *record.Partial, ev Event) (*record.Cell, []record.Prediction, error) {
	if e.blank(c).Stands() {
		return e.runCell(ctx, c, partial, ev)
	}
	id, err := e.programKey(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if o, ok := e.finished[id]; ok {
		same, b := *o.cell, e.blank(c)
		same.ID, same.Calibrator, same.Calibration, same.Key = b.ID, b.Calibrator, b.Calibration, b.Key
		return &same, o.predictions, nil
	}
	cell, predictions, err := e.runCell(ctx, c, partial, ev)
	if err == nil {
		e.finished[id] = outcome{c, cell, predictions}
	}
	return cell, predictions, err
}

// programKey is a cell's key with its scales in the place of how they came about.
func (e *Experiment) programKey(ctx context.Context, c PlannedCell) (id string, err error) {
	defer recovered(&err)
	n, err := e.network(c.Point.Model)
	if err != nil {
		return "", err
	}
	scales, err := e.scales(ctx, n, c.Point)
	if err != nil {
		return "", err
	}
	var k key
	for _, part := range c.Parts {
		if part.Name == "calibration" {
			part.Value = digest(floatBytes(scales))
		}
		k.add(part.Name, part.Value)
	}
	return k.sum(), nil
}

// calibrationOf is what a cell's record says of its calibration; nil unless it
// is swept.
func (e *Experiment) calibrationOf(p Point) *record.Calibration {
	at := e.cfg.calibratedAt(p)
	if p.Images == "" || !at.swept() {
		return nil
	}
	c := &record.Calibration{Images: at.size, Subset: at.subset}
	if d, err := e.dataset(p.Dataset, at.Split); err == nil {
		c.Main = at.size == at.main(d.Info().Len) && at.subset <= 1
	}
	return c
}

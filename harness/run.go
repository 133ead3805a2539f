package harness

import (
	"context"
	"errors"
	"fmt"

	"quantbench/datasets/decoded"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/stats"
)

// outcome is one cell after the run: its plan, its record, its predictions.
type outcome struct {
	plan        PlannedCell
	cell        *record.Cell
	predictions []record.Prediction
}

// pair is a network with the pictures of one dataset.
type pair struct {
	model, dataset string
	*pixels
}

// progress counts the multiply-accumulates of the cells that a run has to do.
type progress struct{ total, done int64 }

// Run executes every cell that the store does not hold, and gathers all results.
// One cell's failure is that cell's alone. When ctx ends, what is finished is
// kept, and the error is ctx's; a further Run goes on from there.
func (e *Experiment) Run(ctx context.Context) (*record.Run, error) {
	e.opening = ctx
	certificates, err := e.certificates()
	if err != nil {
		return nil, err
	}
	plan := e.Plan()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	e.work = progress{}
	for _, c := range plan {
		if c.Key != "" && !c.Cached {
			e.work.total += c.MACs
		}
	}
	outcomes := make([]outcome, len(plan))
	for i, c := range plan {
		o, err := e.finish(ctx, c, Event{Point: c.Point, Cell: i + 1, Cells: len(plan)})
		if err != nil {
			return nil, errors.Join(err, e.forget())
		}
		outcomes[i] = o
	}
	if err := e.analyse(ctx, outcomes); err != nil {
		return nil, err
	}
	if err := e.forget(); err != nil {
		return nil, err
	}
	e.last = outcomes
	run, err := e.gather(ctx, outcomes)
	if err != nil {
		return nil, err
	}
	run.Certificates = certificates
	return run, nil
}

// finish gets one cell's outcome from the store, or by running it.
func (e *Experiment) finish(ctx context.Context, c PlannedCell, ev Event) (outcome, error) {
	if c.Key == "" {
		return e.unrun(c, ev), nil
	}
	if c.Import != nil {
		return e.finishImport(ctx, c, ev)
	}
	cell, predictions, ok, err := e.store.Cell(c.Key)
	if err != nil {
		return outcome{}, err
	}
	if ok {
		cell.Calibration = e.calibrationOf(c.Point)
		ev.Kind, ev.Correct, ev.Total, ev.Done = CellCached, cell.Correct, cell.Images, cell.Images
		e.observe(ev)
		return outcome{c, cell, predictions}, nil
	}
	partial := e.store.Partial(c.Key, c.Images, block)
	ev.Kind, ev.Total, ev.Done = CellStarted, c.Images, partial.Pictures()
	e.observe(ev)
	cell, predictions, err = e.runOnce(ctx, c, partial, ev)
	if err := errors.Join(ctx.Err(), partial.Close()); err != nil {
		return outcome{}, err
	}
	e.work.done += c.MACs
	if err != nil {
		cell = e.blank(c)
		cell.Status, cell.Reason = record.Failed, err.Error()
		ev.Kind, ev.Reason, ev.Work = CellFailed, cell.Reason, e.share(0)
		e.observe(ev)
		return outcome{c, cell, nil}, nil
	}
	if err := e.store.PutCell(c.Key, cell, predictions); err != nil {
		return outcome{}, fmt.Errorf("saving cell %s: %w", c.ID(), err)
	}
	if err := partial.Remove(); err != nil {
		return outcome{}, fmt.Errorf("saving cell %s: %w", c.ID(), err)
	}
	ev.Kind, ev.Done, ev.Correct, ev.Work = CellDone, c.Images, cell.Correct, e.share(0)
	e.observe(ev)
	return outcome{c, cell, predictions}, nil
}

// share is the part of the work done, with extra multiply-accumulates of the
// cell under way.
func (e *Experiment) share(extra int64) float64 {
	if e.work.total == 0 {
		return 1
	}
	return float64(e.work.done+extra) / float64(e.work.total)
}

// unrun is the outcome of a cell that cannot run.
func (e *Experiment) unrun(c PlannedCell, ev Event) outcome {
	cell := e.blank(c)
	if c.Import != nil {
		cell.Imported = origin(c)
	}
	cell.Status, cell.Reason = record.Skipped, c.Skip
	ev.Kind = CellSkipped
	if c.Broken {
		cell.Status, ev.Kind = record.Failed, CellFailed
	}
	if c.Command != "" {
		cell.Reason += "; run: " + c.Command
	}
	ev.Reason = cell.Reason
	e.observe(ev)
	return outcome{plan: c, cell: cell}
}

func (e *Experiment) blank(c PlannedCell) *record.Cell {
	p := c.Point
	return &record.Cell{
		ID: c.ID(), Model: p.Model, Dataset: p.Dataset, Runtime: p.Runtime, Target: p.Target, Mode: p.Mode,
		Profile: p.Profile, InputMode: p.Input, Calibrator: p.Calibrator, Calibration: e.calibrationOf(p), Key: c.Parts,
	}
}

// runCell calibrates, prepares, scores and measures one cell. A panic in the
// code of a runtime is that cell's failure.
func (e *Experiment) runCell(ctx context.Context, c PlannedCell, partial *record.Partial, ev Event) (cell *record.Cell, p []record.Prediction, err error) {
	defer recovered(&err)
	r, err := e.ready(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	n, pix, model, program := r.net, r.pix, r.model, r.program
	cell = e.blank(c)
	for _, w := range program.Warnings() {
		cell.Findings = append(cell.Findings, warningFinding(w))
	}
	if p, err = e.score(ctx, program, pix, partial, n, ev); err != nil {
		return nil, nil, err
	}
	fillAccuracy(cell, p, pix.labels, n.Output().Out.Len())
	if !cell.Stands() {
		cell.Confusion, cell.Findings = nil, nil
		return cell, p, nil
	}
	fillDevice(cell, program)
	reclaim()
	if cell.Layers, err = e.layerErrors(ctx, c.Point, model, program, pix); err != nil {
		return nil, nil, err
	}
	cell.Findings = merged(append(cell.Findings, saturation(cell.Layers)...))
	cell.Latency, err = e.latency(ctx, c.Point, program, pix, n.Output().Out.Len())
	return cell, p, err
}

// prepared is a cell that is ready to score pictures.
type prepared struct {
	net     *network
	pix     *pixels
	model   runtime.Model
	engine  runtime.Runtime
	program runtime.Program
}

// ready loads, calibrates and prepares a cell.
func (e *Experiment) ready(ctx context.Context, c PlannedCell) (*prepared, error) {
	n, err := e.network(c.Point.Model)
	if err != nil {
		return nil, err
	}
	r := &prepared{net: n, model: runtime.Model{Network: n.Network, Preprocess: n.preprocess}}
	if r.pix, err = e.pixels(ctx, n, c); err != nil {
		return nil, err
	}
	reclaim()
	if c.Point.Runtime != FP32 {
		if r.model.Scales, err = e.scales(ctx, n, c.Point); err != nil {
			return nil, err
		}
	}
	if r.engine, err = e.newRuntime(c.Point); err != nil {
		return nil, err
	}
	reclaim()
	r.program, err = r.engine.Prepare(r.model)
	return r, err
}

// pixels are the pictures of a network and dataset, the same for all its cells.
func (e *Experiment) pixels(ctx context.Context, n *network, c PlannedCell) (*pixels, error) {
	if e.current.model == c.Point.Model && e.current.dataset == c.Point.Dataset {
		return e.current.pixels, nil
	}
	d, err := e.dataset(c.Point.Dataset, "test")
	if err != nil {
		return nil, err
	}
	if err := e.forget(); err != nil {
		return nil, err
	}
	p, err := e.readPixels(ctx, n, stretch{d, 0, c.Images})
	if err != nil {
		return nil, err
	}
	e.current = pair{c.Point.Model, c.Point.Dataset, p}
	return p, nil
}

// forget lets go of the pictures of the last pair, and tells if they could not be
// kept.
func (e *Experiment) forget() error {
	p := e.current.pixels
	e.current = pair{}
	if p == nil {
		return nil
	}
	if f, ok := p.Pictures.(*decoded.File); ok && f.Err() != nil {
		e.observe(Event{Kind: PicturesNotKept, Reason: fmt.Sprintf("decoded pictures could not be kept and were decoded anew: %v", f.Err())})
	}
	return p.close()
}

// fillAccuracy counts what the predictions are worth.
func fillAccuracy(cell *record.Cell, p []record.Prediction, labels []int, classes int) {
	cell.Status = record.OK
	cell.Confusion = record.NewConfusion(classes)
	var top stats.Top1
	for i, x := range p {
		cell.Confusion[labels[i]][x.Class]++
		top.Count(x.Outcome(), labels[i])
	}
	cell.Images, cell.Correct, cell.Ties = top.Images, top.Correct, top.Ties
	cell.Top1, cell.Interval = top.Accuracy(), top.Interval()
	cell.TopWorst, cell.TopExpected, cell.TopBest = top.Bounds()
	for _, w := range top.Warnings() {
		cell.Findings = append(cell.Findings, diagnose.FromError(w, "ST001"))
	}
}

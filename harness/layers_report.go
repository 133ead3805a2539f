package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
)

// LayersRequest asks where the accuracy of int8 cells goes.
type LayersRequest struct {
	// Select chooses the cells; an empty Runtime is every int8 runtime, any other
	// empty field the first value that the configuration has.
	Select Point
	// Images is how many pictures errors and sensitivity are taken over; 0 is 32
	// for errors and 500 for sensitivity.
	Images                 int
	Sensitivity, Waterfall bool
}

// defaultSensitivity is how many pictures a sensitivity is taken over.
const defaultSensitivity = 500

// Layers measures where the accuracy of the chosen cells goes. Only a waterfall
// runs whole cells, which the store keeps.
func (e *Experiment) Layers(ctx context.Context, r LayersRequest) (reports []record.LayerReport, err error) {
	e.opening = ctx
	defer func() { err = errors.Join(err, e.forget()) }()
	plan := e.Plan()
	cells, err := e.chosen(plan, r.Select)
	if err != nil {
		return nil, err
	}
	for _, c := range cells {
		if c.Key == "" {
			return nil, c.reason()
		}
		report, err := e.layersOf(ctx, plan, c, r)
		if err != nil {
			return nil, err
		}
		reports = append(reports, *report)
	}
	return reports, nil
}

// chosen are the cells that a selection means: of the first model, dataset,
// calibrator and so on that match it, every runtime.
func (e *Experiment) chosen(plan []PlannedCell, sel Point) ([]PlannedCell, error) {
	var cells []PlannedCell
	var names []string
	first := sel
	for _, c := range plan {
		if c.Import != nil || c.Point.Runtime == FP32 {
			continue
		}
		names = append(names, c.Point.String())
		if !first.matches(c.Point) {
			continue
		}
		taken := false
		for _, have := range cells {
			taken = taken || have.Point.Runtime == c.Point.Runtime
		}
		if taken {
			continue
		}
		first.Model, first.Dataset, first.Calibrator = c.Point.Model, c.Point.Dataset, c.Point.Calibrator
		cells = append(cells, c)
	}
	if len(cells) == 0 {
		return nil, &ConfigError{File: e.cfg.File, Msg: fmt.Sprintf("no int8 cell matches %s; there are:\n  %s", sel.asked(), strings.Join(names, "\n  "))}
	}
	return cells, nil
}

// asked lists the fields that a selection sets: "runtime none".
func (p Point) asked() string {
	var words []string
	for _, f := range p.fields() {
		if *f.value != "" {
			words = append(words, f.name+" "+*f.value)
		}
	}
	return strings.Join(words, ", ")
}

// layersOf measures one cell.
func (e *Experiment) layersOf(ctx context.Context, plan []PlannedCell, c PlannedCell, r LayersRequest) (*record.LayerReport, error) {
	p, err := e.ready(ctx, c)
	if err != nil {
		return nil, err
	}
	report := &record.LayerReport{Cell: c.Point.String(), Images: min(orDefault(r.Images, layerPictures), p.pix.n())}
	if report.Errors, err = bothErrors(ctx, p, report.Images); err != nil {
		return nil, err
	}
	spec := LayersSpec{Waterfall: r.Waterfall}
	if r.Sensitivity {
		spec.Sensitivity = orDefault(r.Images, defaultSensitivity)
	}
	if spec == (LayersSpec{}) {
		return report, nil
	}
	o, ref, err := e.finishPair(ctx, plan, c, r.Waterfall)
	if err != nil {
		return nil, err
	}
	if report.Analysis, err = e.analyseCell(ctx, o, ref, spec); err != nil {
		return nil, err
	}
	if report.Analysis.Reason != "" {
		return nil, fmt.Errorf("%s: %s", c.Point, report.Analysis.Reason)
	}
	report.Analysis.Layers, report.Analysis.Pictures = nil, 0 // Errors has them
	return report, nil
}

// reason is the error of a cell that cannot run.
func (c PlannedCell) reason() error {
	text := fmt.Sprintf("%s: %s", c.Point, c.Skip)
	if c.Broken {
		return errors.New(text)
	}
	if !strings.Contains(text, c.Command) {
		text += "; run: " + c.Command
	}
	return missing(&absent{reason: text})
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// finishPair gets a cell and its reference from the store, or runs them, if a
// waterfall needs them.
func (e *Experiment) finishPair(ctx context.Context, plan []PlannedCell, c PlannedCell, needed bool) (o, ref *outcome, err error) {
	o = &outcome{plan: c}
	if !needed {
		return o, nil, nil
	}
	var list []outcome
	for i, other := range plan {
		p := other.Point
		if other.Import == nil && (p == c.Point || p.Runtime == FP32 && p.Model == c.Point.Model && p.Dataset == c.Point.Dataset) {
			done, err := e.finish(ctx, other, Event{Point: p, Cell: i + 1, Cells: len(plan)})
			if err != nil {
				return nil, nil, err
			}
			list = append(list, done)
		}
	}
	for i := range list {
		if list[i].plan.Point == c.Point {
			o = &list[i]
		}
	}
	if o.cell == nil || o.cell.Status != record.OK {
		return nil, nil, fmt.Errorf("%s did not run: %s", c.Point, o.cell.Reason)
	}
	return o, reference(list, o), nil
}

// bothErrors are the accumulated errors of a cell's tensors with the local ones.
func bothErrors(ctx context.Context, p *prepared, pictures int) ([]record.LayerError, error) {
	tracer, ok := p.program.NewWorker().(runtime.Tracer)
	if !ok {
		return nil, fmt.Errorf("%s: the runtime does not show its tensors", p.net.File)
	}
	g, err := gridOf(p.program)
	if err != nil {
		return nil, err
	}
	sums, err := compareTraces(ctx, p.model, tracer, g.Steps(), p.pix, pictures)
	if err != nil {
		return nil, err
	}
	list := layerRecords(p.net.Network, sums, g.Steps())
	program, err := emulated.PrepareLocal(p.model, g)
	if err != nil {
		return nil, err
	}
	local, err := compareTraces(ctx, p.model, program.Worker(), g.Steps(), p.pix, pictures)
	if err != nil {
		return nil, err
	}
	for i := range list {
		s := &local[p.net.Layer(list[i].Layer).Index]
		sqnr, cosine := s.sqnr(), s.cosine()
		list[i].Local, list[i].LocalCosine = &sqnr, &cosine
	}
	return list, nil
}

package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"quantbench/datasets"
	"quantbench/harness/answers"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
)

// ImportSpec adds what another program answered as a cell of its own.
type ImportSpec struct {
	// File of answers: an MLPerf accuracy log, CSV or JSON lines; ${VARIABLE} is
	// expanded.
	File string `yaml:"file"`
	// Format and DataType (of an MLPerf log) are found out if empty.
	Format   string `yaml:"format"`
	DataType string `yaml:"data_type"`
	// Labels is a list of labels, such as val.txt; if empty, those of Dataset, or
	// else those in File.
	Labels string `yaml:"labels"`
	// Classes is how many there are; 0 takes the largest label for the last class.
	Classes int `yaml:"classes"`
	// Partial allows pictures without an answer.
	Partial bool `yaml:"partial"`
	// What the cell is called. Model and Dataset put it beside our own cells.
	Model      string `yaml:"model"`
	Dataset    string `yaml:"dataset"`
	Runtime    string `yaml:"runtime"`
	Calibrator string `yaml:"calibrator"`
	// Reference names the cell to pair it with; empty is fp32 of the same model
	// and dataset. See record.Select.
	Reference string `yaml:"reference"`
}

func (s *ImportSpec) point() Point {
	return Point{Model: s.Model, Dataset: s.Dataset, Runtime: s.Runtime, Calibrator: s.Calibrator}
}

// imported is a file of answers that has been read.
type imported struct {
	set    *answers.Set
	labels *answers.Truth  // of a file of labels; nil without one
	match  *record.Answers // once made
}

// maxImportedClasses bounds the confusion matrix that an imported cell keeps.
const maxImportedClasses = 256

// planImports lists the cells of the configuration's imports.
func (e *Experiment) planImports() []PlannedCell {
	var cells []PlannedCell
	for i := range e.cfg.Imports {
		spec := &e.cfg.Imports[i]
		c := PlannedCell{Point: spec.point(), Import: spec}
		if err := e.keyImport(&c); err != nil {
			c.skip(err)
		}
		cells = append(cells, c)
	}
	return cells
}

// keyImport reads an import's files and fills in what its result depends on.
func (e *Experiment) keyImport(c *PlannedCell) error {
	in, err := e.readImport(c.Import)
	if err != nil {
		return err
	}
	var k key
	k.add("engine", EngineVersion)
	k.add("answers", in.set.SHA256)
	k.add("format", string(in.set.Format)+" "+string(in.set.Encoding))
	if in.labels != nil {
		k.add("labels", in.labels.SHA256)
	}
	c.Images = len(in.set.Answers)
	d, err := e.importDataset(c.Import)
	if err != nil {
		return err
	}
	if d != nil {
		if c.Images, err = e.images(c.Import.Dataset, d); err != nil {
			return err
		}
		k.add("dataset", d.Info().Digest)
		k.add("images", fmt.Sprintf("0:%d", c.Images))
	}
	k.add("cell", c.Point.String())
	c.imported, c.Parts, c.Key = in, k, k.sum()
	return nil
}

// readImport reads a file of answers and its labels, once.
func (e *Experiment) readImport(s *ImportSpec) (*imported, error) {
	if in, ok := e.imports[s]; ok {
		return in, nil
	}
	data, path, err := e.importFile(s.File)
	if err != nil {
		return nil, err
	}
	in := new(imported)
	if in.set, err = answers.Read(path, data, answers.Options{Format: answers.Format(s.Format), Encoding: answers.Encoding(s.DataType)}); err != nil {
		return nil, err
	}
	if s.Labels != "" {
		if data, path, err = e.importFile(s.Labels); err != nil {
			return nil, err
		}
		if in.labels, err = answers.ReadLabels(path, data); err != nil {
			return nil, err
		}
		if s.Classes > 0 {
			in.labels.Classes = s.Classes
		}
	}
	e.imports[s] = in
	return in, nil
}

func (e *Experiment) importFile(name string) (data []byte, path string, err error) {
	if path, err = e.path(name); err != nil {
		return nil, "", err
	}
	data, err = readInput(osFS{}, path)
	return data, path, err
}

// importDataset is the dataset that an import's pictures are of, if the
// configuration lists it, or nothing else brings the labels; nil if there is
// none, or it is not on this machine and not needed.
func (e *Experiment) importDataset(s *ImportSpec) (datasets.Dataset, error) {
	in := e.imports[s]
	listed := slices.ContainsFunc(e.cfg.Datasets, func(d DatasetSpec) bool { return d.Name == s.Dataset })
	enough := in.labels != nil || in.set.Labelled()
	if !listed && enough {
		return nil, nil
	}
	d, err := e.dataset(s.Dataset, "test")
	var missing *datasets.MissingError
	switch {
	case err == nil:
		return d, nil
	case enough && errors.As(err, &missing):
		return nil, nil
	}
	return nil, fmt.Errorf("%s brings no labels of its own, so they must come from a file of labels or from a dataset: %w", s.File, err)
}

// matched gives an import's answers their pictures and labels, in the order of
// our dataset where there is one.
func (e *Experiment) matched(ctx context.Context, c PlannedCell) (*record.Answers, error) {
	in := c.imported
	if in.match != nil {
		return in.match, nil
	}
	ours, err := e.importTruth(ctx, c)
	if err != nil {
		return nil, err
	}
	t := in.labels
	switch {
	case t != nil:
	case ours != nil:
		t = ours
	default:
		if t, err = in.set.OwnTruth(); err != nil {
			return nil, err
		}
	}
	a, err := in.set.Match(t, answers.Allow{Partial: c.Import.Partial, Extra: t == ours})
	if err == nil && ours != nil && t != ours {
		a, err = answers.Restrict(a, c.Import.File, ours, c.Import.Partial)
	}
	if err != nil {
		return nil, err
	}
	a.Cell, in.match = c.ID(), a
	return a, nil
}

// importTruth is the truth of our dataset, nil if the import has its own.
func (e *Experiment) importTruth(ctx context.Context, c PlannedCell) (*answers.Truth, error) {
	d, err := e.importDataset(c.Import)
	if d == nil || err != nil {
		return nil, err
	}
	t, err := e.truth(ctx, d, c.Images)
	if err != nil {
		return nil, err
	}
	bounded := *t
	bounded.Classes = max(c.Import.Classes, len(d.Info().Classes))
	return &bounded, nil
}

// finishImport scores an import. It is never kept in the store: reading the file
// again costs as much.
func (e *Experiment) finishImport(ctx context.Context, c PlannedCell, ev Event) (outcome, error) {
	cell, predictions, err := e.importCell(ctx, c)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if err != nil {
		cell = e.blank(c)
		cell.Imported, cell.Status, cell.Reason = origin(c), record.Failed, err.Error()
		ev.Kind, ev.Reason = CellFailed, cell.Reason
		e.observe(ev)
		return outcome{c, cell, nil}, nil
	}
	ev.Kind, ev.Total, ev.Done, ev.Correct, ev.Work = CellDone, cell.Images, cell.Images, cell.Correct, 1
	e.observe(ev)
	return outcome{c, cell, predictions}, nil
}

// importCell scores an import.
func (e *Experiment) importCell(ctx context.Context, c PlannedCell) (*record.Cell, []record.Prediction, error) {
	a, err := e.matched(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	classes := 0
	for i, p := range a.Predictions {
		classes = max(classes, a.Labels[i]+1, int(p.Class)+1)
	}
	cell := e.blank(c)
	cell.Imported = origin(c)
	fillAccuracy(cell, a.Predictions, a.Labels, classes)
	if f, shifted := shift(cell, a); shifted {
		cell.Findings = append(cell.Findings, f)
	}
	if classes > maxImportedClasses {
		cell.Confusion = nil
	}
	return cell, a.Predictions, nil
}

// origin says where an import is from.
func origin(c PlannedCell) *record.Imported {
	o := &record.Imported{File: c.Import.File, Labels: c.Import.Labels}
	if in := c.imported; in != nil {
		o.SHA256, o.Format, o.DataType = in.set.SHA256, string(in.set.Format), string(in.set.Encoding)
	}
	return o
}

// shift finds the mistake of a class too many: a network with a background class
// counts one higher than the labels do.
func shift(cell *record.Cell, a *record.Answers) (record.Finding, bool) {
	for _, by := range []int{1, -1} {
		right := 0
		for i, p := range a.Predictions {
			if int(p.Class)-by == a.Labels[i] {
				right++
			}
		}
		if right > 2*cell.Correct && 2*right > cell.Images {
			return record.Finding{Code: "IM101", Severity: diagnose.Warning, Where: cell.Imported.File,
				Fact:   fmt.Sprintf("%d of %d answers are right, and %d would be if every class were lower by %d: the classes are counted from another number than the labels", cell.Correct, cell.Images, right, by),
				Advice: "renumber the answers or the labels; networks of 1,001 classes have a background class 0"}, true
		}
	}
	return record.Finding{}, false
}

// answersOf are an outcome's predictions with their pictures.
func (e *Experiment) answersOf(ctx context.Context, o *outcome) (*record.Answers, error) {
	if o.plan.Import != nil {
		return e.matched(ctx, o.plan)
	}
	d, err := e.dataset(o.plan.Point.Dataset, "test")
	if err != nil {
		return nil, err
	}
	t, err := e.truth(ctx, d, o.cell.Images)
	if err != nil {
		return nil, err
	}
	return &record.Answers{Cell: o.cell.ID, Pictures: t.Pictures, Labels: t.Labels, Predictions: o.predictions}, nil
}

// Answers are the predictions of every cell that has a result after Run and
// stands in tables, in the order of the cells.
func (e *Experiment) Answers(ctx context.Context) ([]record.Answers, error) {
	var list []record.Answers
	for i := range e.last {
		if c := e.last[i].cell; c.Status != record.OK || !c.Stands() {
			continue
		}
		a, err := e.answersOf(ctx, &e.last[i])
		if err != nil {
			return nil, err
		}
		list = append(list, *a)
	}
	return list, nil
}

// truth are names and labels of the first n pictures, read once.
func (e *Experiment) truth(ctx context.Context, d datasets.Dataset, n int) (*answers.Truth, error) {
	id := d.Info().Digest
	t := e.truths[id]
	if t == nil {
		t = &answers.Truth{File: "dataset " + d.Info().Name, SHA256: id}
		e.truths[id] = t
	}
	for i := len(t.Labels); i < n; i++ {
		id, err := datasets.ID(ctx, d, i)
		if err != nil {
			return nil, err
		}
		label, err := datasets.Label(ctx, d, i)
		if err != nil {
			return nil, err
		}
		t.Pictures, t.Labels = append(t.Pictures, id), append(t.Labels, label)
	}
	return &answers.Truth{File: t.File, SHA256: id, Pictures: t.Pictures[:n], Labels: t.Labels[:n]}, nil
}

// describeImport adds the pictures of an import to the run, and its files to the
// manifest.
func (e *Experiment) describeImport(run *record.Run, o outcome) {
	p, in := o.plan.Point, o.plan.imported
	run.Manifest.Files = append(run.Manifest.Files, record.KeyPart{Name: "answers " + o.plan.Import.File, Value: in.set.SHA256})
	if in.labels != nil {
		f := record.KeyPart{Name: "labels " + o.plan.Import.Labels, Value: in.labels.SHA256}
		if !slices.Contains(run.Manifest.Files, f) {
			run.Manifest.Files = append(run.Manifest.Files, f)
		}
	}
	if slices.ContainsFunc(run.Datasets, func(d record.Dataset) bool { return d.Name == p.Dataset }) {
		return
	}
	set := record.Dataset{Name: p.Dataset, Images: o.cell.Images}
	if d, err := e.importDataset(o.plan.Import); err == nil && d != nil {
		set.Classes, set.SHA256 = d.Info().Classes, d.Info().Digest
	}
	run.Datasets = append(run.Datasets, set)
}

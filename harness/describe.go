package harness

import (
	"context"
	"encoding/json"
	"slices"

	"quantbench/harness/record"
)

// describe adds the networks, datasets, tables and the manifest, each once, in
// the order in which the cells use them.
func (e *Experiment) describe(ctx context.Context, run *record.Run, outcomes []outcome) error {
	for _, o := range outcomes {
		if o.cell.Status != record.OK {
			run.Manifest.Skipped = append(run.Manifest.Skipped, record.Skip{What: o.plan.Point.String(), Reason: firstLine(o.cell.Reason), Command: o.plan.Command})
			continue
		}
		if o.plan.Import != nil {
			e.describeImport(run, o)
			continue
		}
		if err := e.describeCell(ctx, run, o); err != nil {
			return err
		}
		if a := o.cell.Analysis; a != nil && a.Reason != "" {
			run.Manifest.Skipped = append(run.Manifest.Skipped, record.Skip{What: "layers of " + o.plan.Point.String(), Reason: firstLine(a.Reason)})
		}
	}
	cells, err := json.Marshal(run.Cells)
	if err != nil {
		return err
	}
	run.Manifest.Config, run.Manifest.ConfigSHA, run.Manifest.Digest = e.cfg.File, e.cfg.Digest, digest(cells)
	return nil
}

func (e *Experiment) describeCell(ctx context.Context, run *record.Run, o outcome) error {
	p := o.plan.Point
	n, err := e.network(p.Model)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(run.Models, func(m record.Model) bool { return m.Name == p.Model }) {
		m := describeModel(n)
		m.Winograd = e.modelSpec(p.Model).Winograd
		run.Models = append(run.Models, m)
	}
	if !slices.ContainsFunc(run.Datasets, func(d record.Dataset) bool { return d.Name == p.Dataset }) {
		d, err := e.dataset(p.Dataset, "test")
		if err != nil {
			return err
		}
		info, cal := d.Info(), e.datasetSpec(p.Dataset).Calibration
		run.Datasets = append(run.Datasets, record.Dataset{Name: p.Dataset, Images: o.cell.Images, Classes: info.Classes, SHA256: info.Digest, Calibration: cal.String()})
		run.Manifest.Files = append(run.Manifest.Files, record.KeyPart{Name: p.Dataset + " test pictures", Value: info.Digest})
	}
	if !o.cell.Stands() {
		return nil
	}
	same := func(t record.Table) bool {
		return t.Model == p.Model && t.Dataset == p.Dataset && t.Calibrator == p.Calibrator
	}
	if p.Calibrator == "" || slices.ContainsFunc(run.Tables, same) {
		return nil
	}
	scales, err := e.scales(ctx, n, p)
	if err != nil {
		return err
	}
	t := record.Table{Model: p.Model, Dataset: p.Dataset, Calibrator: p.Calibrator}
	for i, l := range n.Layers {
		t.Scales = append(t.Scales, record.Scale{Layer: l.Name, Scale: scales[i]})
	}
	run.Tables = append(run.Tables, t)
	return nil
}

func describeModel(n *network) record.Model {
	return record.Model{
		Name: n.name, Prototxt: n.prototxt, Layers: len(n.Layers), Parameters: n.Parameters(), MACs: n.MACs(),
		SHA256: n.digest, Preprocess: n.preprocess.String(), Graph: Graph(n.Network),
	}
}

func firstLine(s string) string {
	for i, r := range s {
		if r == '\n' {
			return s[:i]
		}
	}
	return s
}

package harness

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/png"
	"slices"

	"quantbench/datasets"
	"quantbench/harness/record"
	"quantbench/harness/stats"
)

// gather joins the outcomes into a Run: comparisons with the reference, tables,
// verdicts, manifest. It is a function of what the store holds, so that it gives
// the same bytes however often the run was interrupted.
func (e *Experiment) gather(ctx context.Context, outcomes []outcome) (*record.Run, error) {
	run := &record.Run{Schema: record.Schema, Title: e.cfg.Title}
	for i := range outcomes {
		if err := e.complete(ctx, outcomes, &outcomes[i]); err != nil {
			return nil, err
		}
		run.Cells = append(run.Cells, *outcomes[i].cell)
	}
	run.Gates = e.gates(run.Cells)
	var err error
	if run.Bakeoff, err = e.bakeoff(ctx, outcomes); err != nil {
		return nil, err
	}
	if err := e.describe(ctx, run, outcomes); err != nil {
		return nil, err
	}
	if err := e.describeActivations(ctx, run, outcomes); err != nil {
		return nil, err
	}
	return run, nil
}

// complete adds to a cell what follows from the other cells and its predictions.
func (e *Experiment) complete(ctx context.Context, outcomes []outcome, o *outcome) error {
	if l := o.cell.Latency; e.env.NoTiming && l != nil && l.Kind != record.Modelled {
		o.cell.Latency = nil
	}
	if o.cell.Status != record.OK {
		return nil
	}
	var err error
	switch {
	case o.plan.Import != nil:
		err = e.compareImport(ctx, outcomes, o)
	case o.plan.Point.Runtime != FP32:
		err = e.compare(ctx, o, reference(outcomes, o))
	}
	if err != nil {
		return err
	}
	found, err := e.pictureFindings(ctx, o)
	if err != nil {
		return err
	}
	o.cell.Findings = append(o.cell.Findings[:len(o.cell.Findings):len(o.cell.Findings)], found...)
	if o.cell.Stands() {
		o.cell.Answers = digest(record.EncodePredictions(o.predictions))
	}
	return nil
}

// reference is the fp32 outcome on the same network and pictures, or nil.
func reference(outcomes []outcome, of *outcome) *outcome {
	for i := range outcomes {
		o := &outcomes[i]
		if o.plan.Point.Runtime == FP32 && o.plan.Import == nil && o.cell.Status == record.OK &&
			o.plan.Point.Model == of.plan.Point.Model && o.plan.Point.Dataset == of.plan.Point.Dataset {
			return o
		}
	}
	return nil
}

// flipsShown is how many pictures of each kind (lost, won) a cell shows.
const flipsShown = 12

// compare fills a cell's paired numbers against the reference's predictions.
func (e *Experiment) compare(ctx context.Context, o, ref *outcome) error {
	if ref == nil {
		return nil
	}
	d, err := e.dataset(o.plan.Point.Dataset, "test")
	if err != nil {
		return err
	}
	c := o.cell
	c.Reference, c.Lost, c.Won, c.Flips = ref.cell.ID, 0, 0, nil
	labels, err := e.labels(ctx, d, c.Images)
	if err != nil {
		return err
	}
	var flips []flip
	for i, p := range o.predictions {
		was, is := ref.predictions[i].Correct(labels[i]), p.Correct(labels[i])
		switch {
		case was && !is:
			c.Lost++
		case is && !was:
			c.Won++
		default:
			continue
		}
		flips = append(flips, flip{i, was, ref.predictions[i].Margin})
	}
	paired := paired(c)
	p, _ := stats.McNemar(paired.Lost, paired.Won)
	c.McNemarP = &p
	c.Difference, c.DifferenceInterval = paired.Difference(), paired.Interval(stats.Confidence)
	if !c.Stands() {
		return nil
	}
	for _, f := range telling(flips) {
		shown, err := show(ctx, d, f, ref.predictions[f.picture], o.predictions[f.picture])
		if err != nil {
			return err
		}
		c.Flips = append(c.Flips, shown)
	}
	return nil
}

// labels are the labels of the first n pictures.
func (e *Experiment) labels(ctx context.Context, d datasets.Dataset, n int) ([]int, error) {
	labels := make([]int, n)
	for i := range labels {
		var err error
		if labels[i], err = datasets.Label(ctx, d, i); err != nil {
			return nil, err
		}
	}
	return labels, nil
}

// flip is a picture that only one of cell and reference classifies correctly.
type flip struct {
	picture int
	lost    bool
	margin  float32 // of the reference
}

// telling keeps the lost and the won pictures of which the reference was surest,
// the lost ones first.
func telling(flips []flip) []flip {
	slices.SortStableFunc(flips, func(a, b flip) int { return cmp.Compare(b.margin, a.margin) })
	var lost, won []flip
	for _, f := range flips {
		switch {
		case f.lost && len(lost) < flipsShown:
			lost = append(lost, f)
		case !f.lost && len(won) < flipsShown:
			won = append(won, f)
		}
	}
	return append(lost, won...)
}

// show is a flip with its picture.
func show(ctx context.Context, d datasets.Dataset, f flip, ref, cell record.Prediction) (record.Flip, error) {
	p, err := d.Picture(ctx, f.picture)
	if err != nil {
		return record.Flip{}, err
	}
	png, err := thumbnail(p)
	return record.Flip{Picture: p.ID, Label: p.Label, Reference: int(ref.Class), Predicted: int(cell.Class), Margin: float64(f.margin), PNG: png}, err
}

// thumbnailSide is the longest side of a picture in a report, in pixels.
const thumbnailSide = 128

// thumbnail is a picture as PNG, at its own size if that is not too large.
func thumbnail(p datasets.Picture) ([]byte, error) {
	if long := max(p.Height, p.Width); long > thumbnailSide {
		p = datasets.Scaled(p, max(1, p.Height*thumbnailSide/long), max(1, p.Width*thumbnailSide/long))
	}
	var img image.Image
	plane := p.Height * p.Width
	r := image.Rect(0, 0, p.Width, p.Height)
	if p.Channels == 1 {
		img = &image.Gray{Pix: p.Pixels, Stride: p.Width, Rect: r}
	} else {
		rgb := image.NewNRGBA(r)
		for i := range plane {
			rgb.Pix[4*i], rgb.Pix[4*i+1], rgb.Pix[4*i+2], rgb.Pix[4*i+3] = p.Pixels[i], p.Pixels[plane+i], p.Pixels[2*plane+i], 255
		}
		img = rgb
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img)
	return b.Bytes(), err
}

// gates judges every quantized cell by the configuration's limit.
func (e *Experiment) gates(cells []record.Cell) []record.Gate {
	if e.cfg.Gate.MaxLoss == nil {
		return nil
	}
	limit := -*e.cfg.Gate.MaxLoss / 100
	var gates []record.Gate
	for _, c := range cells {
		if c.Status != record.OK || !c.Stands() || c.Imported != nil || c.Reference == "" || e.cfg.Gate.Calibrator != "" && c.Calibrator != e.cfg.Gate.Calibrator {
			continue
		}
		v, needed := paired(&c).Judge(limit)
		g := record.Gate{Cell: c.ID, Limit: limit, Verdict: v, Needed: needed}
		gates = append(gates, g)
	}
	return gates
}

// paired is a cell's comparison with its reference.
func paired(c *record.Cell) stats.Paired { return stats.Paired{N: c.Images, Lost: c.Lost, Won: c.Won} }

package harness

import (
	"bytes"
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
		o := &outcomes[i]
		if l := o.cell.Latency; e.env.NoTiming && l != nil && l.Kind != record.Modelled {
			o.cell.Latency = nil
		}
		if o.cell.Status == record.OK && o.plan.Point.Runtime != FP32 {
			if err := e.compare(ctx, o, reference(outcomes, o)); err != nil {
				return nil, err
			}
		}
		run.Cells = append(run.Cells, *o.cell)
	}
	run.Gates = e.gates(run.Cells)
	if err := e.describe(ctx, run, outcomes); err != nil {
		return nil, err
	}
	return run, nil
}

// reference is the fp32 outcome on the same network and pictures, or nil.
func reference(outcomes []outcome, of *outcome) *outcome {
	for i := range outcomes {
		o := &outcomes[i]
		if o.plan.Point.Runtime == FP32 && o.cell.Status == record.OK &&
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
	c.Reference, c.Lost, c.Won = ref.cell.ID, 0, 0
	var flips []record.Flip
	for i, p := range o.predictions {
		pic, err := d.Picture(ctx, i)
		if err != nil {
			return err
		}
		r := ref.predictions[i]
		was, is := r.Correct(pic.Label), p.Correct(pic.Label)
		if was == is {
			continue
		}
		if was {
			c.Lost++
		} else {
			c.Won++
		}
		flips = append(flips, record.Flip{Picture: pic.ID, Label: pic.Label, Reference: int(r.Class), Predicted: int(p.Class), Margin: float64(r.Margin)})
		flips[len(flips)-1].PNG, err = thumbnail(pic)
		if err != nil {
			return err
		}
	}
	paired := paired(c)
	p, _ := stats.McNemar(paired.Lost, paired.Won)
	c.McNemarP = &p
	c.Difference, c.DifferenceInterval = paired.Difference(), paired.Interval(stats.Confidence)
	c.Flips = telling(flips)
	return nil
}

// telling keeps the lost and the won pictures of which the reference was surest.
func telling(flips []record.Flip) []record.Flip {
	slices.SortStableFunc(flips, func(a, b record.Flip) int {
		switch {
		case a.Margin > b.Margin:
			return -1
		case a.Margin < b.Margin:
			return 1
		}
		return 0
	})
	var lost, won []record.Flip
	for _, f := range flips {
		switch {
		case f.Reference == f.Label && len(lost) < flipsShown:
			lost = append(lost, f)
		case f.Reference != f.Label && len(won) < flipsShown:
			won = append(won, f)
		}
	}
	return append(lost, won...)
}

// thumbnail is a picture as PNG, at its own size.
func thumbnail(p datasets.Picture) ([]byte, error) {
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
		if c.Status != record.OK || c.Reference == "" || e.cfg.Gate.Calibrator != "" && c.Calibrator != e.cfg.Gate.Calibrator {
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

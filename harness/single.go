package harness

import (
	"context"
	"errors"
	"fmt"

	"quantbench/datasets"
	"quantbench/harness/calibrate"
	"quantbench/models"
)

// Calibration is the calibration of one network outside a matrix.
type Calibration struct {
	Model   ModelSpec
	Dataset DatasetSpec // Name and Path
	// Pictures are what calibrates, in this order.
	Pictures []PictureRange
	// Batches are their batch structure; Workers is the environment's Jobs.
	Batches calibrate.Options
	// Statistics, if not nil, are the histograms of an earlier pass over the
	// pictures, which are then not looked at.
	Statistics  *calibrate.Statistics
	Calibrators []calibrate.Calibrator
}

// PictureRange are pictures From (included) to To (excluded) of a split.
type PictureRange struct {
	Split    string
	From, To int
}

// Calibrated are the choices of each calibrator, from the same histograms.
type Calibrated struct {
	Network    *models.Network
	Statistics *calibrate.Statistics
	Results    []*calibrate.Result // in the order of Calibrators
}

// Calibrate makes the histograms of a network, unless they are given, and lets
// each calibrator choose from them. A missing file or dataset, a range outside
// the split, and a scale that no tensor can have are errors.
func Calibrate(ctx context.Context, env Environment, c Calibration) (*Calibrated, error) {
	c.Model.Name = orName(c.Model)
	e := New(&Config{File: "bench calibrate", Models: []ModelSpec{c.Model}, Datasets: []DatasetSpec{c.Dataset}}, env, nil)
	n, err := e.network(c.Model.Name)
	if err != nil {
		return nil, err
	}
	out := &Calibrated{Network: n.Network, Statistics: c.Statistics}
	if out.Statistics == nil {
		if out.Statistics, err = e.collectParts(ctx, n, c); err != nil {
			return nil, err
		}
	}
	for _, k := range c.Calibrators {
		r, err := calibrate.Apply(ctx, n.Network, out.Statistics, k, e.env.Jobs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.Name(), err)
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func orName(m ModelSpec) string {
	if m.Name == "" {
		return m.Zoo + m.Prototxt
	}
	return m.Name
}

// collectParts watches the float network on the pictures of several ranges.
func (e *Experiment) collectParts(ctx context.Context, n *network, c Calibration) (*calibrate.Statistics, error) {
	var list []stretch
	for _, r := range c.Pictures {
		d, err := e.dataset(c.Dataset.Name, r.Split)
		if err != nil {
			return nil, err
		}
		if err := r.check(d.Info()); err != nil {
			return nil, err
		}
		if err := fits(n, d.Info()); err != nil {
			return nil, err
		}
		list = append(list, stretch{d, r.From, r.To})
	}
	pix, err := e.readPixels(ctx, n, list...)
	if err != nil {
		return nil, err
	}
	if pix.n() == 0 {
		return nil, errors.New("calibration: no pictures; name a split and a range")
	}
	src, err := newActivations(pix, n)
	if err != nil {
		return nil, err
	}
	o := c.Batches
	o.Workers = e.env.Jobs
	return calibrate.Collect(ctx, src, o)
}

// RangeError is a range of pictures that a split does not have.
type RangeError struct {
	PictureRange
	Dataset string
	Len     int // pictures of the split
}

// Error names the range and what there is.
func (e *RangeError) Error() string {
	return fmt.Sprintf("calibration: pictures %d:%d of split %q; %s has %d there (the end of a range is not part of it)", e.From, e.To, e.Split, e.Dataset, e.Len)
}

func (r PictureRange) check(info datasets.Info) error {
	if r.From < 0 || r.To <= r.From || r.To > info.Len {
		return &RangeError{r, info.Name, info.Len}
	}
	return nil
}

// Tables are the scales of one result as TensorRT's cache and as NVDLA's JSON.
// Both have been read back and compared bit for bit.
func (c *Calibrated) Tables(r *calibrate.Result) (cache, json []byte, err error) {
	return encodeTables(&network{Network: c.Network}, r.Scales)
}

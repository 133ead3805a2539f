package harness

import (
	"fmt"
	"math"

	"quantbench/harness/calibrate"
	"quantbench/harness/table"
	"quantbench/models"
)

// Fidelity compares calibrators with a published table of the same network.
type Fidelity struct {
	// Layers are the tensors with a scale of their own: those that take over
	// their input's (pooling) are left out.
	Layers []*models.Layer
	// Published are their scales in the table.
	Published []float32
	Columns   []FidelityColumn
}

// FidelityColumn is one calibrator's agreement.
type FidelityColumn struct {
	Calibrator string
	// Ratios are its scales divided by the published ones.
	Ratios []float64
	// Within counts the ratios at most 0.1 %, 1 % and 5 % from 1.
	Within [3]int
	// MeanLog is the mean of |ln ratio|; its exponential is the geometric mean of
	// the factors by which scales differ.
	MeanLog float64
	// SameBin counts the tensors where the published scale is the middle of the
	// very bin that was chosen, on TensorRT's histogram; -1 for calibrators that
	// do not choose a bin of that histogram.
	SameBin int
}

// within are the distances that FidelityColumn counts.
var within = [3]float64{0.001, 0.01, 0.05}

// CompareWith compares each result with a published TensorRT cache. Its rows are
// given their layers first; rows or layers left over are errors.
func (c *Calibrated) CompareWith(cache *table.Table) (*Fidelity, error) {
	fixed, err := table.Fix(c.Network, cache)
	if err != nil {
		return nil, err
	}
	f := &Fidelity{}
	published := fixed.Scales()
	if len(c.Results) == 0 {
		return nil, fmt.Errorf("%s: no calibrator to compare it with", cache.File)
	}
	for i, t := range c.Results[0].Tensors {
		if t.From == nil {
			f.Layers, f.Published = append(f.Layers, t.Layer), append(f.Published, published[i])
		}
	}
	for _, r := range c.Results {
		f.Columns = append(f.Columns, f.compare(r))
	}
	return f, nil
}

func (f *Fidelity) compare(r *calibrate.Result) FidelityColumn {
	c := FidelityColumn{Calibrator: r.Calibrator, SameBin: -1}
	binned := r.Calibrator == calibrate.Entropy2{}.Name()
	if binned {
		c.SameBin = 0
	}
	for i, l := range f.Layers {
		t, published := r.Tensors[l.Index], float64(f.Published[i])
		ratio := float64(t.Scale) / published
		c.Ratios = append(c.Ratios, ratio)
		for k, d := range within {
			if math.Abs(ratio-1) <= d {
				c.Within[k]++
			}
		}
		c.MeanLog += math.Abs(math.Log(ratio)) / float64(len(f.Layers))
		if binned && math.Round(published*calibrate.Levels*calibrate.Bins/t.Range-0.5) == float64(t.Bin) {
			c.SameBin++
		}
	}
	return c
}

package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Source supplies the float network's activations for calibration pictures.
type Source interface {
	// Layers is the number of layers; see is called with indices below it.
	Layers() int
	// Pictures is the number of calibration pictures.
	Pictures() int
	// Run runs pictures from (included) to to (excluded) and calls see, on the
	// calling goroutine, once or more for each layer output; values are valid
	// during the call only. It must be safe for concurrent use, and give the same
	// values whenever a picture is run.
	Run(ctx context.Context, from, to int, see func(layer int, values []float32)) error
}

// Options are the batch structure of a calibration run.
type Options struct {
	// Batch is the number of pictures a batch; 0 means all in one.
	Batch int
	// Batches is the largest number of batches used; 0 means all.
	Batches int
	// SkipFirst leaves out the first batch, as NVIDIA's C++ MNIST sample does.
	SkipFirst bool
	// DropPartial leaves out a last batch that is not full, as NVIDIA's Python
	// samples do.
	DropPartial bool
	// Workers is the number of goroutines; less than 1 means 1. It does not
	// change the result.
	Workers int
}

// Batch is a run of pictures.
type Batch struct{ From, To int }

// Plan cuts a number of pictures into batches.
func (o Options) Plan(pictures int) ([]Batch, error) {
	size := o.Batch
	if size <= 0 {
		size = pictures
	}
	from := 0
	if o.SkipFirst {
		from = size
	}
	var plan []Batch
	for ; from < pictures && (o.Batches <= 0 || len(plan) < o.Batches); from += size {
		to := from + size
		if to > pictures {
			if o.DropPartial {
				break
			}
			to = pictures
		}
		plan = append(plan, Batch{from, to})
	}
	if len(plan) == 0 {
		return nil, fmt.Errorf("calibration: %d pictures give no batch of %d; use more pictures or smaller batches", pictures, size)
	}
	return plan, nil
}

// Statistics are the histograms of a calibration run, by layer index. A layer
// whose tensor was never seen has no counts.
type Statistics struct {
	Layers []Histogram
}

// extent is the smallest and largest value of one tensor in one batch.
type extent struct {
	min, max float32
	seen     bool
	bad      int // values that are NaN or infinite
}

func (e *extent) add(values []float32) {
	lo, hi, check := e.min, e.max, float32(0)
	for _, v := range values {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
		check += v - v // 0, unless v is NaN or infinite
	}
	e.seen = e.seen || len(values) > 0
	if check == 0 {
		e.min, e.max = lo, hi
		return
	}
	for _, v := range values {
		if !finite(v) {
			e.bad++
		}
	}
}

// Collect runs the pictures twice: once for the extents, which fix every range,
// and once to count. The result does not depend on the number of workers. NaN
// and infinite activations are an error.
func Collect(ctx context.Context, src Source, o Options) (*Statistics, error) {
	all, err := CollectNested(ctx, src, o, []int{src.Pictures()})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// pictures is the number of pictures of a plan.
func pictures(plan []Batch) int {
	n := 0
	for _, b := range plan {
		n += b.To - b.From
	}
	return n
}

// blank are statistics of the same ranges without counts.
func (s *Statistics) blank() *Statistics {
	b := &Statistics{make([]Histogram, len(s.Layers))}
	for l := range s.Layers {
		if s.Layers[l].Counts != nil {
			b.Layers[l] = s.Layers[l].blank()
		}
	}
	return b
}

// ranges follows the ranges through the batches. sofar[batch][layer] is the
// number of doublings when the batch is counted, -1 while all was zero.
func ranges(layers int, plan []Batch, extents [][]extent) (*Statistics, [][]int, error) {
	s := &Statistics{make([]Histogram, layers)}
	sofar := make([][]int, len(plan))
	var errs []error
	for i, batch := range extents {
		sofar[i] = make([]int, layers)
		for l, e := range batch {
			h := &s.Layers[l]
			if e.bad > 0 {
				errs = append(errs, fmt.Errorf("calibration: layer %d has %d values that are NaN or infinite in pictures %d to %d; the float network is broken there", l, e.bad, plan[i].From, plan[i].To-1))
			}
			if e.seen && h.Counts == nil {
				h.Counts = make([]uint64, Bins)
			}
			h.Min, h.Max = min(h.Min, e.min), max(h.Max, e.max)
			h.grow(max(-e.min, e.max))
			sofar[i][l] = h.Doublings
			if h.First == 0 {
				sofar[i][l] = -1
			}
		}
	}
	return s.blank(), sofar, errors.Join(errs...)
}

func (s *Statistics) add(part *Statistics) {
	for l := range s.Layers {
		if s.Layers[l].Counts != nil {
			s.Layers[l].add(&part.Layers[l])
		}
	}
}

// finite reports whether v is a number.
func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

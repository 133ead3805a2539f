package harness

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/stats"
)

// AgreementBound is how far scores of two networks that are equal in real
// arithmetic may differ, as a share of the largest score: float32 sums of some
// thousand terms lose up to about 1e-5 of it.
const AgreementBound = 1e-4

// Agreement compares the fp32 scores of two networks on the same pictures.
type Agreement struct {
	Dataset string `json:"dataset"`
	Images  int    `json:"images"`
	// Before and After are the pictures that each classifies correctly, Changed
	// those to which they give another class.
	Before  int `json:"before"`
	After   int `json:"after"`
	Changed int `json:"changed"`
	// Largest is the largest difference of a score, Scale the largest score, Bound
	// what Largest may be.
	Largest float64 `json:"largest_difference"`
	Scale   float64 `json:"largest_score"`
	Bound   float64 `json:"bound"`
}

// Equal reports whether the scores agree within the bound.
func (a *Agreement) Equal() bool { return a.Largest <= a.Bound }

// Agree scores the first pictures of a dataset with both networks; images 0 is
// all. report, if not nil, is told of the progress.
func Agree(ctx context.Context, d datasets.Dataset, images, jobs int, before, after runtime.Model, report func(done, total int)) (*Agreement, error) {
	if images == 0 || images > d.Info().Len {
		images = d.Info().Len
	}
	c := &comparing{d: d, images: images, result: Agreement{Dataset: d.Info().Name, Images: images}, report: report}
	for i, m := range []runtime.Model{before, after} {
		in := m.Network.Input().Out
		if err := m.Preprocess.Check(in.C, in.H, in.W); err != nil {
			return nil, err
		}
		program, err := fp32.Runtime{}.Prepare(m)
		if err != nil {
			return nil, err
		}
		c.models[i], c.programs[i] = m, program
	}
	var wait sync.WaitGroup
	errs := make([]error, max(jobs, 1))
	for j := range errs {
		wait.Go(func() { errs[j] = c.work(ctx) })
	}
	wait.Wait()
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return nil, err
	}
	c.result.Bound = AgreementBound * c.result.Scale
	return &c.result, nil
}

// comparing is a comparison under way.
type comparing struct {
	d        datasets.Dataset
	images   int
	models   [2]runtime.Model
	programs [2]runtime.Program
	next     atomic.Int64
	report   func(done, total int)

	mu     sync.Mutex
	done   int
	result Agreement
}

// work compares blocks until none is left.
func (c *comparing) work(ctx context.Context) (err error) {
	defer recovered(&err)
	workers := [2]runtime.Worker{c.programs[0].NewWorker(), c.programs[1].NewWorker()}
	for ctx.Err() == nil {
		from := int(c.next.Add(block)) - block
		if from >= c.images {
			return nil
		}
		if err := c.block(ctx, workers, from, min(from+block, c.images)); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparing) block(ctx context.Context, workers [2]runtime.Worker, from, to int) error {
	var pixels [2][]byte
	labels := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		pic, err := c.d.Picture(ctx, i)
		if err != nil {
			return err
		}
		labels = append(labels, pic.Label)
		for m := range pixels {
			in := c.models[m].Network.Input().Out
			picture := make([]byte, in.Len())
			if err := c.models[m].Preprocess.Bytes(pic, in.C, in.H, in.W, picture); err != nil {
				return err
			}
			pixels[m] = append(pixels[m], picture...)
		}
	}
	classes := c.models[0].Network.Output().Out.Len()
	var scores [2][]float32
	for m, w := range workers {
		scores[m] = make([]float32, classes*len(labels))
		if err := w.Score(pixels[m], scores[m]); err != nil {
			return err
		}
	}
	c.count(labels, classes, scores)
	return nil
}

// count adds a block to the result.
func (c *comparing) count(labels []int, classes int, scores [2][]float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.result
	for i, label := range labels {
		before := stats.Classify(scores[0][i*classes:(i+1)*classes], label).Predicted
		after := stats.Classify(scores[1][i*classes:(i+1)*classes], label).Predicted
		if before == label {
			r.Before++
		}
		if after == label {
			r.After++
		}
		if before != after {
			r.Changed++
		}
	}
	for i, v := range scores[0] {
		r.Largest = max(r.Largest, math.Abs(float64(v)-float64(scores[1][i])))
		r.Scale = max(r.Scale, math.Abs(float64(v)))
	}
	c.done += len(labels)
	if c.report != nil {
		c.report(c.done, c.images)
	}
}

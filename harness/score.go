package harness

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/stats"
)

// block is how many pictures a worker takes at a time: enough to fill the
// kernels' vectors and to share loaded weights, little enough for the caches.
const block = 64

// scoring is one pass of a program over pictures, on several goroutines.
type scoring struct {
	*pixels
	partial     *record.Partial
	classes     int
	predictions []record.Prediction
	next        atomic.Int64 // first picture that no worker has taken
	done        atomic.Int64
	correct     atomic.Int64
	failed      atomic.Pointer[error]

	reporting sync.Mutex
	report    func(done, correct int)
}

// score runs all pictures through a program, a block a job, and keeps each block
// that is done, so that a later run goes on from there. The result does not depend
// on the number of jobs, nor on interruptions.
func (e *Experiment) score(ctx context.Context, program runtime.Program, pix *pixels, partial *record.Partial, n *network, ev Event) ([]record.Prediction, error) {
	if ev.Pass == "" {
		ev.Kind = CellProgress
	}
	s := &scoring{pixels: pix, partial: partial, classes: n.Output().Out.Len(), predictions: make([]record.Prediction, pix.n())}
	s.report = func(done, correct int) {
		ev.Done, ev.Correct, ev.Work = done, correct, e.share(int64(done)*n.MACs())
		e.observe(ev)
	}
	var wait sync.WaitGroup
	for range e.env.Jobs {
		wait.Go(func() {
			if err := s.work(ctx, program); err != nil {
				s.failed.CompareAndSwap(nil, &err)
			}
		})
	}
	wait.Wait()
	if err := s.failed.Load(); err != nil {
		return nil, *err
	}
	return s.predictions, ctx.Err()
}

// work scores blocks until none is left. A panic is an error like any other.
func (s *scoring) work(ctx context.Context, program runtime.Program) (err error) {
	defer recovered(&err)
	w := &scorer{scoring: s, worker: program.NewWorker(), scores: make([]float32, block*s.classes)}
	for ctx.Err() == nil && s.failed.Load() == nil {
		from := int(s.next.Add(block)) - block
		if from >= s.n() {
			return nil
		}
		if err := w.block(ctx, from, min(from+block, s.n())); err != nil {
			return err
		}
	}
	return nil
}

// scorer is one goroutine of a scoring with buffers of its own.
type scorer struct {
	*scoring
	worker runtime.Worker
	buf    []byte // pictures, if they are not in memory
	scores []float32
}

// block scores pictures from to to-1, unless an earlier run has done so.
func (s *scorer) block(ctx context.Context, from, to int) error {
	if list, ok := s.partial.Block(from); ok {
		copy(s.predictions[from:to], list)
		s.count(from, to)
		return nil
	}
	pix, err := s.Read(ctx, from, to, s.buf)
	if err != nil {
		return err
	}
	s.buf = pix
	scores := s.scores[:(to-from)*s.classes]
	if err := s.worker.Score(pix, scores); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		s.predictions[i] = predict(scores[(i-from)*s.classes:][:s.classes], s.labels[i])
	}
	if err := s.partial.Add(from, s.predictions[from:to]); err != nil {
		return err
	}
	s.count(from, to)
	return nil
}

// count adds finished pictures to the progress.
func (s *scoring) count(from, to int) {
	good := int64(0)
	for i := from; i < to; i++ {
		if s.predictions[i].Correct(s.labels[i]) {
			good++
		}
	}
	correct, done := s.correct.Add(good), s.done.Add(int64(to-from))
	if s.reporting.TryLock() {
		s.report(int(done), int(correct))
		s.reporting.Unlock()
	}
}

// recovered makes an error of a panic, with the stack that a bug report needs.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error: %v\n%s", r, debug.Stack())
	}
}

// predict ranks one picture's scores.
func predict(scores []float32, label int) record.Prediction {
	o := stats.Classify(scores, label)
	p := record.Prediction{Class: uint16(o.Predicted), Tied: uint16(o.Tied), Best: o.Share > 0}
	second := float32(math.Inf(-1))
	for i, s := range scores {
		if i != o.Predicted && s > second {
			second = s
		}
	}
	if p.Margin = scores[o.Predicted] - second; p.Margin != p.Margin || math.IsInf(float64(p.Margin), 0) {
		p.Margin = 0
	}
	return p
}

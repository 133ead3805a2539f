package harness

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/stats"
)

// block is how many pictures a worker takes at a time: enough to fill the
// kernels' vectors and to share loaded weights, little enough for the caches.
const block = 64

// score runs all pictures through a program, jobs blocks at a time. The result
// does not depend on the number of jobs.
func (e *Experiment) score(ctx context.Context, program runtime.Program, pix *pixels, classes int, ev Event) ([]record.Prediction, error) {
	predictions := make([]record.Prediction, pix.n())
	var (
		next, done, correct atomic.Int64
		wait                sync.WaitGroup
		report              sync.Mutex
		failed              atomic.Pointer[error]
	)
	perPicture := int64(0)
	if n, err := e.network(ev.Point.Model); err == nil {
		perPicture = n.MACs()
	}
	ev.Kind = CellProgress
	for range e.env.Jobs {
		wait.Go(func() {
			worker := program.NewWorker()
			scores := make([]float32, block*classes)
			for ctx.Err() == nil && failed.Load() == nil {
				from := int(next.Add(block)) - block
				if from >= pix.n() {
					return
				}
				to := min(from+block, pix.n())
				s := scores[:(to-from)*classes]
				if err := worker.Score(pix.bytes[from*pix.size:to*pix.size], s); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				good := int64(0)
				for i := from; i < to; i++ {
					predictions[i] = predict(s[(i-from)*classes:][:classes], pix.labels[i])
					if predictions[i].Correct(pix.labels[i]) {
						good++
					}
				}
				c, d := correct.Add(good), done.Add(int64(to-from))
				if report.TryLock() {
					ev.Done, ev.Correct, ev.Work = int(d), int(c), e.share(d*perPicture)
					e.observe(ev)
					report.Unlock()
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return predictions, ctx.Err()
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

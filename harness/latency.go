package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quantbench/harness/compute/kernel"
	"quantbench/harness/record"
	"quantbench/harness/runtime"
)

// How a single picture is timed: some runs to warm up, then samples until the
// time is spent, at least a few.
const (
	latencyWarmup  = 10
	latencySamples = 101
	latencyBudget  = 300 * time.Millisecond
)

// latency finds the time of one picture and says what kind of time it is.
func (e *Experiment) latency(ctx context.Context, p Point, program runtime.Program, pix *pixels, classes int) (*record.Latency, error) {
	if d, ok := program.(device); ok {
		return modelledLatency(d.Cycles()), nil
	}
	if pix.n() == 0 {
		return nil, nil
	}
	seconds, err := e.timePicture(ctx, program, pix, classes)
	if err != nil {
		return nil, err
	}
	l := &record.Latency{Kind: record.Measured, Seconds: seconds, Note: fmt.Sprintf("median, one picture, one thread, %s kernels", kernel.Level())}
	if p.Runtime == FP32 && e.modelSpec(p.Model).Winograd {
		l.Note += ", Winograd's convolutions"
	}
	if p.Runtime != FP32 {
		l.Kind = record.Emulated
	}
	return l, nil
}

// timePicture is the median time of scoring one picture with one worker.
func (e *Experiment) timePicture(ctx context.Context, program runtime.Program, pix *pixels, classes int) (float64, error) {
	worker, scores := program.NewWorker(), make([]float32, classes)
	var samples []time.Duration
	start := e.env.Clock.Now()
	for i := 0; i < latencyWarmup+latencySamples; i++ {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		picture, err := pix.picture(ctx, i%pix.n())
		if err != nil {
			return 0, err
		}
		before := e.env.Clock.Now()
		if err := worker.Score(picture, scores); err != nil {
			return 0, err
		}
		after := e.env.Clock.Now()
		if i >= latencyWarmup {
			samples = append(samples, after.Sub(before))
		}
		if len(samples) >= 5 && after.Sub(start) > latencyBudget {
			break
		}
	}
	slices.Sort(samples)
	return samples[len(samples)/2].Seconds(), nil
}

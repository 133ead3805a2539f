package harness

import (
	"context"
	"errors"
	"fmt"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
	"quantbench/harness/stats"
)

// analysis makes passes over a cell's pictures with programs other than its own.
type analysis struct {
	*Experiment
	*prepared
	plan         PlannedCell
	pass, passes int // under way, of how many
}

// passKind is the store's folder of predictions of passes.
const (
	passKind = "passes"
	passFile = "predictions.bin"
)

// grid is the cell's program as one that tells what it rounds to.
func gridOf(program runtime.Program) (emulated.Grid, error) {
	g, ok := program.(emulated.Grid)
	if !ok {
		return nil, errors.New("the runtime does not tell what it rounds to")
	}
	return g, nil
}

// run scores the first n pictures with a program, or takes the predictions from
// the store; name says, within the cell, which program it is.
func (a *analysis) run(ctx context.Context, name string, n int, program func() (runtime.Program, error)) ([]record.Prediction, error) {
	a.pass++
	k := append(key(nil), a.plan.Parts...)
	k.add("pass", name)
	k.add("pictures", fmt.Sprint(n))
	if data, err := a.store.Get(passKind, k.sum(), passFile); err == nil {
		if p, err := record.DecodePredictions(data); err == nil && len(p) == n {
			return p, nil
		}
		if err := a.store.Discard(passKind, k.sum()); err != nil {
			return nil, err
		}
	}
	ev := Event{Kind: PassProgress, Point: a.plan.Point, Pass: name, Cell: a.pass, Cells: a.passes, Total: n}
	a.observe(ev)
	made, err := program()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	partial := a.store.Partial(k.sum(), n, block)
	p, err := a.score(ctx, made, a.first(n), partial, a.net, ev)
	if err = errors.Join(err, partial.Close()); err != nil {
		return nil, err
	}
	if err := a.store.Put(passKind, k.sum(), map[string][]byte{passFile: record.EncodePredictions(p)}); err != nil {
		return nil, err
	}
	return p, partial.Remove()
}

// mixed is a pass of the emulation.
func (a *analysis) mixed(ctx context.Context, name string, n int, g emulated.Grid, mix emulated.Mix) ([]record.Prediction, error) {
	return a.run(ctx, name, n, func() (runtime.Program, error) { return emulated.Prepare(a.model, g, mix) })
}

// first are the first n pictures.
func (a *analysis) first(n int) *pixels {
	return &pixels{size: a.pix.size, labels: a.pix.labels[:n], Pictures: a.pix.Pictures}
}

// compared is the accuracy of predictions, paired with those of another program
// for the same pictures.
func compared(p, other []record.Prediction, labels []int) record.Mixed {
	m := record.Mixed{}
	for i, x := range p {
		is, was := x.Correct(labels[i]), other[i].Correct(labels[i])
		switch {
		case was && !is:
			m.Lost++
		case is && !was:
			m.Won++
		}
		if is {
			m.Correct++
		}
	}
	pair := stats.Paired{N: len(p), Lost: m.Lost, Won: m.Won}
	m.Top1, m.Interval = float64(m.Correct)/float64(len(p)), stats.Wilson(m.Correct, len(p), stats.Confidence)
	m.Difference, m.DifferenceInterval = pair.Difference(), pair.Interval(stats.Confidence)
	return m
}

// same counts the pictures to which two programs give one class.
func same(p, q []record.Prediction) int {
	n := 0
	for i := range p {
		if p[i].Class == q[i].Class {
			n++
		}
	}
	return n
}
